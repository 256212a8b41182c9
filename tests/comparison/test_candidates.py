from collections.abc import Sequence

import pytest

from zoo.catalogue import Catalogue, read_catalogue
from zoo.comparison.candidates import Candidate, parse_candidate, parse_sweep, swept
from zoo.errors import ZooError
from zoo.stacks.resolving import resolve_stack


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue()


@pytest.mark.parametrize(
    ("text", "stack", "settings"),
    [
        ("dcgan", "dcgan", ()),
        ("wgan_gp", "wgan-gp", ()),
        ("vanilla+r1,r1_gamma=0.1", "vanilla+r1", ("r1_gamma=0.1",)),
        ("vanilla,generator_units=64,64,dropout=0", "vanilla", ("generator_units=64,64", "dropout=0")),
    ],
)
def test_a_candidate_is_a_stack_with_values_of_its_own(
    text: str, stack: str, settings: Sequence[str], catalogue: Catalogue
):
    candidate = parse_candidate(text, catalogue)
    assert candidate == Candidate(stack, tuple(settings))
    assert parse_candidate(candidate.label, catalogue) == candidate


def test_what_follows_a_comma_must_be_a_value(catalogue: Catalogue):
    with pytest.raises(ZooError, match=r"after the first comma come recipe values.*Separate variants by spaces"):
        parse_candidate("vanilla,dcgan", catalogue)


def test_an_unknown_stack_is_named_with_the_nearest(catalogue: Catalogue):
    with pytest.raises(ZooError, match="Did you mean 'dcgan'"):
        parse_candidate("dcgna,width=3", catalogue)


@pytest.mark.parametrize("name", sorted(read_catalogue().benchmarks))
def test_every_candidate_of_a_registered_benchmark_has_a_recipe(name: str, catalogue: Catalogue):
    benchmark = catalogue.benchmarks[name]
    common = [f"{key}={value}" for key, value in benchmark.recipe.items()]
    for text in benchmark.variants:
        candidate = parse_candidate(text, catalogue)
        for dataset in benchmark.datasets:
            resolve_stack(candidate.stack, catalogue, dataset, [*common, *candidate.settings])


def test_a_sweep_gives_every_combination_once_in_order(catalogue: Catalogue):
    dcgan = parse_candidate("dcgan", catalogue)
    labels = [each.label for each in swept([dcgan, dcgan], ["width=8,16", "batch_size=4,5"])]
    assert labels == [f"dcgan,width={width},batch_size={size}" for width in (8, 16) for size in (4, 5)]


def test_values_that_are_lists_are_parted_by_semicolons():
    assert parse_sweep("generator_units=64,64;128,128") == ("generator_units", ("64,64", "128,128"))


@pytest.mark.parametrize("text", ["width", "=3", "width=", "width=,"])
def test_a_sweep_that_can_not_be_read_says_how_one_looks(text: str):
    with pytest.raises(ZooError, match="expected key=value,value"):
        parse_sweep(text)


def test_a_value_that_stands_twice_is_refused():
    with pytest.raises(ZooError, match="8 stands twice"):
        parse_sweep("width=8,16,8")
