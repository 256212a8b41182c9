"""From a registry.yaml's plain data to entries; every mistake is kept with its line, and none stops the reading."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.catalogue.checks import MODULE, MODULE_RULE, Types, check_name, checked_mapping, type_name
from zoo.catalogue.entries import (
    HOOKS,
    BenchmarkEntry,
    DatasetEntry,
    ExtensionEntry,
    PluginEntry,
    VariantEntry,
)
from zoo.catalogue.strict_yaml import Document, Keys

SECTIONS = dict.fromkeys(("plugins", "variants", "datasets", *HOOKS, "benchmarks"), dict)
PLUGIN = {"module": str, "file": str}
EXTENSION = {**PLUGIN, "summary": str}
VARIANT = {"plugins": list, "summary": str, "recipe": dict, "datasets": dict, "suggested_for": list}
FILES = "files"  # the source of a path
ORIGINS = {  # with an example of each; `reference` is what a dataset is called at the `source` that is named beside it
    "tfds": "builder_name",
    "points": "set_name",
    "embedded": "set_name",
    "stacked": "mnist",
    "path": "./faces",
    "reference": "name_at_its_source",
}
TEXTS = ("summary", "license", "extractor", "label_key", "train", "test", "source")
DATASET: dict[str, Types] = {**dict.fromkeys((*ORIGINS, *TEXTS), str), "epochs": int}
IMAGES: dict[str, Types] = {
    **{"image_key": str, "crop": (int, str), "image_size": int, "channels": int, "source_size": int},
    **dict.fromkeys(("layout", "values", "folders", "source_from", "source_order"), str),
}
BUDGETS = ("images", "epochs", "steps", "minutes")
COUNTS = ("seeds", "evaluations", "samples")
NAME_LISTS = ("datasets", "variants", "metrics")
BENCHMARK: dict[str, Types] = {
    **dict.fromkeys((*BUDGETS, *COUNTS), int),
    **dict.fromkeys(NAME_LISTS, list),
    "until": (int, float),
    "extractor": str,
    "recipe": dict,
    "summary": str,
}
PIXELS = ("crop", "image_size", "source_size")
CROPS = ("square", "none")
CHANNELS = (1, 3, 4)


@dataclass
class Registry:
    """What one registry.yaml holds, and where each of its recipe overrides stands."""

    document: Document
    plugins: list[PluginEntry] = field(default_factory=list)
    variants: list[VariantEntry] = field(default_factory=list)
    datasets: list[DatasetEntry] = field(default_factory=list)
    extensions: list[ExtensionEntry] = field(default_factory=list)
    benchmarks: list[BenchmarkEntry] = field(default_factory=list)
    locations: dict[tuple[str, str | None, str], str] = field(default_factory=dict)


def read_registry(document: Document, folder: Path) -> Registry:
    """The entries of `document`; a plugin's `file` is relative to `folder`."""
    sections = checked_mapping(document, (), document.data, SECTIONS)
    registry = Registry(document)
    for name, value in _entries(document, "plugins", sections, PLUGIN):
        registry.plugins.append(_plugin(document, name, value, folder))
    for name, value in _entries(document, "variants", sections, VARIANT):
        registry.variants.append(_variant(document, name, value))
        registry.locations.update(_locations(document, registry.variants[-1]))
    for name, value in _entries(document, "datasets", sections, DATASET | IMAGES):
        registry.datasets.append(_dataset(document, name, value, folder))
    for kind in HOOKS:
        for name, value in _entries(document, kind, sections, EXTENSION):
            registry.extensions.append(_extension(document, kind, name, value, folder))
    for name, value in _entries(document, "benchmarks", sections, BENCHMARK):
        registry.benchmarks.append(_benchmark(document, name, value))
    return registry


