"""All sources of the catalogue, merged: shipped, installed, the working directory's and single plugin files."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import zoo
from zoo.catalogue.checks import NAME, NAME_RULE
from zoo.catalogue.entries import Catalogue, PluginEntry
from zoo.catalogue.installed import installed_plugins
from zoo.catalogue.merging import merged
from zoo.catalogue.plugins import find_plugin_source
from zoo.catalogue.registry import SECTIONS, Registry, read_registry
from zoo.catalogue.strict_yaml import Document, parse_document, read_document
from zoo.errors import ZooError, ZooWarning, nearest_name

REGISTRY = "registry.yaml"


def read_catalogue(plugin_files: Sequence[Path] = (), directory: Path | None = None) -> Catalogue:
    """Everything that can be named, from all sources; raises one ZooError with every mistake in any registry.yaml.

    `directory` is the working directory unless given; a third-party plugin that is not to be found costs a ZooWarning.
    """
    shipped = shipped_registry()
    registries = [_registry(shipped, REGISTRY)]
    own = (directory or Path.cwd()) / REGISTRY
    if own.is_file() and not own.samefile(shipped):
        registries += _own_registry(own, f"./{REGISTRY}" if directory is None else str(own))
    outside = installed_plugins()
    files = [_plugin_file(Path(path)) for path in plugin_files]
    catalogue = merged(registries, [*outside, *files])
    own_code = [each for registry in registries[1:] for each in (*registry.plugins, *registry.extensions)]
    _warn_of_missing([*outside, *own_code])
    return catalogue


def shipped_registry() -> Path:
    """The registry.yaml inside the installed package, or at the top of the source tree."""
    package = Path(zoo.__file__).resolve().parent
    for path in (package / REGISTRY, package.parent / REGISTRY):
        if path.is_file():
            return path
    raise ZooError(f"The installation of gan-zoo has no {REGISTRY}. Install it again.")


def _registry(path: Path, label: str) -> Registry:
    return read_registry(read_document(path, label), path.resolve().parent)


def _own_registry(path: Path, label: str) -> list[Registry]:
    """The working directory's registry; none, with a warning, where the file is another program's."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        reason = f"it can't be read ({error.strerror})"
    else:
        if is_of_zoo(parse_document(text, label), text):
            return [_registry(path, label)]
        reason = f"it has none of the sections {', '.join(SECTIONS)}"
    warnings.warn(f"{label} is not the zoo's and is passed over: {reason}.", ZooWarning, stacklevel=4)
    return []


def is_of_zoo(document: Document, text: str) -> bool:
    """Whether a registry.yaml means the zoo: by a section's name, a misspelt one too, or since it is empty."""
    if document.errors:
        return any(line.partition(":")[0].rstrip() in SECTIONS for line in text.splitlines())
    names = document.data if isinstance(document.data, dict) else {}
    return document.data is None or any(nearest_name(name, SECTIONS) for name in names)


def _plugin_file(path: Path) -> PluginEntry:
    """The plugin named as the file that `--plugin` gave."""
    if not path.is_file() or path.suffix != ".py":
        problem = "is no Python file (.py)" if path.exists() else "does not exist"
        raise ZooError(f"--plugin {path}: the file {problem}.{_nearest_file(path)}")
    if not NAME.match(path.stem):
        raise ZooError(f"--plugin {path}: the file's name becomes the plugin's, and {NAME_RULE}.")
    return PluginEntry(path.stem, None, path.resolve(), f"--plugin {path}")


def _nearest_file(path: Path) -> str:
    stems = [each.stem for each in path.parent.glob("*.py") if each.is_file()]
    nearest = nearest_name(path.stem, stems)
    return f" Did you mean '{path.parent / nearest}.py'?" if nearest else ""


def _warn_of_missing(plugins: Iterable[PluginEntry]) -> None:
    for plugin in plugins:
        if find_plugin_source(plugin) is None:
            what = f"file {plugin.file}" if plugin.file else f"module {plugin.module}"
            warnings.warn(
                f"Plugin '{plugin.name}' ({plugin.source}): {what} is not to be found.", ZooWarning, stacklevel=3
            )
