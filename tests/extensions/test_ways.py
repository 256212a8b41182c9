"""Every kind of extension gets in by every way that a plugin does, is listed without being imported, and loads."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bringing import BROUGHT, WAYS

from zoo.catalogue import HOOKS, read_catalogue
from zoo.extensions.loading import open_extension

KINDS = {
    "metrics": "pixel_mean",
    "extractors": "quarters",
    "sources": "csv_points",
    "executors": "nice",
    "listeners": "csv_log",
}
PLACES = {
    "file": "--plugin ",
    "section": "./registry.yaml:2",
    "plugins": "./registry.yaml:2",
    "entry point": "entry point of friends 1.5",
    "shipped": "registry.yaml:",
}


def test_there_is_an_extension_of_each_kind() -> None:
    assert KINDS.keys() == HOOKS.keys()
    assert {path.stem for path in BROUGHT.glob("*.py")} == set(KINDS.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_an_extension_gets_in(way: str, kind: str, bring: Callable[..., list[str]], zoo_command: Callable) -> None:
    name = KINDS[kind]
    words = bring(way, kind, BROUGHT / f"{name}.py")
    listed = json.loads(zoo_command("list", kind, "--json", *words).out)[kind]
    (row,) = (each for each in listed if each["name"] == name)
    assert row["source"].startswith(PLACES[way])
    assert row["summary"]
    assert row["summary"] in (BROUGHT / f"{name}.py").read_text()
    assert not {f"zoo_plugin_{name}", f"friends_{name}"} & set(sys.modules)

    catalogue = read_catalogue([Path(each) for each in words[1:]])
    extension = open_extension(kind, name, catalogue)
    assert extension.hook == HOOKS[kind]
    assert extension.shipped == (way == "shipped")
    assert zoo_command("list", "--check", *words).code == 0


def test_what_comes_from_outside_is_listed_with_its_place(bring: Callable[..., list[str]], zoo_command: Callable):
    bring("entry point", "metrics", BROUGHT / "pixel_mean.py")
    lines = zoo_command("list", "metrics").out.splitlines()
    assert lines[-1].endswith("in steps of a pixel's value  (entry point of friends 1.5)")
    assert lines[1].endswith("https://arxiv.org/abs/1706.08500")


def test_dashes_and_underscores_are_the_same(bring: Callable[..., list[str]]) -> None:
    bring("section", "metrics", BROUGHT / "pixel_mean.py")
    assert open_extension("metrics", "pixel-mean", read_catalogue()).entry.name == "pixel_mean"


def test_one_module_may_be_a_plugin_of_stacks_and_an_extension(
    write: Callable[[str, str], Path], make_stack: Callable
) -> None:
    file = write("both", "def metric():\n    return 3\n\n\n@hookimpl\ndef generator_penalty():\n    return 0\n")
    stack = make_stack("vanilla+both", plugins=[file])
    assert stack.provider("generator_penalty") == "both"
    assert "metric" not in stack.hook_names
    assert "both" in read_catalogue([file]).extensions["metrics"]
