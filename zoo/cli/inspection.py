"""The data that `zoo list`, `zoo show` and `zoo doctor` print, JSON-ready."""

import importlib.util
import platform
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.backend.versions import installed_versions
from zoo.catalogue import (
    BenchmarkEntry,
    Catalogue,
    DatasetEntry,
    ExtensionEntry,
    find_plugin_source,
    load_every_plugin,
    parse_stack,
    plugin_advice,
    plugin_summary,
    read_catalogue,
)
from zoo.catalogue.families import facts_of, family_of_variant, year_of_variant
from zoo.data import data_directory, prepared_sets
from zoo.data.options import DataOptions
from zoo.data.prepared.finding import is_of
from zoo.errors import ZooError, ZooWarning
from zoo.extensions.loading import load_extension
from zoo.runs.pretrained import pretrained_rows


def listing(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """Everything that can be named, with what is known of it without importing it."""
    found = {name: find_plugin_source(each) is not None for name, each in catalogue.plugins.items()}
    facts = {name: facts_of(each) for name, each in catalogue.plugins.items()}
    return {
        "variants": [
            {
                "name": each.name,
                "family": family_of_variant(each, facts),
                "year": year_of_variant(each, facts),
                "plugins": list(each.plugins),
                "summary": each.summary,
                "source": each.source,
            }
            for each in catalogue.variants.values()
        ],
        "plugins": [
            {
                "name": name,
                "family": facts[name].family,
                "year": facts[name].year,
                "summary": facts[name].summary if found[name] else "NOT FOUND",
                "source": each.source,
                "found": found[name],
            }
            for name, each in catalogue.plugins.items()
        ],
        "datasets": rows(catalogue.datasets),
        **{kind: rows(entries) for kind, entries in catalogue.extensions.items()},
        "benchmarks": rows(catalogue.benchmarks),
        "pretrained": pretrained_rows(),
    }


def rows(entries: Mapping[str, DatasetEntry | ExtensionEntry | BenchmarkEntry]) -> list[dict[str, Any]]:
    """Name, summary and source of each entry."""
    return [{"name": each.name, "summary": summary(each), "source": each.source} for each in entries.values()]


def summary(entry: DatasetEntry | ExtensionEntry | BenchmarkEntry) -> str:
    """An entry's summary, and for an extension without one the first line of its module."""
    return entry.summary or (plugin_summary(entry) if isinstance(entry, ExtensionEntry) else "")


def plugin_problems(catalogue: Catalogue) -> list[str]:
    """Imports every plugin and extension, and checks every variant's recipe; one sentence for each problem."""
    from zoo.backend import prepare

    prepare()
    from zoo.stacks.resolving import override_problems

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ZooWarning)
        load_every_plugin(catalogue)
    warned = [str(each.message) for each in caught if issubclass(each.category, ZooWarning)]
    return list(dict.fromkeys([*warned, *override_problems(catalogue), *extension_problems(catalogue)]))


def extension_problems(catalogue: Catalogue) -> list[str]:
    """Imports every extension's module and checks its hook, without calling it; one sentence for each that fails."""
    problems = []
    for kind, entries in catalogue.extensions.items():
        for entry in entries.values():
            try:
                load_extension(kind, entry)
            except ZooError as error:
                problems.append(str(error))
    return problems


