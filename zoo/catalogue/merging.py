"""Entries of several sources as one catalogue: names are unique, and every name that is referred to exists."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from zoo.catalogue.entries import (
    HOOKS,
    BenchmarkEntry,
    Catalogue,
    DatasetEntry,
    ExtensionEntry,
    PluginEntry,
    VariantEntry,
    match,
)
from zoo.catalogue.kinds import extensions_of
from zoo.catalogue.plugins import find_plugin_source
from zoo.catalogue.registry import Registry
from zoo.catalogue.strict_yaml import Document
from zoo.errors import ZooError, unknown

Entry = TypeVar("Entry", PluginEntry, VariantEntry, DatasetEntry, ExtensionEntry, BenchmarkEntry)


def merged(registries: Sequence[Registry], plugins: Sequence[PluginEntry]) -> Catalogue:
    """The catalogue of all registries and further plugins; raises one ZooError with every mistake in any of them.

    The first registry is the shipped one. Plugins of all others are extensions as well, where they answer such a hook.
    """
    catalogue, clashes = Catalogue(), list[str]()
    for registry in registries:
        _add(catalogue.plugins, registry.plugins, "Plugin", clashes)
        _add(catalogue.variants, registry.variants, "Variant", clashes)
        _add(catalogue.datasets, registry.datasets, "Dataset", clashes)
        shipped = registry is registries[0]
        _add_extensions(catalogue, [replace(each, shipped=shipped) for each in registry.extensions], clashes)
        _add(catalogue.benchmarks, registry.benchmarks, "Benchmark", clashes)
    _add(catalogue.plugins, plugins, "Plugin", clashes)
    for plugin in (*(each for registry in registries[1:] for each in registry.plugins), *plugins):
        _add_extensions(catalogue, extensions_of(plugin), clashes)
    for registry in registries:
        _check_references(registry, catalogue)
        catalogue.locations.update(registry.locations)
    messages = [message for registry in registries for message in registry.document.messages()] + clashes
    if messages:
        raise ZooError("\n".join(messages))
    for name, variant in catalogue.variants.items():
        catalogue.variants[name] = _with_registered_names(variant, catalogue)
    return catalogue


def _add(known: dict[str, Entry], entries: Iterable[Entry], kind: str, clashes: list[str]) -> None:
    for entry in entries:
        name = match(entry.name, known)
        if name is None:
            known[entry.name] = entry
        elif not _equal(known[name], entry):
            spelling = (
                "" if name == entry.name else f" (as '{name}' and '{entry.name}', where '-' and '_' are the same)"
            )
            places = f"in {known[name].source} and in {entry.source}"
            clashes.append(f"{kind} '{entry.name}' is defined twice{spelling}: {places}. Rename one of them.")


def _add_extensions(catalogue: Catalogue, entries: Iterable[ExtensionEntry], clashes: list[str]) -> None:
    for entry in entries:
        _add(catalogue.extensions[entry.kind], [entry], HOOKS[entry.kind].capitalize(), clashes)


def _equal(one: Entry, other: Entry) -> bool:
    if replace(one, source="") == replace(other, source=""):
        return True
    if isinstance(one, PluginEntry) and isinstance(other, PluginEntry) and one.name == other.name:
        source, other_source = find_plugin_source(one), find_plugin_source(other)
        return bool(source and other_source and source.samefile(other_source))
    return False


def _check_references(registry: Registry, catalogue: Catalogue) -> None:
    """Keeps an error for each name in a registry that refers to nothing."""
    for variant in registry.variants:
        _check_names(registry.document, variant, catalogue)
    for dataset in registry.datasets:
        _check_source(registry.document, dataset, catalogue)
    for benchmark in registry.benchmarks:
        _check_datasets(registry.document, benchmark, catalogue)


def _check_names(document: Document, variant: VariantEntry, catalogue: Catalogue) -> None:
    """Keeps an error for each plugin and dataset of `variant` that does not exist, and each repeated plugin."""
    seen = set()
    for index, name in enumerate(variant.plugins):
        plugin = match(name, catalogue.plugins)
        keys = ("variants", variant.name, "plugins", index)
        if plugin is None:
            document.error(keys, f"variant '{variant.name}': {unknown('plugin', name, catalogue.plugins)}")
        elif plugin in seen:
            document.error(keys, f"variant '{variant.name}' has the plugin '{plugin}' twice. Remove one of the two.")
        seen.add(plugin)
    for dataset in variant.datasets:
        if dataset not in catalogue.datasets:
            message = f"variant '{variant.name}': {unknown('dataset', dataset, catalogue.datasets)}"
            document.error(("variants", variant.name, "datasets", dataset), message)


def _check_source(document: Document, dataset: DatasetEntry, catalogue: Catalogue) -> None:
    """Keeps an error for a dataset whose `source` does not exist."""
    keys, sources = ("datasets", dataset.name, "source"), catalogue.extensions["sources"]
    if keys in document.lines and match(dataset.kind, sources) is None:
        document.error(keys, f"dataset '{dataset.name}': {unknown('source', dataset.kind, sources)}")


def _check_datasets(document: Document, benchmark: BenchmarkEntry, catalogue: Catalogue) -> None:
    """Keeps an error for each dataset of a benchmark that is neither in the catalogue nor a path or a name of TFDS."""
    for index, name in enumerate(benchmark.datasets):
        if match(name, catalogue.datasets) is None and "/" not in name:
            message = f"benchmark '{benchmark.name}': {unknown('dataset', name, catalogue.datasets)}"
            document.error(("benchmarks", benchmark.name, "datasets", index), message)


def _with_registered_names(variant: VariantEntry, catalogue: Catalogue) -> VariantEntry:
    return replace(variant, plugins=tuple(match(name, catalogue.plugins) or name for name in variant.plugins))
