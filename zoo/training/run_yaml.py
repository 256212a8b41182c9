"""run.yaml: what made a run, and from it back to the run's plugins."""

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.backend.settings import recorded as recorded_settings
from zoo.backend.versions import installed_versions
from zoo.base.files import file_hash
from zoo.base.plain_data import plain
from zoo.catalogue import Catalogue, PluginEntry
from zoo.catalogue.registry import FILES
from zoo.data.dataset import LABELS_FROM
from zoo.runs.directory import RECORD, RunDirectory

if TYPE_CHECKING:
    from zoo.data import DataOptions, Dataset
    from zoo.stacks.stack import Stack
    from zoo.training.trainer import Trainer

PLUGIN_COPIES = "plugins"  # the folder of a run for its own plugin files


def describe(
    stack: "Stack", catalogue: Catalogue, data: "Dataset", trainer: "Trainer", directory: RunDirectory
) -> dict[str, Any]:
    """run.yaml: what identifies the run first, then the versions and the machine that began it."""
    from zoo.training.players import parameters

    recipe = {name: getattr(stack.recipe, name) for name in stack.recipe_sources}
    players = trainer.players
    models = {"generator": players.generator, "discriminator": players.discriminator, **players.models}
    counts = {name: parameters(model) for name, model in models.items()}
    found: dict[str, Any] = plain(
        {
            "stack": stack.name,
            "plugins": [describe_plugin(catalogue.plugins[name]) for name in stack.plugins],
            "dataset": {
                "name": data.name,
                **data_places(data.name, catalogue, directory),
                "split": data.split,
                "count": data.count,
                "sample_shape": data.sample_shape,
                "classes": data.classes,
                "scale": data.scale,
                "fingerprint": data.fingerprint,
                "description": {name: each for name, each in data.description.items() if name != LABELS_FROM},
            },
            "fields": {name: each.record() for name, each in data.fields.items()},
            "seed": trainer.seed,
            "precision": trainer.engine.precision,
            "recipe": recipe,
            "recipe_sources": dict(stack.recipe_sources),
            "began": time.strftime("%Y-%m-%d %H:%M:%S %z"),
            "versions": {"python": platform.python_version(), **installed_versions()},
            "parameters": {name: each["trained"] for name, each in counts.items()},
            "parameters_not_trained": {name: each["others"] for name, each in counts.items() if each["others"]},
            "inputs": list(trainer.players.generating.given),
            "frozen_networks": trainer.players.hashes(),
            "engine": describe_engine(trainer),
            "machine": f"{platform.system()} {platform.machine()}",
        },
        RECORD,
    )
    return found


def data_places(dataset: str, catalogue: Catalogue, directory: RunDirectory) -> dict[str, str]:
    """Where a user's own files lie: the absolute path, and the one from the run directory; {} for other data."""
    from zoo.data.opening import entry_of

    path = entry_of(dataset, catalogue).path
    if path is None:
        return {}
    try:
        relative = os.path.relpath(path, directory.path.resolve())
    except ValueError:  # another drive of Windows
        return {"path": str(path)}
    return {"path": str(path), "path_from_run": relative}


def data_options(record: Mapping[str, Any], name: str, catalogue: Catalogue, split: str) -> "DataOptions":
    """The options by which a run's dataset was read (`record` is run.yaml's `dataset`), for another of its splits.

    `name` is what the dataset is opened by today.
    """
    from zoo.data.opening import entry_of
    from zoo.data.options import CHANNELS, READING, SQUARE, WITHOUT_LABELS, DataOptions

    kind = entry_of(name, catalogue).kind
    if kind == "points":
        return DataOptions(split)
    description = record["description"]
    look = {name: description.get(name) for name in ("crop", "image_size", "channels", *READING)}
    if look["channels"] not in CHANNELS:  # the data's own, which nobody can ask for
        look["channels"] = None
    if kind == FILES and "reading" not in description:  # from before large crops had to be asked for
        look["crop"] = look["crop"] or SQUARE
    if kind not in ("embedded", "stacked"):
        look["label"] = description.get("label") or WITHOUT_LABELS
    return DataOptions(split, **look)


def describe_engine(trainer: "Trainer") -> dict[str, Any]:
    """On what the run trains and how its step is compiled: other bits, the same mathematics."""
    engine = trainer.engine
    return {
        "backend": engine.name,
        "devices": engine.device_names(),
        "processes": engine.processes.count,
        "deterministic": engine.deterministic or engine.kind == "cpu",
        "policy": trainer.policy.summary,
        **recorded_settings(engine.kind),
    }


def describe_plugin(entry: PluginEntry) -> dict[str, Any]:
    """What identifies a plugin: its module, or the hash of its file."""
    if entry.file is None:
        return {"name": entry.name, "module": entry.module}
    return {"name": entry.name, "sha256": file_hash(entry.file)}


def copy_plugin_files(stack: "Stack", catalogue: Catalogue, directory: RunDirectory) -> None:
    """Keep the stack's plugin files with the run, which can then be opened without them."""
    files = {name: catalogue.plugins[name].file for name in stack.plugins}
    for name, file in files.items():
        if file is not None:
            folder = directory.path / PLUGIN_COPIES
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.py").write_bytes(file.read_bytes())


def recorded_plugin(record: Mapping[str, Any], run: Path) -> PluginEntry:
    """Where a plugin of a recorded run is to be found: the run's own copy of a file, else what is installed."""
    name = record["name"]
    if "sha256" in record:
        return PluginEntry(name, None, (run / PLUGIN_COPIES / f"{name}.py").absolute(), "run directory")
    return PluginEntry(name, record["module"], None, "run.yaml")


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """`keras 3.15.1 is 3.16.0 now`, for each version, and each property of the engine, that a run began without.

    A property that an earlier zoo did not record is nothing to compare with.
    """
    found = []
    for key in ("versions", "engine"):
        names = dict.fromkeys([*before[key], *(now[key] if key == "versions" else ())])
        pairs = {name: (before[key].get(name, "missing"), now[key].get(name, "missing")) for name in names}
        found += [f"{name} {began} is {is_now} now" for name, (began, is_now) in pairs.items() if began != is_now]
    return found
