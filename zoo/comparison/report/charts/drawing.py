"""The style that all charts share: size, ticks and text, and each variant's colour, dash and marker."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from zoo.comparison.report.charts.bands import AXES
from zoo.comparison.report.charts.svg import GRID, MUTED, PALETTE, SERIES
from zoo.comparison.report.reading import Variant
from zoo.comparison.report.words import MINUS, count

WIDTH, HEIGHT = 400, 250  # pixels, at which text has the size TEXT
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 42  # pixels around the axes
TEXT = 11  # pixels
STEPS = (1, 2, 2.5, 5, 10)  # allowed distances between ticks, times a power of ten
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.4)), (0, (6, 2, 1.2, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MAGNITUDES = 8  # ratio of the largest to the smallest value above which an axis is logarithmic


def colour_of(variant: Variant) -> str:
    """A variant's placeholder colour, which the page replaces."""
    return PALETTE[variant.index % SERIES]


def style_of(variant: Variant) -> dict[str, Any]:
    """Colour, dash and marker; the first 32 variants differ in dash or marker, for readers who see no colour."""
    index = variant.index
    return {
        "color": colour_of(variant),
        "linestyle": DASHES[(index + index // SERIES) % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def better_words(score: Mapping[str, Any]) -> str:
    """`Lower is better.`"""
    return f"{score['better'].capitalize()} is better." if score["better"] else ""


def spans_magnitudes(values: np.ndarray) -> bool:
    """Whether values are drawn logarithmically: all positive, and far apart."""
    return bool(values.min() > 0 and values.max() / values.min() > MAGNITUDES)


def reach(values: np.ndarray, logarithmic: bool) -> tuple[float, float]:
    """The limits of an axis, 6% beyond the values (N,)."""
    if logarithmic:
        low, high = reach(np.log10(values), False)
        return 10**low, 10**high
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def canvas(height: float, left: float = LEFT, bottom: float = BOTTOM, right: float = RIGHT) -> tuple[Figure, Axes]:
    """A figure (height in pixels) of the page's chart width, with a transparent background."""
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    axes = figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - TOP - bottom) / height)
    )
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(labelsize=TEXT, labelcolor=MUTED, color=MUTED, length=3)
    return figure, axes


def finish(axes: Axes, axis: str, unit: str, logarithmic: bool) -> None:
    """Adds ticks, a grid and the label of the horizontal axis."""
    axes.grid(axis="y", color=GRID, lw=1)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.02)
    if logarithmic:
        axes.set_yscale("log")
    plain_ticks(axes.yaxis, logarithmic)
    label_places(axes, axis, unit)


def label_places(axes: Axes, axis: str, unit: str) -> None:
    """Labels the horizontal axis; images are written as 2 M."""
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    worded = count if axis == "images" else plain_tick
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: worded(value)))
    axes.set_xlabel(f"{AXES[axis]}{unit and f' ({unit})'}", fontsize=TEXT, color=MUTED)


def plain_tick(value: float) -> str:
    """A tick's number with four significant digits, without trailing zeros."""
    return f"{value:.4g}".replace("-", MINUS)


def plain_ticks(axis: Any, logarithmic: bool) -> None:
    """About five ticks, on a logarithmic axis at 1, 2 and 5 times powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if logarithmic else MaxNLocator(5, steps=STEPS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain_tick(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(which="minor", length=0)
