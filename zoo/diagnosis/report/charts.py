"""The charts of a diagnosis: gradients, their noise, logit slopes and separation over updates, and layers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from zoo.comparison.report.charts.drawing import DASHES, HEIGHT, MARKERS, STEPS, TEXT, canvas, plain_tick, plain_ticks
from zoo.comparison.report.charts.svg import GRID, INK, MUTED, PALETTE, SURFACE, Series
from zoo.comparison.report.words import MINUS, count

PRINTED = {  # the page's light colours
    INK: "#1b1e23",
    MUTED: "#59616c",
    GRID: "#e2e4e0",
    SURFACE: "#ffffff",
    **dict(
        zip(
            PALETTE,
            ("#0072b2", "#d55e00", "#007f5c", "#b8538c", "#a97300", "#2b8fc9", "#5d646d", "#6a4fc4"),
            strict=True,
        )
    ),
}
MARKED = 12  # marks of a line
Line = Mapping[str, Any]


@dataclass(frozen=True)
class Chart:
    """A figure in placeholder colours, with what the page says about it."""

    name: str
    title: str
    caption: str
    description: str
    figure: Figure
    series: Mapping[str, Series]


@dataclass(frozen=True)
class Quantity:
    """What a chart shows of each measurement."""

    name: str
    title: str
    caption: str
    value: Callable[[Line], float | None]
    logarithmic: bool = True
    ends: Callable[[Line], tuple[float, float] | None] = lambda line: None  # of a band
    reference: Callable[[Line], float | None] = lambda line: None  # drawn as a thin line below


def ends_of(line: Line) -> tuple[float, float]:
    """The smallest and the largest norm over batches."""
    return min(line["norms"]), max(line["norms"])


QUANTITIES = (
    Quantity(
        "gradient",
        "The generator’s gradient",
        "The norm of the gradient by all of the generator’s weights, the mean over batches; the band goes from the "
        "smallest to the largest of them.",
        lambda line: line["norm"],
        ends=ends_of,
    ),
    Quantity(
        "noise",
        "The noise of the gradient",
        "The standard deviation of one batch’s gradient, relative to the gradient itself.",
        lambda line: line.get("noise"),
    ),
    Quantity(
        "slope",
        "The slope of the objective",
        "The mean of |dL/dD| over fake samples’ logits D. Marks are measured, the thin line is the closed form: they "
        "must lie on one another.",
        lambda line: line.get("slope"),
        reference=lambda line: line.get("closed_slope"),
    ),
    Quantity(
        "separation",
        "How well the discriminator tells samples apart",
        "The chance that a real sample’s logit is above a fake one’s: 0.5 is blind, 1 is perfect.",
        lambda line: line["separation"],
        logarithmic=False,
    ),
)


def stages_of(found: Mapping[str, Any]) -> list[int]:
    """The steps of training after which the generator was frozen, as far as it is measured."""
    return sorted({each["trained"] for each in found["measurements"]})


def charts_of(found: Mapping[str, Any]) -> list[Chart]:
    """Every chart of each trained generator."""
    return [
        chart
        for steps in stages_of(found)
        for chart in (*(chart_of(found, steps, each) for each in QUANTITIES), layer_chart(found, steps))
        if chart is not None
    ]


def chart_of(found: Mapping[str, Any], steps: int, quantity: Quantity) -> Chart | None:
    """A quantity over updates of the discriminator, a line for each objective; None where it was not measured."""
    figure, axes = canvas(HEIGHT)
    series: dict[str, Series] = {}
    words = []
    for index, objective in enumerate(found["objectives"]):
        curve = [
            each
            for each in found["measurements"]
            if (each["trained"], each["objective"]) == (steps, objective) and visible(quantity, each)
        ]
        if curve:
            words.append(draw(axes, quantity, objective, index, curve, series))
    if not words:
        return None
    finish(axes, "updates of the discriminator", quantity.logarithmic)
    if not quantity.logarithmic:
        axes.set_ylim(0.0, 1.04)
    return Chart(
        f"{quantity.name}-{steps}", f"{quantity.title}, trained {count(steps)} steps", quantity.caption,
        f"{'Logarithmic axis. ' if quantity.logarithmic else ''}{' '.join(words)}", figure, series,
    )  # fmt: skip


def visible(quantity: Quantity, line: Line) -> bool:
    """Whether the quantity was measured, and can be drawn."""
    value = quantity.value(line)
    return value is not None and (value > 0 or not quantity.logarithmic)


def draw(
    axes: Axes, quantity: Quantity, objective: str, index: int, curve: Sequence[Line], series: dict[str, Series]
) -> str:
    """Draws one curve; returns its ends in words."""
    updates = [each["update"] for each in curve]
    values = [float(quantity.value(each) or 0.0) for each in curve]
    style: dict[str, Any] = {"color": PALETTE[index], "linestyle": DASHES[index % len(DASHES)]}
    bands = [quantity.ends(each) for each in curve]
    if all(each is not None for each in bands):
        low, high = np.transpose([each for each in bands if each is not None])
        axes.fill_between(updates, low, high, color=PALETTE[index], alpha=0.14, linewidth=0)
    style |= {"marker": MARKERS[index], "ms": 3.6, "mew": 0, "markevery": max(1, len(curve) // MARKED)}
    references = [each for each in map(quantity.reference, curve) if each is not None]
    if len(references) == len(curve):
        axes.plot(updates, references, color=PALETTE[index], lw=1.0)
        style["linestyle"] = "none"
    axes.plot(updates, values, **style, lw=1.6, gid=f"line-{index}")
    series[f"line-{index}"] = Series(objective, objective)
    return f"{objective}: {values[0]:.3g} at update {updates[0]}, {values[-1]:.3g} at update {updates[-1]}."


def layer_chart(found: Mapping[str, Any], steps: int) -> Chart | None:
    """The gradient's norm in each of the generator's layers at the end, a line for each objective."""
    figure, axes = canvas(HEIGHT, bottom=74)
    series: dict[str, Series] = {}
    words, names = [], []
    for index, objective in enumerate(found["objectives"]):
        own = [each for each in found["measurements"] if (each["trained"], each["objective"]) == (steps, objective)]
        if not own:
            continue
        names = list(own[-1]["layers"])
        values = [own[-1]["layers"][name] for name in names]
        axes.plot(
            range(len(names)), [value or np.nan for value in values], color=PALETTE[index], marker=MARKERS[index],
            linestyle=DASHES[index % len(DASHES)], lw=1.6, ms=4, mew=0, gid=f"line-{index}",
        )  # fmt: skip
        series[f"line-{index}"] = Series(objective, objective)
        listed = ", ".join(f"{name} {value:.2g}" for name, value in zip(names, values, strict=True))
        words.append(f"{objective}: {listed}.")
    if not names:
        return None
    finish(axes, "", True)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=TEXT - 1, color=MUTED)
    return Chart(
        f"layers-{steps}", f"The gradient by layer at the end, trained {count(steps)} steps",
        "From the latents on the left to the sample on the right.", f"Logarithmic axis. {' '.join(words)}",
        figure, series,
    )  # fmt: skip


def finish(axes: Axes, label: str, logarithmic: bool) -> None:
    """Adds ticks, a grid and the label of the horizontal axis."""
    axes.grid(axis="y", color=GRID, lw=1)
    axes.set_axisbelow(True)
    axes.margins(x=0.02)
    if logarithmic:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        if high / low > 100:  # so far apart, powers of ten alone
            axes.yaxis.set_major_locator(LogLocator(numticks=7))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_tick_params(which="minor", length=0)
        else:
            plain_ticks(axes.yaxis, True)
    else:
        plain_ticks(axes.yaxis, False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_tick(value)))
    axes.set_xlabel(label, fontsize=TEXT, color=MUTED)


def power(value: float) -> str:
    """`1e-5` as people write it on an axis."""
    return f"1e{round(np.log10(value))}".replace("-", MINUS) if value > 0 else "0"


def make_printable(chart: Chart) -> None:
    """Adds what the page has beside the figure, and puts its light colours in the place of the placeholders."""
    axes = chart.figure.axes[0]
    lines = {str(each.get_gid()): each for each in axes.get_lines() if each.get_gid() in chart.series}
    if lines:
        labels = [chart.series[name].label for name in lines]
        axes.legend(
            list(lines.values()), labels, fontsize=TEXT - 1, frameon=False, ncols=3, loc="lower center",
            bbox_to_anchor=(0.5, 1.0), labelcolor=INK,
        )  # fmt: skip
    axes.set_title(chart.title, fontsize=TEXT + 2, color=INK, pad=12 + 15 * -(-len(lines) // 3))
    chart.figure.canvas.draw()  # which makes the ticks
    for artist in chart.figure.findobj():
        recolour(artist)


def recolour(artist: Artist) -> None:
    """An artist's placeholder colour as it is printed."""
    if isinstance(artist, Line2D | Text):
        artist.set_color(printed(artist.get_color()))
    elif isinstance(artist, Collection):
        artist.set_facecolor([printed(each) for each in artist.get_facecolor()])
    elif isinstance(artist, Patch):
        artist.set_edgecolor(printed(artist.get_edgecolor()))


def printed(colour: Any) -> Any:
    """A placeholder's colour, its opacity kept; any other colour as it is."""
    found = PRINTED.get(to_hex(colour))
    if found is None:
        return colour
    opacity = float(colour[3]) if not isinstance(colour, str) and len(colour) == 4 else 1.0
    return (*(int(found[place : place + 2], 16) / 255 for place in (1, 3, 5)), opacity)
