"""Scores and losses over training, aggregated over seeds: the mean, and a band from lowest to highest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from zoo.comparison.report.reading import RunCell, Variant
from zoo.comparison.report.words import finite

AXES = {"images": "real images seen", "seconds": "training time"}
FINE = 100  # points of an aggregated loss curve


@dataclass(frozen=True)
class Band:
    """Mean, lowest and highest value over seeds at each place (N,) on the horizontal axis, and the number of seeds."""

    variant: Variant
    places: np.ndarray
    means: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    runs: np.ndarray
    cut: list[tuple[float, float]]  # last (place, value) of each run that diverged or failed


def score_band(variant: Variant, cells: Sequence[RunCell], score: str, axis: str) -> Band | None:
    """The k-th evaluations of all seeds, at their mean place; None where there is no value."""
    runs = [
        points(cell.get("curve") or [], axis, lambda point: (point.get("scores") or {}).get(score)) for cell in cells
    ]
    columns = [[point for point in column if point is not None] for column in zip_longest(*runs)]
    if not columns:
        return None
    values = [np.array([value for _, value in column]) for column in columns]
    return Band(
        variant,
        np.array([np.mean([place for place, _ in column]) for column in columns]),
        np.array([each.mean() for each in values]),
        np.array([each.min() for each in values]),
        np.array([each.max() for each in values]),
        np.array([len(each) for each in values]),
        [run[-1] for run, cell in zip(runs, cells, strict=True) if run and cell["state"] in ("diverged", "failed")],
    )


def points(
    records: Iterable[Mapping[str, Any]], axis: str, value_of: Callable[[Mapping[str, Any]], Any]
) -> list[tuple[float, float]]:
    """(place, value) of the records that have both."""
    pairs = ((finite(record.get(axis)), finite(value_of(record))) for record in records)
    return [(place, value) for place, value in pairs if place is not None and value is not None]


def between(run: Sequence[tuple[float, float]], places: np.ndarray) -> np.ndarray:
    """A run's values (N,) interpolated at places (N,), NaN beyond its first and last record."""
    own, values = np.transpose(run)
    return np.interp(places, own, values, left=np.nan, right=np.nan)


def loss_band(variant: Variant, cells: Sequence[RunCell], loss: str) -> Band | None:
    """A loss at evenly spaced numbers of images, interpolated in each run, over the seeds that got so far."""
    runs = [run for cell in cells if (run := points(cell.get("losses") or [], "images", lambda each: each.get(loss)))]
    if not runs:
        return None
    places = np.linspace(min(run[0][0] for run in runs), max(run[-1][0] for run in runs), FINE)
    table = np.array([between(run, places) for run in runs])
    reached = ~np.isnan(table)
    kept = reached.any(axis=0)
    table, reached, places = table[:, kept], reached[:, kept], places[kept]
    return Band(
        variant,
        places,
        np.where(reached, table, 0).sum(axis=0) / reached.sum(axis=0),
        np.where(reached, table, np.inf).min(axis=0),
        np.where(reached, table, -np.inf).max(axis=0),
        reached.sum(axis=0),
        [],
    )
