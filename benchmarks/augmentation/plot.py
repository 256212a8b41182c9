"""A dataset's accuracies as a picture: against the number of labels, and of the imbalanced set way by way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.augmentation.report import BALANCED, PLAIN, Row, values
from zoo.comparison.statistics.summaries import Summary, summary

COLOURS = (
    "#0072b2",
    "#56b4e9",
    "#d55e00",
    "#e69f00",
    "#999999",
)  # of Okabe and Ito
MARKERS = ("o", "s", "^", "D", "v")
DPI = 100


def save_plot(report: Mapping[str, Any], path: Path) -> None:
    """Both panels, with 95% intervals over seeds where there are two or more."""
    balanced = [row for row in report["rows"] if row["kind"] == BALANCED]
    rest = [row for row in report["rows"] if row["kind"] != BALANCED]
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    if balanced:
        draw_labels(left, balanced)
    if rest:
        draw_ways(right, rest)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def draw_labels(axes: Axes, rows: Sequence[Row]) -> None:
    """A line for each way over the number of labels."""
    labels = sorted({row["labels"] for row in rows})
    ways = dict.fromkeys(row["way"] for row in rows)
    for way, colour, marker in zip(ways, COLOURS, MARKERS, strict=False):
        found = [summary(values(rows, way, each, "accuracy")) for each in labels]
        heights = [percent(each.mean) for each in found]
        axes.errorbar(labels, heights, reaches(found), color=colour, marker=marker, ms=5, capsize=3, label=way)
    axes.set_xscale("log")
    axes.set_xticks(labels, [f"{each:,}" for each in labels])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("labels a class")
    axes.set_ylabel("% of test images right")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False, fontsize=9)


def draw_ways(axes: Axes, rows: Sequence[Row]) -> None:
    """Of the imbalanced set a line for each way: the rare class alone."""
    ways = list(dict.fromkeys(row["way"] for row in rows))
    found = [summary(values(rows, way, rows[0]["labels"], "rare_accuracy")) for way in ways]
    places = range(len(ways))
    heights = [percent(each.mean) for each in found]
    colours = [COLOURS[0] if way in PLAIN else COLOURS[2] for way in ways]
    axes.barh(places, heights, xerr=reaches(found), color=colours, capsize=3)
    axes.set_yticks(places, ways)
    axes.invert_yaxis()
    axes.set_xlabel("% of the rare class's test images right")
    axes.grid(axis="x", alpha=0.3)


def percent(share: float | None) -> float:
    """A share in percent; not a number where there is none."""
    return float("nan") if share is None else 100 * share


def reaches(found: Sequence[Summary]) -> list[list[float]]:
    """How far each interval goes below and above its mean, in percent."""
    ends = [(each.mean or 0.0, *(each.interval or (each.mean or 0.0,) * 2)) for each in found]
    return [[100 * (mean - low) for mean, low, _ in ends], [100 * (high - mean) for mean, _, high in ends]]
