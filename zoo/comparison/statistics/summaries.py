"""Summaries of one variant's scores over its seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from zoo.comparison.statistics.bootstrap import interval


@dataclass(frozen=True)
class Summary:
    """A variant's scores over its seeds. All fields but `runs` are of the finite values alone."""

    runs: int  # started seeds
    finished: int  # seeds whose value is finite
    mean: float | None
    deviation: float | None  # sample standard deviation (n - 1), None below 2 values
    interval: tuple[float, float] | None  # 95% interval of the mean over seeds; None below 2 values
    median: float | None
    lowest: float | None
    highest: float | None


def finite(values: Sequence[float | None]) -> list[float]:
    """The values of runs that neither failed nor diverged."""
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def summary(values: Sequence[float | None]) -> Summary:
    """The summary of one value a run, None for a run that failed or diverged."""
    known = finite(values)
    return Summary(
        runs=len(values),
        finished=len(known),
        mean=mean(known) if known else None,
        deviation=stdev(known) if len(known) > 1 else None,
        interval=interval(known),
        median=median(known) if known else None,
        lowest=min(known, default=None),
        highest=max(known, default=None),
    )
