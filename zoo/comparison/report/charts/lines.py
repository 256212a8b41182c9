"""Line charts of scores and losses over training, with bands of the seeds' range."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from zoo.comparison.report.charts.bands import AXES, Band
from zoo.comparison.report.charts.drawing import (
    DASHES,
    HEIGHT,
    better_words,
    canvas,
    colour_of,
    finish,
    reach,
    spans_magnitudes,
    style_of,
)
from zoo.comparison.report.charts.svg import PALETTE, Series, inline_svg
from zoo.comparison.report.reading import Variant
from zoo.comparison.report.words import arrow, count, duration, number, plural

LOSS_HEIGHT = 190  # pixels
EXTREME = 0.005  # share of a loss' values, at either end, that its axis does not show


def score_chart(bands: Sequence[Band], score: Mapping[str, Any], axis: str, dataset: str, key: str) -> Markup:
    """A score over images or time: a line for each variant, and a band of its seeds."""
    figure, axes = canvas(HEIGHT)
    series: dict[str, Series] = {}
    logarithmic = spans_magnitudes(np.concatenate([each for band in bands for each in (band.lowest, band.highest)]))
    size, unit = unit_of(bands, axis)
    for band in bands:
        draw_band(axes, band, size, series)
    finish(axes, axis, unit, logarithmic)
    title = f"{score['name']} {arrow(score['better'])} on {dataset} against {AXES[axis]}"
    notes = f"{better_words(score)} {'Logarithmic axis. ' if logarithmic else ''}"
    description = notes + " ".join(band_words(band, axis) for band in bands)
    return inline_svg(figure, key, title, description, series)


def unit_of(bands: Sequence[Band], axis: str) -> tuple[float, str]:
    """(seconds, name) of a unit that suits the longest time; (1, "") for images."""
    longest = max(float(band.places[-1]) for band in bands)
    if axis == "images":
        return 1, ""
    return next(((size, name) for size, name in ((3600, "h"), (60, "min")) if longest > 2 * size), (1, "s"))


def draw_band(axes: Axes, band: Band, size: float, series: dict[str, Series]) -> None:
    """Draws the line of means, the band of the seeds, and a cross where a run ended early."""
    label, index = band.variant.label, band.variant.index
    colour = colour_of(band.variant)
    places = band.places / size
    axes.fill_between(places, band.lowest, band.highest, color=colour, alpha=0.14, linewidth=0, gid=f"band-{index}")
    axes.plot(places, band.means, **style_of(band.variant), lw=1.8, ms=4.2, mew=0, gid=f"line-{index}")
    series[f"band-{index}"] = Series(label)
    marks = [
        f"{label}: {number(mean)}, seeds {number(low)} to {number(high)} ({plural(int(runs), 'run')})"
        for mean, low, high, runs in zip(band.means, band.lowest, band.highest, band.runs, strict=True)
    ]
    series[f"line-{index}"] = Series(label, label, tuple(marks))
    if band.cut:
        cut_places, values = np.transpose(band.cut)
        axes.plot(cut_places / size, values, "x", color=colour, ms=7, mew=1.8, gid=f"cut-{index}")
        series[f"cut-{index}"] = Series(label, f"{label}: a run was lost after this")


def band_words(band: Band, axis: str) -> str:
    """`dcgan: from 0.2 at 512,000 to 0.034 at 5,120,000 images (seeds 0.03 to 0.04, 10 runs).`"""
    worded = duration if axis == "seconds" else count
    lost = f", {plural(len(band.cut), 'run')} lost on the way" if band.cut else ""
    return (
        f"{band.variant.label}: {number(band.means[0])} at {worded(band.places[0])}, "
        f"{number(band.means[-1])} at {worded(band.places[-1])}{' images' if axis == 'images' else ''} "
        f"(seeds {number(band.lowest[-1])} to {number(band.highest[-1])}, {plural(int(band.runs[-1]), 'run')}{lost})."
    )


def loss_chart(bands: Sequence[tuple[str, Band]], variant: Variant, dataset: str, key: str) -> Markup:
    """Both players' losses of a variant over images: means, and bands of its seeds."""
    figure, axes = canvas(LOSS_HEIGHT)
    for index, (_, band) in enumerate(bands):
        colour, dashes = PALETTE[index], DASHES[index]
        axes.fill_between(band.places, band.lowest, band.highest, color=colour, alpha=0.16, linewidth=0)
        axes.plot(band.places, band.means, color=colour, linestyle=dashes, lw=1.6)
    finish(axes, "images", "", False)
    ends = np.concatenate([each for _, band in bands for each in (band.lowest, band.highest)])
    axes.set_ylim(*reach(np.quantile(ends, (EXTREME, 1 - EXTREME)), False))
    description = " ".join(
        f"{name}: {number(band.means[0], 2)} at first, {number(band.means[-1], 2)} at last." for name, band in bands
    )
    return inline_svg(figure, key, f"Losses of {variant.label} on {dataset}", description, {})
