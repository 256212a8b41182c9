"""What is wrong with an extension is said in a sentence that names it, and one that nobody named ends no command."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bringing import BROUGHT

import zoo
from zoo.base.progress import Silent
from zoo.catalogue import HOOKS, read_catalogue
from zoo.comparison.executors.choice import ExecutorChoice, open_executor
from zoo.data import open_dataset
from zoo.errors import MOST_LISTED, ZooError, ZooWarning
from zoo.evaluation.extractors.lookup import open_extractor
from zoo.evaluation.metrics.selection import checked_metric
from zoo.extensions.loading import load_extension, open_extension
from zoo.tracking.following import find_listeners, following

Write = Callable[[str, str], Path]
METRIC = """def metric():
    return Metric(frozenset(), 2, {{}}, measure, in_features=False)

def measure(compared):
    {measure}
"""


def opened(kind: str, name: str, file: Path, folder: Path) -> object:
    """What the hook of an extension returns, as the zoo uses it."""
    catalogue = read_catalogue([file])
    if kind == "metrics":
        return checked_metric(open_extension(kind, name, catalogue))
    if kind == "extractors":
        return open_extractor(name, catalogue, None, None, Silent())
    if kind == "sources":
        return open_dataset(f"{name}:x", catalogue, data_dir=folder)
    if kind == "executors":
        return open_executor(ExecutorChoice(name), folder, catalogue)
    factories = find_listeners([name], catalogue)
    with following(zoo.load(folder).directory if factories is None else None, factories) as followers:
        return followers


EXPECTED = {
    "metrics": "a zoo.extensions.Metric",
    "extractors": "a zoo.extensions.Extractor",
    "sources": "a zoo.extensions.Source or None",
    "executors": "a zoo.extensions.Executor",
    "listeners": "a function or class that makes a zoo.extensions.Listener",
}


@pytest.mark.parametrize("kind", HOOKS)
def test_an_answer_of_another_type_names_plugin_hook_and_what_is_expected(kind: str, write: Write, tmp_path: Path):
    file = write("wrong", f"def {HOOKS[kind]}():\n    return 3\n")
    with pytest.raises(ZooError) as raised:
        opened(kind, "wrong", file, tmp_path)
    start = f"Plugin 'wrong' (--plugin {file}), hook '{HOOKS[kind]}': must return {EXPECTED[kind]}; "
    assert str(raised.value).startswith(start)
    assert "int" in str(raised.value)


@pytest.mark.parametrize("kind", HOOKS)
def test_an_exception_in_a_hook_names_plugin_hook_and_line(kind: str, write: Write, tmp_path: Path):
    file = write("broken", f"def {HOOKS[kind]}():\n    return {{}}['key']\n")
    with pytest.raises(ZooError) as raised:
        opened(kind, "broken", file, tmp_path)
    message = f"Plugin 'broken' (--plugin {file}), hook '{HOOKS[kind]}': KeyError: 'key' ({file}:6)"
    assert str(raised.value) == message


@pytest.mark.parametrize("kind", HOOKS)
def test_an_unknown_name_lists_what_there_is(kind: str, tmp_path: Path):
    known = read_catalogue().extensions[kind]
    name = next(iter(known))
    with pytest.raises(ZooError) as raised:
        open_extension(kind, f"{name}x", read_catalogue())
    listed = ", ".join(sorted(known))
    start, end = f"Unknown {HOOKS[kind]}: '{name}x'.", f" Available: {listed}."
    if len(known) > MOST_LISTED:
        assert str(raised.value).endswith(f"shows all {len(known)}.")
    else:
        assert str(raised.value) in (f"{start} Did you mean '{name}'?{end}", f"{start}{end}")


def test_an_unknown_argument_lists_those_that_there_are(write: Write):
    file = write("mine", "def extractor(preparaton):\n    pass\n")
    with pytest.raises(ZooError) as raised:
        load_extension("extractors", read_catalogue([file]).extensions["extractors"]["mine"])
    assert str(raised.value) == (
        f"Plugin 'mine' (--plugin {file}), hook 'extractor': unknown argument 'preparaton'. "
        "Did you mean 'preparation'? Available: preparation, weights, progress."
    )


def test_what_lacks_a_member_is_refused_with_its_name(write: Write, tmp_path: Path):
    file = write("half", "def executor():\n    return Half()\n\nclass Half:\n    slots = 1\n    def start(self): ...\n")
    with pytest.raises(ZooError, match=r"a zoo\.extensions\.Executor; Half has no 'close', 'ended', 'stop'\.$"):
        opened("executors", "half", file, tmp_path)


def test_a_plugin_without_the_hook_is_refused(zoo_command: Callable):
    result = zoo_command("run", "vanilla", "--listener", "r1")
    assert result.err.startswith("Error: 'r1' (registry.yaml:")
    assert result.err.endswith(
        "is no listener: it has no function `listener` marked with @hookimpl. See what there is: zoo list listeners.\n"
    )


def test_a_name_that_two_extensions_bring_is_refused_with_both_places(write: Write, working_directory: Path):
    file = write("pixel_mean", METRIC.format(measure="return []"))
    (working_directory / "registry.yaml").write_text(f"metrics:\n  pixel-mean: {{file: {BROUGHT / 'pixel_mean.py'}}}\n")
    with pytest.raises(ZooError) as raised:
        read_catalogue([file])
    assert str(raised.value) == (
        "Metric 'pixel_mean' is defined twice (as 'pixel-mean' and 'pixel_mean', where '-' and '_' are the same): "
        f"in ./registry.yaml:2 and in --plugin {file}. Rename one of them."
    )
    with pytest.raises(ZooError, match=r"Metric 'fd' is defined twice: in registry\.yaml:\d+ and in --plugin .*fd\.py"):
        read_catalogue([write("fd", METRIC.format(measure="return []"))])


def test_the_same_file_by_two_ways_is_one_extension(working_directory: Path):
    file = BROUGHT / "pixel_mean.py"
    (working_directory / "registry.yaml").write_text(f"metrics:\n  pixel_mean: {{file: {file}}}\n")
    assert list(read_catalogue([file]).extensions["metrics"]).count("pixel_mean") == 1


@pytest.fixture
def evaluate(images: Path, zoo_command: Callable) -> Callable:
    np.save("fake.npy", np.load(images)["samples"])

    def run(*words: object) -> object:
        words = (*words, "--extractor", "quarters", "--plugin", BROUGHT / "quarters.py")
        return zoo_command("evaluate", "fake.npy", "--against", images, "--json", *words)

    return run


UNSOUND = {
    "that raises": ("return [1 / 0]", "ZeroDivisionError: division by zero"),
    "that returns a number": ("return 3.0", "`measure` must return a list of zoo.extensions.Score; received 3.0."),
    "that returns numbers": ("return [3]", "`measure` must return a list of zoo.extensions.Score; received [3]."),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_a_metric(case: str, write: Write, evaluate: Callable):
    measure, message = UNSOUND[case]
    file = write("unsound", METRIC.format(measure=measure))
    start = f"Plugin 'unsound' (--plugin {file}), hook 'metric': {message}"
    named = evaluate("--plugin", file, "--metrics", "fd,unsound")
    assert (named.code, named.out) == (2, "")
    assert f"Error: {start}" in named.err

    unnamed = evaluate("--plugin", file)
    assert unnamed.code == 0
    assert f"Warning: Left out: {start}" in unnamed.err
    assert "fd_quarters" in [score["name"] for score in json.loads(unnamed.out)[0]["scores"]]


def test_one_that_cannot_be_imported_costs_a_warning_where_nobody_named_it(
    write: Write, evaluate: Callable, bring: Callable
):
    file = write("lonely", METRIC.format(measure="return []") + "\nimport no_such_module\n")
    bring("entry point", "metrics", file)
    message = "Plugin 'lonely' (entry point of friends 1.5) cannot be loaded: ModuleNotFoundError: "
    unnamed = evaluate()
    assert unnamed.code == 0
    assert f"Warning: {message}" in unnamed.err
    assert evaluate("--metrics", "fd").err.count("lonely") == 0
    named = evaluate("--metrics", "lonely")
    assert named.code == 2
    assert f"Error: {message}" in named.err


def test_a_source_that_cannot_be_imported_costs_a_warning_for_paths(write: Write, images: Path, tmp_path: Path):
    file = write("lonely", "def source():\n    pass\n\nimport no_such_module\n")
    with pytest.warns(ZooWarning, match="Plugin 'lonely' .* cannot be loaded: ModuleNotFoundError"):
        assert open_dataset(str(images), read_catalogue([file]), data_dir=tmp_path).count == 64


def test_list_check_says_which_fail(write: Write, bring: Callable, zoo_command: Callable):
    bring("section", "executors", write("lonely", "def executor():\n    pass\n\nimport no_such_module\n"))
    result = zoo_command("list", "executors", "--check")
    assert result.code == 1
    assert result.out.splitlines()[-1].startswith(
        "Plugin 'lonely' (./registry.yaml:2) cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"
    )
    assert zoo_command("list").code == 0


def test_a_score_whose_name_another_metric_has_taken_is_left_out_with_a_warning(write: Write, evaluate: Callable):
    file = write("other", METRIC.format(measure="return [Score('swd', 1.0), Score('mine', 2.0)]"))
    result = evaluate("--plugin", file, "--metrics", "swd,other")
    assert [score["name"] for score in json.loads(result.out)[0]["scores"]] == ["swd", "swd_16", "mine"]
    assert "Warning: The metric 'other' gives a score 'swd', and so does one before it. It is left out" in result.err


def test_an_evaluation_without_any_score_says_so(write: Write, evaluate: Callable):
    result = evaluate("--plugin", write("none", METRIC.format(measure="return []")), "--metrics", "none")
    assert (result.code, result.err.splitlines()[-1]) == (2, "Error: No metric gave a score: none.")


def test_a_metric_whose_needs_are_not_met_is_refused_with_what_is_possible(write: Write, evaluate: Callable):
    text = "def metric():\n    return Metric(frozenset({'points'}), 2, {}, lambda compared: [])\n"
    result = evaluate("--plugin", write("plane", text), "--metrics", "plane")
    assert "The metric 'plane' can't be measured here: the samples are images. Possible: fd, kid, " in result.err
    unasked = evaluate("--plugin", write("plane", text))
    assert unasked.code == 0
    assert unasked.err.count("plane") == 0
