"""From a plugin's entry to its file, its summary and its module."""

import ast
import importlib
import importlib.machinery
import importlib.util
import sys
import traceback
import warnings
from pathlib import Path
from types import ModuleType

from zoo.catalogue.entries import Catalogue, PluginEntry
from zoo.errors import ZooError, ZooWarning

ADVICE = "When to use it:"  # begins a paragraph of a plugin's docstring
SOURCE = "__zoo_source__"  # what a plugin file held when it was loaded


def find_plugin_source(entry: PluginEntry) -> Path | None:
    """The plugin's file, found without executing any of its package, or None where there is none."""
    if entry.file:
        return entry.file if entry.file.is_file() else None
    package, *rest = (entry.module or "").split(".")
    spec = _top_level_spec(package)
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.has_location else None
    stems = [Path(folder, *rest) for folder in spec.submodule_search_locations or ()]
    suffixes = importlib.machinery.all_suffixes()
    candidates = [stem.with_name(stem.name + suffix) for stem in stems for suffix in suffixes]
    candidates += [stem / f"__init__{suffix}" for stem in stems for suffix in suffixes]
    return next((path for path in candidates if path.is_file()), None)


def plugin_summary(entry: PluginEntry) -> str:
    """The first line of the plugin's docstring, which is its paper and link; empty where it cannot be read."""
    return (ast.get_docstring(parsed_source(entry)) or "").partition("\n")[0]


def plugin_advice(entry: PluginEntry) -> str:
    """When to use the plugin: what its docstring says in a paragraph that begins so; empty where it says nothing."""
    paragraphs = (ast.get_docstring(parsed_source(entry)) or "").split("\n\n")
    found = (each.removeprefix(ADVICE) for each in paragraphs if each.startswith(ADVICE))
    return " ".join(next(found, "").split())


def parsed_source(entry: PluginEntry) -> ast.Module:
    """The syntax tree of the plugin's file; an empty one where it cannot be read or parsed."""
    path = find_plugin_source(entry)
    try:
        return ast.parse(path.read_bytes()) if path and path.suffix == ".py" else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):  # a file that cannot be parsed is reported when it is loaded
        return ast.Module([], [])


def load_plugin(entry: PluginEntry) -> ModuleType:
    """The plugin's module, imported once however often it is asked for; ZooError where importing fails."""
    try:
        return _load_file(entry.file) if entry.file else importlib.import_module(entry.module or "")
    except (Exception, SystemExit) as error:  # a plugin may fail in any way, and must not end the program
        raise ZooError(
            f"Plugin '{entry.name}' ({entry.source}) cannot be loaded: {described_error(error, entry)}"
        ) from error


def load_every_plugin(catalogue: Catalogue) -> dict[str, ModuleType]:
    """The modules of all plugins that load, by name; each one that does not costs one ZooWarning that names it."""
    modules = {}
    for name, entry in catalogue.plugins.items():
        try:
            modules[name] = load_plugin(entry)
        except ZooError as error:
            warnings.warn(str(error), ZooWarning, stacklevel=2)
    return modules


def _top_level_spec(name: str) -> importlib.machinery.ModuleSpec | None:
    """As importlib.util.find_spec, but of a top-level name only, whose search executes nothing."""
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # ValueError: the name is empty, or a module that was imported without a spec
        return None


def _load_file(path: Path) -> ModuleType:
    name = f"zoo_plugin_{path.stem}"
    source = path.read_bytes()
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(path) and vars(loaded)[SOURCE] == source:
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"'{path.name}' is no Python file")
    module = importlib.util.module_from_spec(spec)
    setattr(module, SOURCE, source)  # a notebook may load the file again after it was edited
    sys.modules[name] = module  # before it runs, as import does: dataclasses look their module up
    try:
        exec(compile(source, path, "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def imported_neighbour(error: BaseException, file: Path) -> str | None:
    """The module or file beside a plugin's file that it could not import, if that is what went wrong."""
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "."
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    top = error.name.partition(".")[0]
    return top if any((file.parent / each).exists() for each in (f"{top}.py", top)) else None


def described_error(error: BaseException, entry: PluginEntry) -> str:
    """`ImportError: No module named 'x' (my_plugin.py:3)`, with the last line of the plugin's own file that ran."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    source = find_plugin_source(entry)
    if entry.file and (neighbour := imported_neighbour(error, entry.file)):
        text = (
            f"it imports '{neighbour}' from beside it. A plugin is one file, of which every run keeps a copy that must "
            f"load alone: put that code into {entry.file.name}, or install both as a package with an entry point"
        )
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if source and Path(frame.filename).resolve() == source.resolve()]
    return f"{text} ({source}:{lines[-1]})" if lines else text
