"""Recipes: how those of a stack's plugins are joined, and what `--set` takes."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from zoo import Recipe, ZooError
from zoo.recipe import Setting, join_recipes, parse_setting


@dataclass(frozen=True)
class First(Recipe):
    batch_size: int = 32
    beta_1: float = 0.1
    depth: int = 3
    units: tuple[int, ...] = (4, 4)
    soft: bool = False


@dataclass(frozen=True)
class Second(Recipe):
    beta_1: float = 0.2
    slope: float = 0.5


@dataclass(frozen=True)
class OfFirst(First):
    depth: int = 5


def set_to(text: str) -> tuple[str, list[Setting]]:
    return "", [parse_setting(text)]


def test_a_default_that_a_later_plugin_merely_inherits_does_not_overwrite_an_earlier_value() -> None:
    recipe, sources = join_recipes([("first", First()), ("second", Second())])
    assert (recipe.batch_size, sources["batch_size"]) == (32, "first")
    assert (recipe.beta_1, sources["beta_1"]) == (0.2, "second")
    assert (recipe.latent_size, sources["latent_size"]) == (100, "zoo default")
    assert isinstance(recipe, First)
    assert isinstance(recipe, Second)


def test_the_order_of_plugins_decides() -> None:
    recipe, _ = join_recipes([("second", Second()), ("first", First())])
    assert recipe.beta_1 == 0.1


def test_a_stack_without_recipes_has_the_zoos_defaults() -> None:
    recipe, sources = join_recipes([])
    assert dataclasses.asdict(recipe) == dataclasses.asdict(Recipe())
    assert set(sources.values()) == {"zoo default"}


def test_a_plugin_may_inherit_another_plugins_fields() -> None:
    recipe, _ = join_recipes([("first", First()), ("child", OfFirst())])
    assert recipe.depth == 5


def test_what_a_plugin_inherits_from_another_of_the_stack_counts_where_that_one_stands() -> None:
    recipe, sources = join_recipes([("first", First()), ("second", Second()), ("child", OfFirst())])
    assert (recipe.beta_1, sources["beta_1"]) == (0.2, "second")


def test_a_value_that_a_plugin_gives_its_recipe_counts_without_an_annotation() -> None:
    recipe, sources = join_recipes([("first", First(latent_size=7)), ("plain", Recipe(critic_steps=3))])
    assert (recipe.latent_size, sources["latent_size"]) == (7, "first")
    assert (recipe.critic_steps, sources["critic_steps"]) == (3, "plain")


def test_two_plugins_that_bring_the_same_field_are_refused() -> None:
    @dataclass(frozen=True)
    class Other(Recipe):
        depth: int = 1

    with pytest.raises(ZooError) as raised:
        join_recipes([("first", First()), ("other", Other())])
    assert str(raised.value) == (
        "The plugins 'first' and 'other' both bring a recipe field 'depth'. Rename it in one of them, or let one's "
        "recipe class inherit from the other's."
    )


def test_a_recipe_is_frozen() -> None:
    recipe, _ = join_recipes([("first", First())])
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.depth = 4


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("beta_1=2e-4", "beta_1", 0.0002),
        ("beta_1=0", "beta_1", 0.0),
        ("depth=7", "depth", 7),
        ("units=8", "units", (8,)),
        ("units=8,16", "units", (8, 16)),
        ("soft=true", "soft", True),
        ("discriminator_normalization=none", "discriminator_normalization", "none"),
    ],
)
def test_a_setting_has_the_fields_type(text: str, field: str, value: object) -> None:
    recipe, sources = join_recipes([("first", First()), set_to(text)])
    assert getattr(recipe, field) == value
    assert type(getattr(recipe, field)) is type(value)
    assert sources[field] == "--set"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("depth=deep", "--set: 'depth' takes an integer; received 'deep'."),
        ("depth=1.5", "--set: 'depth' takes an integer; received 1.5."),
        ("depth=true", "--set: 'depth' takes an integer; received True."),
        ("beta_1=fast", "--set: 'beta_1' takes a number; received 'fast'."),
        ("soft=1", "--set: 'soft' takes true or false; received 1."),
        ("soft=yes", "--set: 'soft' takes true or false; received 'yes'."),
        ("units=a,b", "--set: 'units' takes an integer; received 'a'."),
        (
            "discriminator_normalization=bach",
            "--set: 'discriminator_normalization' takes one of none, batch, layer, instance, group, spectral; "
            "received 'bach'.",
        ),
    ],
)
def test_a_setting_of_the_wrong_type_says_what_the_field_takes(text: str, message: str) -> None:
    with pytest.raises(ZooError) as raised:
        join_recipes([("first", First()), set_to(text)])
    assert str(raised.value) == message


def test_an_unknown_field_names_what_there_is_and_the_nearest(make_stack: Callable) -> None:
    with pytest.raises(ZooError) as raised:
        make_stack("dcgan+r1", "r1_gama=3")
    count = len(dataclasses.fields(Recipe)) + len(["r1_gamma", "r1_interval", "width"])
    message = str(raised.value)
    assert message.startswith("--set: Unknown recipe field: 'r1_gama'. Did you mean 'r1_gamma'? Near it: r1_interval")
    assert message.endswith(f". `zoo show STACK` shows all {count}.")


@pytest.mark.parametrize("text", ["width", "=3", " =3"])
def test_a_setting_without_key_or_value_is_refused(text: str, make_stack: Callable) -> None:
    with pytest.raises(ZooError) as raised:
        make_stack("dcgan", text)
    assert str(raised.value) == f"--set takes key=value, such as --set batch_size=32; received '{text}'."


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("batch_size=0", "batch_size must be at least 1"),
        ("latent_size=-1", "latent_size must be at least 1"),
        ("critic_steps=0", "critic_steps must be at least 1"),
        ("generator_learning_rate=-1", "generator_learning_rate must not be negative"),
        ("epsilon=-1e-8", "epsilon must not be negative"),
        ("beta_1=1", "beta_1 must be in [0, 1)"),
        ("average_decay=1.5", "average_decay must be in [0, 1)"),
    ],
)
def test_a_value_out_of_range_is_refused(setting: str, problem: str, make_stack: Callable) -> None:
    with pytest.raises(ZooError) as raised:
        make_stack("dcgan", setting)
    assert str(raised.value) == f"The recipe can't be used: {problem}."


@pytest.mark.parametrize("value", ["nan", ".inf", "-.inf", ".nan"])
def test_a_number_that_is_none_is_refused(value: str, make_stack: Callable) -> None:
    with pytest.raises(ZooError):
        make_stack("dcgan", f"generator_learning_rate={value}")


def test_values_rise_from_paper_to_variant_to_dataset_to_set() -> None:
    from zoo.catalogue import read_catalogue
    from zoo.stacks.resolving import resolve_stack

    catalogue = read_catalogue()
    assert resolve_stack("dcgan", catalogue).recipe.width == 128
    on_mini = resolve_stack("dcgan", catalogue, "fashion_mini")
    assert on_mini.recipe.width == catalogue.variants["dcgan"].datasets["fashion_mini"]["width"] != 128
    assert on_mini.recipe_sources["width"].startswith("registry.yaml:")
    given = resolve_stack("dcgan", catalogue, "fashion_mini", ["width=7"])
    assert (given.recipe.width, given.recipe_sources["width"]) == (7, "--set")
    assert given.recipe_sources["beta_1"] == "dcgan"
    assert given.recipe_sources["latent_size"] == "zoo default"
