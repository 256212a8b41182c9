"""Gathers run directories into one JSON-ready dictionary: every run's scores, curves and cost, and statistics."""

import bisect
import math
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.base.files import read_json
from zoo.base.names import dataset_folder, short_name
from zoo.comparison.job import DIVERGED, DONE, JOB, SEED_OF_BEST, read_outcome
from zoo.comparison.statistics import collapsed, ranking
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.evaluation.protocol import check_comparable, protocol_differences
from zoo.health import word_of
from zoo.runs.directory import RunDirectory
from zoo.runs.finding import PATH_STARTS
from zoo.training.changing import CHANGES, described

FORMAT = 1
LOSSES = 100  # points of a run's loss curves that a report keeps, at most
MEANS = ("step", "images", "seconds")
TYPED = "--set"  # the source of recipe values from the command line, which are part of a run's label
UNFINISHED = ("waiting", "running", "stopped")


def comparison(
    paths: Sequence[Path],
    folder: Path,
    head: Mapping[str, Any],
) -> dict[str, Any]:
    """All data of a report on the runs in `paths`; `head` holds its title, benchmark, command and notes.

    Paths of pictures are relative to `folder`. Raises ZooError where scores of one name differ in their protocols.
    """
    records = {path: RunDirectory(path).record() for path in paths}
    cells = [cell_of(path, records[path], folder) for path in paths]
    called = dataset_names(cells, list(records.values()))
    head = with_names(head, called)
    scores = [
        (cell["dataset"], str(path), score)
        for path, cell in zip(paths, cells, strict=True)
        for evaluation in Evaluations.by(path).every
        for score in evaluation["scores"]
    ]
    for dataset in dict.fromkeys(cell["dataset"] for cell in cells):
        check_comparable([(whose, score) for on, whose, score in scores if on == dataset])
    columns = columns_of([score for _, _, score in scores])
    for cell in cells:
        cell["collapsed"] = has_collapsed(cell, columns)
    return {
        "format": FORMAT,
        **head,
        "made": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "scores": columns,
        "cells": cells,
        "recipes": recipes(cells, list(records.values())),
        "rankings": rankings(cells, columns),
        "protocols": protocols(scores),
        **hardware([record for record in records.values() if record], cells),
        "notes": [*head.get("notes", ()), *remarks(cells, [record for record in records.values() if record])],
    }


