"""A run's run.yaml as the arguments that repeat it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.backend.options import EngineOptions
from zoo.base.plain_data import plain
from zoo.catalogue import read_catalogue
from zoo.errors import ZooError
from zoo.recipe import as_text
from zoo.runs.directory import RECORD, RunDirectory
from zoo.runs.trust import check_trusted
from zoo.training.changing import CHANGES
from zoo.training.data_of_run import DataOfRun
from zoo.training.run_yaml import PLUGIN_COPIES, data_options, recorded_plugin


def arguments_of(config: Path, data_dir: Path | None = None) -> dict[str, Any]:
    """The arguments of `zoo.run` that began the run of a run.yaml, or of the folder that holds one.

    `budget` is by its unit; `changes` are the values that it changed later, each list with its step. Raises ZooError
    for what is no run.yaml.
    """
    folder = config if config.is_dir() else config.parent
    directory = RunDirectory(folder)
    if config not in (folder, directory.record_file):
        raise ZooError(f"--config takes a run.yaml or the folder of a run; received {config}.")
    record = directory.record()
    if record is None:
        raise ZooError(f"No {RECORD} in {folder}: --config takes a run.yaml or the folder of a run.")
    plugins = plugin_files(record, folder)
    catalogue = read_catalogue(plugins)
    name = DataOfRun(record["dataset"], folder, catalogue, data_dir).name
    changes = record.get(CHANGES, [])
    engine = record["engine"]
    return {
        "stack": record["stack"],
        "dataset": name,
        "data": data_options(record["dataset"], name, catalogue, record["dataset"]["split"]),
        "seed": record["seed"],
        "settings": settings_of(record, name, plugins),
        "plugins": plugins,
        "engine": EngineOptions(engine["backend"], record["precision"], max(1, len(engine.get("devices", [0])))),
        "origin": record["origin"]["run"] if "origin" in record else None,
        "budget": budget_of(directory),
        "changes": [
            (change["step"], [f"{field}={as_text(each['to'])}" for field, each in change["recipe"].items()])
            for change in changes
        ],
    }


def plugin_files(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """The files of the plugins that the run had from files."""
    files = [folder / PLUGIN_COPIES / f"{each['name']}.py" for each in record["plugins"] if "sha256" in each]
    for each in files:
        if not each.is_file():
            raise ZooError(f"The plugin '{each.stem}' of this run is not there: {each}. Keep run.yaml with its folder.")
    check_trusted(folder, [recorded_plugin(each, folder) for each in record["plugins"]])
    return files


def settings_of(record: Mapping[str, Any], dataset: str, plugins: list[Path]) -> list[str]:
    """The recipe values that the run began with and that its stack has not by itself today, as `key=value`."""
    from zoo import backend

    backend.choose(record["engine"]["backend"])
    backend.prepare()
    from zoo.stacks.resolving import resolve_stack

    today = resolve_stack(record["stack"], read_catalogue(plugins), dataset).recipe
    began = dict(record["recipe"])
    for change in reversed(record.get(CHANGES, [])):
        began |= {name: each["from"] for name, each in change["recipe"].items()}
    typed = [name for name, source in record["recipe_sources"].items() if source == "--set"]
    differing = [name for name, value in began.items() if plain(getattr(today, name, None)) != value]
    return [f"{name}={as_text(began[name])}" for name in dict.fromkeys([*typed, *differing])]


def budget_of(directory: RunDirectory) -> dict[str, float]:
    """The total that the run was trained to, by its unit."""
    try:
        goal = json.loads(directory.goal_file.read_text(encoding="utf-8"))
        if goal["steps"] is not None:
            return {"steps": goal["steps"]}
        return {"minutes": goal["seconds"] / 60}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