def stack_description(
    text: str,
    catalogue: Catalogue,
    dataset: str,
    data_dir: Path | None,
    options: DataOptions,
    settings: Sequence[str],
) -> dict[str, Any]:
    """A stack's papers, recipe with the source of each value, shapes and parameter counts on a dataset."""
    from zoo import backend
    from zoo.data.opening import expected_fields

    parse_stack(text, catalogue)  # an unknown name is an error before the dataset is searched
    fields = expected_fields(dataset, catalogue, data_dir=data_dir, options=options)
    backend.prepare()
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.players import build_players, parameters

    stack = resolve_stack(text, catalogue, dataset, settings)
    with backend.fixed():
        players = build_players(stack, fields, seed=0, engine=backend.engine())
    return {
        "stack": stack.name,
        "plugins": [
            {"name": name, "summary": plugin_summary(entry), "when_to_use": plugin_advice(entry)}
            for name, entry in ((name, catalogue.plugins[name]) for name in stack.plugins)
        ],
        "formulas": formulas(stack),
        "recipe": {
            name: {"value": getattr(stack.recipe, name), "source": source}
            for name, source in stack.recipe_sources.items()
        },
        "dataset": dataset,
        "sample_shape": list(fields["samples"].shape),
        "models": {
            role: {
                "input": shapes(model.input),
                "output": shapes(model.output),
                "parameters": (counts := parameters(model))["trained"],
                "parameters_not_trained": counts["others"],
            }
            for role, model in (("generator", players.generator), ("discriminator", players.discriminator))
        },
    }


def formulas(stack: Any) -> list[dict[str, str]]:
    """What each of the stack's formulas says of itself in its first lines, the plugin's name beside it."""
    from zoo.stacks.stack import CORE, FORMULAS

    rows = []
    for hook in FORMULAS:
        answers = [each for each in stack.implementations(hook) if each.plugin_name != CORE]
        counting = answers[-1:] if hook.endswith("loss") else answers  # of losses the highest plugin's alone
        for each in [*counting, *stack.implementations(hook, wrappers=True)]:
            text = (each.function.__doc__ or "").strip().partition("\n\n")[0]
            rows.append({"hook": hook, "plugin": each.plugin_name, "text": " ".join(text.split())})
    return rows


def shapes(tensors: Any) -> Any:
    """The shape of a tensor, or of each in a dict or list, without the batch axis."""
    if isinstance(tensors, dict):
        return {name: shapes(each) for name, each in tensors.items()}
    if isinstance(tensors, list | tuple):
        return [shapes(each) for each in tensors]
    return list(tensors.shape[1:])


def health(data_dir: Path | None) -> dict[str, Any]:
    """Versions, devices, prepared data, free disk, and every problem found."""
    catalogue = read_catalogue()
    report: dict[str, Any] = {
        "versions": {"python": platform.python_version(), **installed_versions()},
        "data_directory": str(data_directory(data_dir)),
        "prepared": [
            {"name": each.meta["name"], "description": each.summary, "bytes": each.bytes}
            for each in prepared_sets(data_dir)
        ],
        "not_prepared": not_prepared(catalogue, data_dir),
        "free_bytes": free_bytes(data_directory(data_dir)),
        "backend": "none",
        "devices": [],
        "policies": [],
        "numbers": {},
        "settings": {},
        "problems": [],
    }
    from zoo import backend
    from zoo.backend import settings
    from zoo.backend.policy import table as policy_table

    try:
        report["backend"] = backend.check_installed()
        report["problems"] = plugin_problems(catalogue)
        engine = backend.engine()
        report["devices"] = engine.device_names()
        report["policies"] = policy_table()
        report["numbers"] = settings.recorded(engine.kind)
        report["settings"] = settings.differing()
        report["problems"] += backend.advice(engine.kind)
        with backend.fixed():
            pass  # raises where a setting can't be fixed
    except ZooError as error:  # the rest of the report needs no backend
        report["problems"].append(str(error))
    if importlib.util.find_spec("importlib_resources") is None:
        report["problems"].append(
            "importlib_resources is missing, without which TFDS prepares nothing: pip install it."
        )
    return report


def not_prepared(catalogue: Catalogue, data_dir: Path | None) -> list[str]:
    """The names of the catalogue's datasets that are not prepared yet."""
    prepared = prepared_sets(data_dir)
    return [
        entry.name for entry in catalogue.datasets.values() if not any(is_of(entry, each.meta) for each in prepared)
    ]


def free_bytes(path: Path) -> int:
    """Free space on the disk of a folder, or of the nearest folder above it that exists."""
    existing = next(each for each in (path, *path.parents) if each.exists())
    return shutil.disk_usage(existing).free
