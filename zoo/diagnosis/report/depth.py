"""The report on deep critics: an HTML page that loads nothing, and its charts as PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from zoo.comparison.report.charts.drawing import DASHES, HEIGHT, MARKERS, canvas
from zoo.comparison.report.charts.svg import PALETTE, Series
from zoo.comparison.report.html import environment, style_sheet
from zoo.diagnosis.report import write_page
from zoo.diagnosis.report.charts import Chart, finish
from zoo.diagnosis.report.page import TEMPLATES, drawing


def write_depth_report(found: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes report.html and a PNG for each chart, each atomically; returns their paths by name."""
    charts = [gradient_chart(found), weight_chart(found)]
    drawn = [(each, drawing(each, f"c{place}")) for place, each in enumerate(charts)]
    text = environment(TEMPLATES).get_template("depth.html.j2").render(found=found, charts=drawn, style=style_sheet())
    return write_page(text, charts, folder)


def gradient_chart(found: Mapping[str, Any]) -> Chart:
    """The gradient's norm over layers, a line for each critic."""
    figure, axes = canvas(HEIGHT)
    series, words = {}, []
    for index, (name, critic) in enumerate(found["critics"].items()):
        norms = critic["norms"]
        axes.plot(
            range(1, len(norms) + 1), [each or np.nan for each in norms], color=PALETTE[index % len(PALETTE)],
            linestyle=DASHES[index % len(DASHES)], marker=MARKERS[index % len(MARKERS)], lw=1.6, ms=4, mew=0,
            gid=f"line-{index}",
        )  # fmt: skip
        series[f"line-{index}"] = Series(name, name)
        words.append(f"{name}: {norms[0]:.3g} at the first layer, {norms[-1]:.3g} at the last.")
    finish(axes, "layer, from the samples to the output", True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    caption = "The mean norm of the gradient of the critic’s output by each layer’s activations."
    return Chart("gradients", "The gradient by layer", caption, "Logarithmic axis. " + " ".join(words), figure, series)


def weight_chart(found: Mapping[str, Any]) -> Chart:
    """The distribution of weights, each critic's relative to its largest one."""
    figure, axes = canvas(HEIGHT)
    series, words = {}, []
    for index, (name, critic) in enumerate(found["critics"].items()):
        counts, edges = np.array(critic["weights"]["counts"]), np.array(critic["weights"]["edges"])
        middles = (edges[:-1] + edges[1:]) / 2 / np.abs(edges).max()
        axes.plot(
            middles, counts / counts.sum(), color=PALETTE[index % len(PALETTE)], linestyle=DASHES[index % len(DASHES)],
            lw=1.6, gid=f"line-{index}",
        )  # fmt: skip
        series[f"line-{index}"] = Series(name, name)
        words.append(f"{name}: {critic['weights']['at_ends']:.1%} of the weights at the two ends of their range.")
    finish(axes, "weight, relative to the largest", False)
    caption = "The share of weights in each of 41 bins: clipping drives them to both ends."
    return Chart("weights", "The distribution of weights", caption, " ".join(words), figure, series)
