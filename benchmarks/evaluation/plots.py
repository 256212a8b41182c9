"""Plots of the measurements, as small PNG files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from .bias_table import FITTED, fit
from .monotony import interval
from .series import LABELS, LIKENESS, label, real_likeness, series
from .spoiling import SPOILINGS

COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
)  # from Okabe and Ito's palette, which colour-blind readers can distinguish
MARKERS = ("o", "s", "^", "D")
LOGARITHMIC = ("fd", "swd")  # scores that are positive and span several magnitudes
LINEAR = 1e-3  # KID is drawn linearly to here, because it may be below 0
DPI = 80
APART = 0.06  # share of a step by which lines are shifted, so that their intervals do not overlap


def sanity_plot(report: Mapping[str, Any], path: Path) -> None:
    """A panel for each score, a line for each kind of harm."""
    figure = Figure(figsize=(13, 11.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(3, 3)
    for (name, _), axes in zip(LABELS.items(), panels.flat, strict=True):
        sanity_panel(axes, name, report)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=11)
    figure.suptitle(
        f"{report['dataset']['title']}: {report['samples']:,} test images against as many training images, spoiled\n"
        f"features of {report['extractor']['name']}; bars are 95% intervals; ↓ lower is better, ↑ higher is better",
        fontsize=13,
    )
    save(figure, path)


def sanity_panel(axes: Axes, name: str, report: Mapping[str, Any]) -> None:
    """One score against the strength of every kind of harm."""
    styles = zip(SPOILINGS.items(), COLOURS, MARKERS, strict=True)
    for number, ((spoiling, kind), colour, marker) in enumerate(styles):
        points = series(report, spoiling)[name]
        places = [place + APART * (number - 1.5) for place in range(len(points))]
        said = f"{kind.title}: {', '.join(kind.said(strength) for strength in kind.strengths)}"
        axes.errorbar(
            places, heights(points), reaches(points), color=colour, marker=marker, ms=5, capsize=3, label=said
        )
    axes.set_title(label(name, points[0]), fontsize=12)
    axes.set_xticks(range(len(points)), ["none", "weak", "medium", "strong"])
    axes.set_xlabel("harm")
    axes.grid(alpha=0.3)
    if name in LOGARITHMIC:
        plain_logarithmic(axes)
    if name == "kid":
        axes.set_yscale("symlog", linthresh=LINEAR)
        axes.set_ylim(-LINEAR, 1)
    if name == LIKENESS:
        axes.axhline(real_likeness(report), color="black", linestyle=":")
        axes.text(
            0.98, real_likeness(report), "real pairs", transform=axes.get_yaxis_transform(), ha="right", va="bottom"
        )


def plain_logarithmic(axes: Axes) -> None:
    """Labels a logarithmic axis with 10, 20, 50, 100 in place of powers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.5g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def heights(points: list[Mapping[str, Any]]) -> list[float]:
    """The values of the points (N,)."""
    return [point["value"] for point in points]


def reaches(points: list[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    """How far the intervals go below and above; an interval may lie to one side of its value, as a share's at 1."""
    ends = [interval(point) for point in points]
    below = [max(0.0, point["value"] - low) for point, (low, _) in zip(points, ends, strict=True)]
    above = [max(0.0, high - point["value"]) for point, (_, high) in zip(points, ends, strict=True)]
    return below, above


def bias_plot(report: Mapping[str, Any], path: Path) -> None:
    """FD and KID against the number of samples."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    sizes = report["sizes"]
    bias_panel(left, "fd", sizes)
    bias_panel(right, "kid", sizes)
    limit, slope = fit(sizes)
    counts = [size["count"] for size in sizes]
    fitted = f"{limit:.2f} + {slope:,.0f} / n, fitted from n = {FITTED:,}"
    left.plot(counts, [limit + slope / count for count in counts], "--", color="black", label=fitted)
    plain_logarithmic(left)
    right.axhline(0, color="black", linewidth=0.8)
    for axes in (left, right):
        axes.legend(frameon=False)
    figure.suptitle(
        f"{report['dataset']['title']}: training against test images, features of {report['extractor']['name']}"
    )
    save(figure, path)


def bias_panel(axes: Axes, name: str, sizes: list[Mapping[str, Any]]) -> None:
    """Every part's value, and their means."""
    for number, size in enumerate(sizes):
        said = "one of disjoint parts" if number == 0 else None
        axes.plot([size["count"]] * len(size[name]), size[name], ".", color=COLOURS[0], alpha=0.5, label=said)
    counts = [size["count"] for size in sizes]
    means = [size[f"{name}_mean"] for size in sizes]
    deviations = [2 * (size[f"{name}_deviation"] or 0) for size in sizes]
    said = "mean ± 2 standard deviations of a part"
    axes.errorbar(counts, means, deviations, color=COLOURS[1], marker="s", ms=5, capsize=4, label=said)
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("n, samples of either side")
    axes.set_title(LABELS[name])
    axes.grid(alpha=0.3)


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as a PNG of few colours."""
    from PIL import Image

    figure.savefig(path, dpi=DPI)
    with Image.open(path) as image:
        image.convert("RGB").quantize(64).save(path, optimize=True)
