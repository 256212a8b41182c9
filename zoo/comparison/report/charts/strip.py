"""Strip charts: every seed's last score as a dot."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from zoo.comparison.report.charts.drawing import (
    RIGHT,
    TEXT,
    TOP,
    better_words,
    canvas,
    colour_of,
    plain_ticks,
    reach,
    spans_magnitudes,
    style_of,
)
from zoo.comparison.report.charts.svg import GRID, INK, MUTED, SURFACE, Series, inline_svg
from zoo.comparison.report.reading import RunCell, Variant, value_of
from zoo.comparison.report.words import arrow, finite, number

TICKS = 24  # pixels below the axes
ROW, DOT = 46, 6.5  # pixels of a variant's row, and of a seed's dot
MIDDLE = 0.65  # the height of the dots, as a share of the row from its top
MEAN = 10.0  # pixels that the mark of the mean extends up and down
STACK = 9.0  # pixels that dots of close values are moved up or down, at most
LONGEST = 40  # letters of a variant's name, at most


def strip_chart(
    runs: Mapping[Variant, Sequence[RunCell]],
    summaries: Mapping[str, Mapping[str, Any]],
    score: Mapping[str, Any],
    dataset: str,
    key: str,
) -> Markup:
    """Every seed's last score as a dot, below its variant's name; the mean as a line and its interval as a bar."""
    height = TOP + ROW * len(runs) + TICKS
    figure, axes = canvas(height, left=RIGHT, bottom=TICKS)
    values = {variant: last_values(cells, score["name"]) for variant, cells in runs.items()}
    everything = np.array([value for found in values.values() for _, value in found])
    logarithmic = spans_magnitudes(everything)
    if logarithmic:
        axes.set_xscale("log")
    axes.set_ylim(len(runs), 0)
    axes.set_xlim(*reach(everything, logarithmic))
    series: dict[str, Series] = {}
    for row, (variant, found) in enumerate(values.items()):
        draw_strip(axes, row, variant, found, summaries.get(variant.label) or {}, series)
        write_row(axes, row, variant, len(found), len(runs[variant]), series)
    axes.set_yticks([])
    axes.grid(axis="x", color=GRID, lw=1)
    axes.set_axisbelow(True)
    plain_ticks(axes.xaxis, logarithmic)
    title = f"The last {score['name']} {arrow(score['better'])} of every seed on {dataset}"
    described = " ".join(strip_words(variant, found) for variant, found in values.items())
    return inline_svg(figure, key, title, f"{better_words(score)} {described}", series)


def last_values(cells: Sequence[RunCell], score: str) -> list[tuple[RunCell, float]]:
    """The runs that have a last score, with it."""
    return [(cell, value) for cell in cells if (value := value_of(cell, "last", score)) is not None]


def draw_strip(
    axes: Axes,
    row: int,
    variant: Variant,
    found: Sequence[tuple[RunCell, float]],
    summary: Mapping[str, Any],
    series: dict[str, Series],
) -> None:
    """Draws interval, mean and dots of a variant; hollow dots are runs that collapsed."""
    middle, colour = row + MIDDLE, colour_of(variant)
    interval = [end for each in summary.get("interval") or [] if (end := finite(each)) is not None]
    if len(interval) == 2:
        axes.plot(interval, [middle, middle], color=colour, alpha=0.25, lw=13, solid_capstyle="butt", gid=f"ci-{row}")
        series[f"ci-{row}"] = Series(variant.label, f"{variant.label}: 95% interval of the mean")
    if (mean := finite(summary.get("mean"))) is not None:
        ends = [middle - MEAN / ROW, middle + MEAN / ROW]
        axes.plot([mean, mean], ends, color=INK, lw=2, solid_capstyle="butt", gid=f"mean-{row}", zorder=6)
        series[f"mean-{row}"] = Series(variant.label, f"{variant.label}: mean {number(mean)}")
    offsets = stacked([value for _, value in found], axes)
    for hollow in (False, True):
        chosen = [
            (cell, value, middle + offset / ROW)
            for (cell, value), offset in zip(found, offsets, strict=True)
            if bool(cell.get("collapsed")) == hollow
        ]
        if chosen:
            gid = f"dots-{row}-{hollow}"
            draw_dots(axes, variant, chosen, hollow, gid)
            series[gid] = Series(
                variant.label, variant.label, tuple(dot_words(cell, value) for cell, value, _ in chosen)
            )


def draw_dots(
    axes: Axes, variant: Variant, chosen: Sequence[tuple[RunCell, float, float]], hollow: bool, gid: str
) -> None:
    """Draws a marker for each (run, value, height)."""
    axes.scatter(
        [value for _, value, _ in chosen],
        [height for _, _, height in chosen],
        s=DOT**2,
        marker=style_of(variant)["marker"],
        facecolors=SURFACE if hollow else colour_of(variant),
        edgecolors=colour_of(variant) if hollow else SURFACE,
        linewidths=1.4 if hollow else 0.6,
        gid=gid,
        zorder=5,
        clip_on=False,
    )


def dot_words(cell: RunCell, value: float) -> str:
    """`seed 3: 0.0172`."""
    return f"seed {cell['seed']}: {number(value)}{', collapsed' if cell.get('collapsed') else ''}"


def stacked(values: Sequence[float], axes: Axes) -> list[float]:
    """How far up or down, in pixels, each dot is moved so that dots of near values do not hide one another."""
    places = np.array([axes.transData.transform((value, 0.0))[0] for value in values])
    levels: dict[int, int] = {}
    taken: list[list[float]] = []
    for index in np.argsort(places, kind="stable"):
        place = float(places[index])
        level = next((n for n, row in enumerate(taken) if place - row[-1] >= DOT), len(taken))
        if level == len(taken):
            taken.append([])
        taken[level].append(place)
        levels[int(index)] = level
    step = min(DOT * 0.8, 2 * STACK / max(len(taken), 1))
    signed = [(level + 1) // 2 * (1 if level % 2 else -1) for level in (levels[n] for n in range(len(values)))]
    return [each * step for each in signed]


def write_row(axes: Axes, row: int, variant: Variant, scored: int, runs: int, series: dict[str, Series]) -> None:
    """Writes a variant's name and `5 of 6`, its runs with a score, above its dots."""
    across = axes.get_yaxis_transform()
    axes.axhline(row + MIDDLE, color=GRID, lw=1, zorder=0, gid=f"rule-{row}")
    series[f"rule-{row}"] = Series(variant.label)
    name = variant.label if len(variant.label) <= LONGEST else f"{variant.label[: LONGEST - 1]}…"
    for side, place, text, colour in (("left", 0.0, name, INK), ("right", 1.0, f"{scored} of {runs}", MUTED)):
        axes.text(
            place, row + 0.26, text, transform=across, ha=side, va="baseline", fontsize=TEXT, color=colour,
            gid=f"{side}-{row}", parse_math=False,
        )  # fmt: skip
        series[f"{side}-{row}"] = Series(variant.label)


def strip_words(variant: Variant, found: Sequence[tuple[RunCell, float]]) -> str:
    """`dcgan: 0.03, 0.041.`"""
    values = ", ".join(number(value) for value in sorted(value for _, value in found))
    return f"{variant.label}: {values or 'no finished run'}."
