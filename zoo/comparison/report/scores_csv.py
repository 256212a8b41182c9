"""scores.csv: a row for each run and score, for a spreadsheet or pandas."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from zoo.comparison.report.reading import Comparison, RunCell
from zoo.comparison.report.words import STAGES

OF_RUN = ("label", "dataset", "seed", "state", "collapsed", "health", "path")
OF_STAGE = ("value", "deviation", "low", "high", "step")
OF_COST = ("steps", "images", "seconds", "images_per_second", "peak_memory", "peak_device_memory")


def scores_csv(comparison: Comparison) -> str:
    """The content of scores.csv; runs that diverged or failed have rows too, with empty fields."""
    file = StringIO()
    stages = [f"{stage}_{name}" for stage in STAGES for name in OF_STAGE]
    columns = [*OF_RUN, "score", "better", "decides", *stages, *OF_COST, "reason"]
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for cell in comparison["cells"]:
        for score in comparison.get("scores") or [{"name": ""}]:
            writer.writerow(dict(row(cell, score)))
    return file.getvalue()


def row(cell: RunCell, score: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The (column, value) pairs of one score of one run."""
    yield from ((name, cell.get(name)) for name in OF_RUN)
    yield from (("score", score["name"]), ("better", score.get("better")), ("decides", score.get("decides")))
    for stage in STAGES:
        found = (cell.get(stage) or {}).get(score["name"]) or {}
        low, high = found.get("interval") or (None, None)
        values = {**found, "low": low, "high": high}
        yield from ((f"{stage}_{name}", values.get(name)) for name in OF_STAGE)
    cost = cell.get("cost") or {}
    yield from ((name, cost.get(name)) for name in OF_COST)
    yield "reason", " ".join(str(cell.get("reason") or "").split())