def protocols(scores: Sequence[tuple[str, str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The protocols of `(dataset, run, score)` by the score's name, with ` on <dataset>` where there are several."""
    several = len({dataset for dataset, _, _ in scores}) > 1
    return {
        f"{score['name']} on {dataset}" if several else score["name"]: score["protocol"]
        for dataset, _, score in reversed(scores)
    }


@dataclass(frozen=True)
class Evaluations:
    """The evaluations of a run that a comparison reports.

    `curve` are those during training, `last` is the last of them, and `best` is the best checkpoint's on other latents
    than those that chose it, with the same protocol. A run that was evaluated after training alone has its last
    evaluation as both.
    """

    curve: Sequence[Mapping[str, Any]]
    last: Mapping[str, Any] | None
    best: Mapping[str, Any] | None

    @classmethod
    def by(cls, path: Path) -> "Evaluations":
        """The evaluations of the run in a folder."""
        evaluations = EvaluationFile(path / EVALUATION).read()
        periodic = [each for each in evaluations if each["periodic"]]
        later = [each for each in evaluations if not each["periodic"]]
        if not periodic:
            only = later[-1] if later else None
            return cls((), only, only)
        fresh = [each for each in later if is_fresh(each, periodic[-1])]
        return cls(periodic, periodic[-1], fresh[-1] if fresh else None)

    @property
    def every(self) -> list[Mapping[str, Any]]:
        """All evaluations; the last one first, since its order of scores is that of the report."""
        return [each for each in (self.last, self.best, *self.curve) if each]


def is_fresh(evaluation: Mapping[str, Any], periodic: Mapping[str, Any]) -> bool:
    """Whether an evaluation has the same protocol as a periodic one, but for the seed of its latents."""
    ours, theirs = evaluation["scores"][0], periodic["scores"][0]
    return ours["protocol"]["seed"] == SEED_OF_BEST and not protocol_differences(ours["protocol"], theirs["protocol"])


def dataset_names(cells: Sequence[dict[str, Any]], records: Sequence[Mapping[str, Any] | None]) -> dict[str, str]:
    """Calls the datasets of cells as a report does: a path by its last name, with a hash where two have the same.

    Paths of one fingerprint are one dataset, which may have been moved. Returns the names by the cells' own.
    """
    data = {}  # what the cells' names stand for
    first: dict[str, str] = {}  # path by fingerprint
    for cell, record in zip(cells, records, strict=True):
        name, recorded = str(cell["dataset"]), (record or {}).get("dataset") or {}
        if name.startswith(PATH_STARTS):
            path = recorded.get("path") or str(Path(name).absolute())
            data[name] = first.setdefault(recorded.get("fingerprint") or path, path)
    every = list(dict.fromkeys(data.get(cell["dataset"], cell["dataset"]) for cell in cells))
    short = Counter(map(short_name, every))
    called = {}
    for cell in cells:
        name = data.get(cell["dataset"], cell["dataset"])
        called[cell["dataset"]] = short_name(name) if short[short_name(name)] == 1 else dataset_folder(name)
        cell["dataset"] = called[cell["dataset"]]
    return called


def with_names(head: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    """A report's head with its datasets called as in the cells."""
    benchmark = head.get("benchmark")
    if not benchmark:
        return dict(head)
    datasets = [called.get(each, each) for each in benchmark["datasets"]]
    return {**head, "benchmark": {**benchmark, "datasets": datasets}}


def columns_of(scores: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The scores' names in the order in which they were measured, with their better direction; the first decides."""
    better = {score["name"]: score["better"] for score in scores}
    return [{"name": name, "better": each, "decides": index == 0} for index, (name, each) in enumerate(better.items())]


def cell_of(path: Path, record: Mapping[str, Any] | None, folder: Path) -> dict[str, Any]:
    """The report's data of one run, begun or not."""
    directory = RunDirectory(path)
    job, outcome = read_json(path / JOB), read_outcome(path)
    metrics = directory.read_metrics()
    evaluations = Evaluations.by(path)
    settings = job["settings_of_label"] if job else [*typed_settings(record or {}), *other_beginnings(record or {})]
    stack = job["stack"] if job else (record or {}).get("stack", "?")
    picture = next(reversed(directory.pictures()), None)
    return {
        "label": job["label"] if job else ",".join([stack, *settings]),
        "stack": stack,
        "settings": settings,
        "dataset": job["dataset"] if job else (record or {})["dataset"]["name"],
        "seed": job["seed"] if job else (record or {})["seed"],
        "path": relative(path, folder),
        "state": state_of(directory, outcome),
        "reason": outcome["reason"] if outcome else "",
        "attempts": outcome["attempts"] if outcome else 0,
        "curve": curve(evaluations.curve, metrics),
        "losses": thinned(metrics, LOSSES),
        "best": scores_of(evaluations.best),
        "last": scores_of(evaluations.last),
        "health": word_of(metrics, EvaluationFile(path / EVALUATION).read()),
        "cost": cost(metrics, record or {}, outcome or {}),
        "machine": (outcome or {}).get("machine") or (record or {}).get("machine", ""),
        "picture": relative(picture, folder) if picture else None,
    }


def state_of(directory: RunDirectory, outcome: Mapping[str, Any] | None) -> str:
    """The state in outcome.json; without one done, stopped or waiting, by the files that exist."""
    if outcome:
        return str(outcome["state"])
    if (directory.path / JOB).exists():
        return "stopped" if directory.record_file.exists() else "waiting"
    return DONE if directory.generator.exists() else "stopped"


def scores_of(evaluation: Mapping[str, Any] | None) -> dict[str, Any]:
    """The scores of an evaluation by name, each with its step; {} for None."""
    if evaluation is None:
        return {}
    names = ("value", "deviation", "interval")
    return {
        score["name"]: {**{name: score[name] for name in names}, "step": evaluation["step"]}
        for score in evaluation["scores"]
    }


def curve(evaluations: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The scores of each evaluation by name, with its step, images and seconds."""
    return [
        {**moment(each["step"], metrics), "scores": {score["name"]: score["value"] for score in each["scores"]}}
        for each in evaluations
    ]


def moment(step: int, metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A step with its images and seconds, interpolated between the lines of metrics.jsonl around it."""
    at = bisect.bisect_left(metrics, step, key=lambda line: line["step"])
    before = metrics[at - 1] if at else {"step": 0, "images": 0, "seconds": 0.0}
    after = metrics[min(at, len(metrics) - 1)] if metrics else before
    span = after["step"] - before["step"]
    share = min(1.0, (step - before["step"]) / span) if span > 0 else 1.0
    found = {name: before[name] + share * (after[name] - before[name]) for name in ("images", "seconds")}
    return {"step": step, "images": round(found["images"]), "seconds": round(found["seconds"], 3)}


def thinned(metrics: Sequence[Mapping[str, Any]], count: int) -> list[dict[str, Any]]:
    """At most `count` of the lines, evenly spread, with losses, step, images and seconds."""
    every = max(1, -(-len(metrics) // count))
    names = (*MEANS, "discriminator_loss", "generator_loss")
    return [{name: shortened(line[name]) for name in names if name in line} for line in metrics[every - 1 :: every]]


def shortened(value: float) -> float | None:
    """A float rounded to five significant digits, None where it is not finite; an int as it is."""
    if isinstance(value, int):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None


def cost(metrics: Sequence[Mapping[str, Any]], record: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """A run's steps, images, seconds of training, peak memory in bytes, and parameter counts."""
    last = metrics[-1] if metrics else {"step": 0, "images": 0, "seconds": 0.0}
    parameters = record.get("parameters", {})
    return {
        "steps": last["step"],
        "images": last["images"],
        "seconds": last["seconds"],
        "images_per_second": last["images"] / last["seconds"] if last["seconds"] else None,
        "peak_memory": outcome.get("peak_memory"),
        "peak_device_memory": outcome.get("peak_device_memory"),
        "generator_parameters": parameters.get("generator"),
        "discriminator_parameters": parameters.get("discriminator"),
    }


def has_collapsed(cell: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the deciding score collapsed from its best to its last value during training (see `collapsed`)."""
    if not columns:
        return False
    name, better = columns[0]["name"], columns[0]["better"]
    values = [point["scores"][name] for point in cell["curve"] if name in point["scores"]]
    if not values or name not in cell["last"]:
        return False
    best = max(values) if better == "higher" else min(values)
    return bool(collapsed(best, values[-1], better, noise=cell["last"][name]["deviation"] or 0.0))


def rankings(
    cells: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Rankings by dataset, score (with a better direction) and checkpoint, which is `best` or `last`."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for dataset in dict.fromkeys(cell["dataset"] for cell in cells):
        here = [cell for cell in cells if cell["dataset"] == dataset and cell["state"] not in UNFINISHED]
        found[dataset] = {
            column["name"]: {which: ranked(here, column, which) for which in ("best", "last")}
            for column in columns
            if here and column["better"] in ("lower", "higher")
        }
    return found


def ranked(cells: Sequence[Mapping[str, Any]], column: Mapping[str, Any], which: str) -> dict[str, Any]:
    """The ranking of the variants by one score, JSON-ready; a run that ended without that score counts as worst."""
    groups: dict[str, list[float | None]] = {}
    for cell in cells:
        score = cell[which].get(column["name"]) if cell["state"] == DONE else None
        groups.setdefault(cell["label"], []).append(score["value"] if score else None)
    result = ranking(groups, column["better"])
    differences = [{**asdict(each), "sentence": each.sentence} for each in result.differences]
    return {**asdict(result), "differences": differences, "sentence": result.sentence}


def recipes(
    cells: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any] | None]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Recipe values with their sources, by variant, dataset and field."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for cell, record in zip(cells, records, strict=True):
        if record:
            sources = record["recipe_sources"]
            recipe = {name: {"value": value, "source": sources[name]} for name, value in record["recipe"].items()}
            found.setdefault(cell["label"], {})[cell["dataset"]] = recipe
    return found


def hardware(records: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Versions, machines and engines (backend, devices, policy) of the runs."""
    engines = {str(record["engine"]): record["engine"] for record in records}
    return {
        "versions": records[0]["versions"] if records else {},
        "machines": sorted({cell["machine"] for cell in cells if cell["machine"]}),
        "engines": list(engines.values()),
    }


def remarks(cells: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Caveats in words: unfinished, diverged and failed runs, and runs of different versions or machines."""
    found = []
    if unfinished := [cell for cell in cells if cell["state"] in UNFINISHED]:
        found.append(
            f"{len(unfinished)} of {len(cells)} runs have not come to their end and are left out of statistics."
        )
    for state in (DIVERGED, "failed"):
        if ended := [cell for cell in cells if cell["state"] == state]:
            found.append(f"{len(ended)} of {len(cells)} runs {state}; they rank below every run that was finished.")
    if len({str(record["versions"]) for record in records}) > 1:
        found.append("The runs were trained with different versions of libraries; the first run's are shown.")
    if len({cell["machine"] for cell in cells if cell["machine"]}) > 1:
        found.append("The runs were trained on different machines: their times do not compare.")
    return found


def typed_settings(record: Mapping[str, Any]) -> list[str]:
    """The recipe values that were given with --set, as `key=value`."""
    sources = record.get("recipe_sources", {})
    return [f"{name}={as_typed(value)}" for name, value in record.get("recipe", {}).items() if sources[name] == TYPED]


def other_beginnings(record: Mapping[str, Any]) -> list[str]:
    """What a run's stack and settings do not say: another run's weights, and values that changed on its way."""
    origin = record.get("origin")
    began = [f"from {origin['stack']} on {origin['dataset']} at step {origin['step']}"] if origin else []
    return [*began, *described(record.get(CHANGES, []))]


def as_typed(value: Any) -> str:
    """A recipe value as the command line takes it: `64,64` for a list."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def relative(path: Path, folder: Path) -> str:
    """The path relative to a folder, with forward slashes."""
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
