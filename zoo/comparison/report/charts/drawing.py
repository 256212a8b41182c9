"""What all charts share: their size, ticks and text, and each variant's colour, dash and marker."""

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

WIDTH, HEIGHT = 400, 250  # pixels, the size at which text has its size
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 42  # pixels around the axes
TEXT = 11  # pixels
STEPS = (1, 2, 2.5, 5, 10)  # between ticks
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.4)), (0, (6, 2, 1.2, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MAGNITUDES = 8  # largest through smallest value, from which an axis is logarithmic


def colour_of(variant: Variant) -> str:
    """A variant's placeholder."""
    return PALETTE[variant.index % SERIES]


def style_of(variant: Variant) -> dict[str, Any]:
    """Colour, dash and marker, so that no two of the first 32 are alike to an eye that sees no colour."""
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
    """The ends of an axis a little beyond the values."""
    if logarithmic:
        low, high = reach(np.log10(values), False)
        return 10**low, 10**high
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def canvas(height: float, left: float = LEFT, bottom: float = BOTTOM) -> tuple[Figure, Axes]:
    """A figure of the page's width for charts, with nothing behind it."""
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    axes = figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - RIGHT) / WIDTH, (height - TOP - bottom) / height)
    )
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(labelsize=TEXT, labelcolor=MUTED, color=MUTED, length=3)
    return figure, axes


def finish(axes: Axes, axis: str, unit: str, logarithmic: bool) -> None:
    """Ticks, grid and the name of the axis below."""
    axes.grid(axis="y", color=GRID, lw=1)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.02)
    if logarithmic:
        axes.set_yscale("log")
    plain_ticks(axes.yaxis, logarithmic)
    label_places(axes, axis, unit)


def label_places(axes: Axes, axis: str, unit: str) -> None:
    """Images as 2 M, time in its unit."""
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    worded = count if axis == "images" else plain_tick
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: worded(value)))
    axes.set_xlabel(f"{AXES[axis]}{unit and f' ({unit})'}", fontsize=TEXT, color=MUTED)


def plain_tick(value: float) -> str:
    """Without zeros at the end."""
    return f"{value:.4g}".replace("-", MINUS)


def plain_ticks(axis: Any, logarithmic: bool) -> None:
    """About five of them; on a logarithmic axis 0.01, 0.02, 0.05 rather than powers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if logarithmic else MaxNLocator(5, steps=STEPS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain_tick(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(which="minor", length=0)
