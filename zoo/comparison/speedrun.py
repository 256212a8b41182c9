"""`zoo speedrun`: how long each stack trains until its score is good enough, over seeds.

The runs are those of a comparison whose benchmark has a target (`until`). Time is that of training from the first step
on, compilation included, as in metrics.jsonl: scoring, pictures and checkpoints are not raced. It counts at the first
score during training that is as good as the target.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median_high
from typing import Any

from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import is_as_good


def races(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each dataset and stack the seconds and images to the target, by seed, the fastest median first.

    A run that never reached it, failed or diverged counts as slower than all others: where most runs did not, the
    median is None. `confirmed` are the scores of the chosen checkpoints on latents that had no part in choosing them.
    Raises ZooError for a comparison without a target.
    """
    benchmark = comparison["benchmark"] or {}
    if benchmark.get("until") is None:
        raise ZooError("A race needs a target: give --until SCORE, or a benchmark that has 'until'.")
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in comparison["cells"]:
        groups.setdefault((cell["dataset"], cell["label"]), []).append(cell)
    rows = [
        race(label, dataset, cells, benchmark["until"], comparison["rankings"].get(dataset, {}))
        for (dataset, label), cells in groups.items()
    ]
    return sorted(rows, key=lambda row: (row["dataset"], row["median"] or math.inf, row["worst"] or math.inf))


def race(
    label: str, dataset: str, cells: Sequence[Mapping[str, Any]], until: float, rankings: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of one stack."""
    score = next(iter(rankings), None)
    better = rankings[score]["last"]["better"] if score else "lower"
    reached = [first_reaching(cell["curve"], score, until, better) for cell in cells]
    seconds = [each["seconds"] if each else None for each in reached]
    best = [cell["best"][score]["value"] if score in cell["best"] else None for cell in cells]
    return {
        "label": label,
        "dataset": dataset,
        "score": score,
        "until": until,
        "seeds": [cell["seed"] for cell in cells],
        "seconds": seconds,
        "images": [each["images"] if each else None for each in reached],
        "states": [cell["state"] for cell in cells],
        "median": middle(seconds),
        "worst": None if None in seconds else max(each for each in seconds if each is not None),
        "confirmed": best,
        "machines": sorted({cell["machine"] for cell in cells if cell["machine"]}),
    }


def first_reaching(
    curve: Sequence[Mapping[str, Any]], score: str | None, until: float, better: str
) -> Mapping[str, Any] | None:
    """The first evaluation of a run that is as good as the target."""
    for each in curve:
        value = each["scores"].get(score)
        if value is not None and is_as_good(value, until, better):
            return each
    return None


def middle(seconds: Sequence[float | None]) -> float | None:
    """The median of a number of runs, the slower one of two in the middle; None where that run was not fast enough."""
    found = median_high([math.inf if each is None else each for each in seconds])
    return None if math.isinf(found) else found