def _entries(
    document: Document, section: str, sections: Mapping[str, Any], allowed: Mapping[str, Types]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in sections.get(section, {}).items():
        check_name(document, section, name)
        yield name, checked_mapping(document, (section, name), value, allowed)


def _plugin(document: Document, name: str, value: Mapping[str, Any], folder: Path) -> PluginEntry:
    keys: Keys = ("plugins", name)
    return PluginEntry(name, *_code(document, "plugin", keys, value, folder), document.place(keys))


def _extension(document: Document, kind: str, name: str, value: Mapping[str, Any], folder: Path) -> ExtensionEntry:
    keys: Keys = (kind, name)
    code = _code(document, HOOKS[kind], keys, value, folder)
    return ExtensionEntry(name, *code, document.place(keys), kind, value.get("summary", ""))


def _code(
    document: Document, kind: str, keys: Keys, value: Mapping[str, Any], folder: Path
) -> tuple[str | None, Path | None]:
    """The module or the file that an entry names; keeps an error where it names none, or both."""
    module, file = value.get("module"), value.get("file")
    if (module is None) == (file is None):
        document.error(keys, f"{kind} '{keys[-1]}' needs either 'module: package.module' or 'file: {kind}.py'.")
    if module is not None and not MODULE.match(module):
        document.error((*keys, "module"), f"'{module}' {MODULE_RULE}.")
    return module, None if file is None else (folder / file).resolve()


def _variant(document: Document, name: str, value: Mapping[str, Any]) -> VariantEntry:
    keys: Keys = ("variants", name)
    if not value.get("plugins"):
        message = f"variant '{name}' needs a list of at least one plugin, such as 'plugins: [my_gan]'."
        document.error((*keys, "plugins") if "plugins" in value else keys, message)
    datasets = value.get("datasets", {})
    return VariantEntry(
        name=name,
        plugins=_texts(document, (*keys, "plugins"), value.get("plugins", []), "a plugin's name"),
        recipe=_recipe(document, (*keys, "recipe"), value.get("recipe")),
        datasets={each: _recipe(document, (*keys, "datasets", each), datasets[each]) for each in datasets},
        summary=value.get("summary", ""),
        source=document.place(keys),
        suggested_for=_texts(document, (*keys, "suggested_for"), value.get("suggested_for", []), "a kind of data"),
    )


def _texts(document: Document, keys: Keys, names: list[Any], what: str) -> tuple[str, ...]:
    """The names in a list; an error for each that is no text."""
    for index, name in enumerate(names):
        if not isinstance(name, str):
            document.error((*keys, index), f"{what} must be text, but is {type_name(name)}.")
    return tuple(name for name in names if isinstance(name, str))


def _recipe(document: Document, keys: Keys, value: Any) -> dict[str, Any]:
    """Recipe overrides: plain values or lists of them; only its plugins know whether the stack has such fields."""
    if value is not None and not isinstance(value, dict):
        document.error(keys, f"'{keys[-1]}' must be a mapping of recipe fields to values, but is {type_name(value)}.")
        return {}
    recipe: dict[str, Any] = value or {}
    for name, each in recipe.items():
        items = each if isinstance(each, list) else [each]
        if any(isinstance(item, dict | list) for item in items):
            document.error((*keys, name), f"'{name}' must be text, a number, true, false or a list of those.")
    return recipe


def _locations(document: Document, variant: VariantEntry) -> Iterator[tuple[tuple[str, str | None, str], str]]:
    keys: Keys = ("variants", variant.name)
    for name in variant.recipe:
        yield (variant.name, None, name), document.place((*keys, "recipe", name))
    for dataset, recipe in variant.datasets.items():
        for name in recipe:
            yield (variant.name, dataset, name), document.place((*keys, "datasets", dataset, name))


def _dataset(document: Document, name: str, value: Mapping[str, Any], folder: Path) -> DatasetEntry:
    keys: Keys = ("datasets", name)
    given = [origin for origin in ORIGINS if origin in value]
    if len(given) != 1:
        ways = ", ".join(f"'{origin}: {example}'" for origin, example in ORIGINS.items())
        document.error(keys, f"dataset '{name}' needs exactly one of {ways}.")
    _check_values(document, keys, value)
    origin = given[0] if given else "tfds"
    named = value.get("source")
    if (origin == "reference") if named is None else (origin not in ("reference", "path")):
        document.error(keys, f"dataset '{name}': 'source: name' stands beside 'reference', which needs it, or 'path'.")
    others = {key: each for key, each in value.items() if key not in ORIGINS and key != "source"}
    reference, path = value.get(origin, name), None
    if origin == "path":
        path = (folder / Path(reference).expanduser()).absolute()
    kind = named or {"path": FILES}.get(origin, origin)
    return DatasetEntry(name, kind, str(path or reference), path, source=document.place(keys), **others)


def _check_values(document: Document, keys: Keys, value: Mapping[str, Any]) -> None:
    """Keeps an error for each number of a dataset that can't be."""
    if isinstance(value.get("crop"), str) and value["crop"] not in CROPS:
        message = f"'crop' must be a number of pixels, {' or '.join(CROPS)}, but is '{value['crop']}'."
        document.error((*keys, "crop"), message)
    for key in PIXELS:
        if not isinstance(value.get(key), str) and value.get(key, 1) < 1:
            document.error((*keys, key), f"'{key}' must be at least 1 pixel, but is {value[key]}.")
    if value.get("epochs", 1) < 1:
        document.error((*keys, "epochs"), f"'epochs' must be at least 1, but is {value['epochs']}.")
    if value.get("channels", 1) not in CHANNELS:
        document.error((*keys, "channels"), f"'channels' must be 1, 3 or 4, but is {value['channels']}.")
    for key in IMAGES:
        if key in value and "points" in value:
            document.error((*keys, key), f"'{key}' means nothing for a set of points. Remove it.")


def _benchmark(document: Document, name: str, value: Mapping[str, Any]) -> BenchmarkEntry:
    keys: Keys = ("benchmarks", name)
    if not value.get("datasets"):
        document.error(keys, f"benchmark '{name}' needs a list of at least one dataset, such as 'datasets: [mnist]'.")
    given = [budget for budget in BUDGETS if budget in value]
    if len(given) != 1:
        document.error(keys, f"benchmark '{name}' needs exactly one budget of {', '.join(BUDGETS)}.")
    for key in (*BUDGETS, *COUNTS):
        if value.get(key, 1) < 1:
            document.error((*keys, key), f"'{key}' must be at least 1, but is {value[key]}.")
    lists = {each: _texts(document, (*keys, each), value.get(each, []), f"an entry of '{each}'") for each in NAME_LISTS}
    recipe = _recipe(document, (*keys, "recipe"), value.get("recipe"))
    return BenchmarkEntry(name=name, source=document.place(keys), **{**value, **lists, "recipe": recipe})
