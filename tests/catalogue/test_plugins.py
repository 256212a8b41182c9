import sys
from pathlib import Path

import pytest

from zoo.catalogue import (
    Catalogue,
    PluginEntry,
    find_plugin_source,
    load_every_plugin,
    load_plugin,
    plugin_advice,
    plugin_summary,
)
from zoo.errors import ZooError, ZooWarning


@pytest.fixture(autouse=True)
def imports_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that a test imports are gone after it, and no byte code of an earlier text is used."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def plugin_file(folder: Path, text: str, name: str = "mine") -> PluginEntry:
    path = folder / f"{name}.py"
    path.write_text(text)
    return PluginEntry(name, None, path, f"--plugin {name}.py")


def of_module(module: str) -> PluginEntry:
    return PluginEntry("x", module, None, "registry.yaml:1")


def test_the_same_file_twice_is_the_same_module(folder: Path) -> None:
    entry = plugin_file(folder, "value = []")
    assert load_plugin(entry) is load_plugin(entry)
    assert sys.modules["zoo_plugin_mine"] is load_plugin(entry)


def test_another_file_of_the_same_name_is_another_module(folder: Path) -> None:
    (folder / "other").mkdir()
    one, two = plugin_file(folder, "value = 1"), plugin_file(folder / "other", "value = 2")
    assert [load_plugin(one).value, load_plugin(two).value] == [1, 2]


def test_a_file_may_define_dataclasses(folder: Path) -> None:
    text = "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass A:\n    b: int = 3\n"
    assert load_plugin(plugin_file(folder, text)).A().b == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\nimport no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module' ({path}:2)"),
        ("def f():\n    return 1 / 0\nf()\n", "ZeroDivisionError: division by zero ({path}:2)"),
        ("\n\ndef f(:\n", "SyntaxError: invalid syntax ({path}:3)"),
        ("raise SystemExit('bye')\n", "SystemExit: bye ({path}:1)"),
    ],
)
def test_a_plugin_that_fails_to_load_is_named_with_its_source_and_line(folder: Path, text: str, problem: str) -> None:
    entry = plugin_file(folder, text)
    with pytest.raises(ZooError) as raised:
        load_plugin(entry)
    expected = problem.format(path=folder / "mine.py")
    assert str(raised.value) == f"Plugin 'mine' (--plugin mine.py) cannot be loaded: {expected}"
    assert "zoo_plugin_mine" not in sys.modules


def test_a_plugin_that_was_mended_loads(folder: Path) -> None:
    entry = plugin_file(folder, "1 / 0")
    with pytest.raises(ZooError):
        load_plugin(entry)
    assert load_plugin(plugin_file(folder, "value = 4")).value == 4


def test_a_missing_module_is_named_with_its_source() -> None:
    with pytest.raises(ZooError) as raised:
        load_plugin(of_module("no_such_package.plugin"))
    message = "ModuleNotFoundError: No module named 'no_such_package'"
    assert str(raised.value) == f"Plugin 'x' (registry.yaml:1) cannot be loaded: {message}"


def test_a_broken_plugin_costs_one_warning_and_leaves_the_others(folder: Path) -> None:
    entries = [plugin_file(folder, "1 / 0", "broken"), plugin_file(folder, "value = 1", "sound")]
    with pytest.warns(ZooWarning) as warned:
        modules = load_every_plugin(Catalogue({entry.name: entry for entry in entries}))
    assert modules.keys() == {"sound"}
    expected = f"ZeroDivisionError: division by zero ({folder / 'broken.py'}:1)"
    message = f"Plugin 'broken' (--plugin broken.py) cannot be loaded: {expected}"
    assert [str(each.message) for each in warned] == [message]


def test_a_plugins_source_is_found_without_executing_its_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    for package in ("regular", "regular/inner", "spaces", "spaces/inner"):
        (folder / package).mkdir()
        (folder / package / "plugin.py").write_text("1 / 0")
    for package in ("regular", "regular/inner"):
        (folder / package / "__init__.py").write_text("1 / 0")
    (folder / "single.py").write_text("1 / 0")
    found = {
        "single": "single.py",
        "regular": "regular/__init__.py",
        "regular.plugin": "regular/plugin.py",
        "regular.inner": "regular/inner/__init__.py",
        "regular.inner.plugin": "regular/inner/plugin.py",
        "spaces.inner.plugin": "spaces/inner/plugin.py",
    }
    assert {name: find_plugin_source(of_module(name)) for name in found} == {
        name: folder / path for name, path in found.items()
    }
    for name in ("absent", "regular.absent", "absent.plugin", "single.plugin", "sys"):
        assert find_plugin_source(of_module(name)) is None
    assert find_plugin_source(PluginEntry("x", None, folder / "absent.py", "")) is None


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ('"""A paper (2014), https://a.b\n\nMore.\n"""\n1 / 0\n', "A paper (2014), https://a.b"),
        ("value = 1\n", ""),
        ("def f(:\n", ""),
        ("\0", ""),
    ],
)
def test_a_plugins_summary_is_its_first_line_and_needs_no_import(folder: Path, text: str, summary: str) -> None:
    assert plugin_summary(plugin_file(folder, text)) == summary


def test_when_to_use_a_plugin_is_a_paragraph_of_its_own_and_needs_no_import(folder: Path) -> None:
    text = '"""A paper.\n\nAn idea.\n\nWhen to use it: with few\nimages.\n\nDeviation: none.\n"""\n1 / 0\n'
    assert plugin_advice(plugin_file(folder, text)) == "with few images."
    assert plugin_advice(plugin_file(folder, '"""A paper.\n\nAn idea.\n"""\n')) == ""


def test_a_plugin_that_is_missing_has_no_summary(folder: Path) -> None:
    assert plugin_summary(PluginEntry("x", None, folder / "absent.py", "")) == ""


def test_a_plugin_file_that_was_edited_is_loaded_anew(tmp_path: Path):
    file = tmp_path / "edited.py"
    entry = PluginEntry("edited", None, file, "--plugin edited.py")
    file.write_text("VALUE = 1\n")
    first = load_plugin(entry)
    assert load_plugin(entry) is first
    file.write_text("VALUE = 2\n")  # of the same size, within the same second
    assert load_plugin(entry).VALUE == 2


@pytest.mark.parametrize(
    ("line", "name"),
    [("from helper import SCALE", "helper"), ("import parts.one", "parts"), ("from . import helper", ".")],
)
def test_a_plugin_that_imports_its_neighbour_is_told_the_rule(folder: Path, line: str, name: str) -> None:
    (folder / "helper.py").write_text("SCALE = 1.0\n")
    (folder / "parts").mkdir()
    with pytest.raises(ZooError) as raised:
        load_plugin(plugin_file(folder, f"\n{line}\n"))
    told = str(raised.value)
    assert f"it imports '{name}' from beside it. A plugin is one file" in told
    assert "put that code into mine.py" in told
    assert told.endswith(f"({folder / 'mine.py'}:2)")


def test_a_module_that_is_nowhere_is_told_as_it_is(folder: Path) -> None:
    with pytest.raises(ZooError, match="No module named 'nowhere'"):
        load_plugin(plugin_file(folder, "import nowhere\n"))
