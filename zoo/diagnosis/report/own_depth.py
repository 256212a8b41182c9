"""The report on the depth of a stack's own networks: an HTML page that loads nothing, and its charts as PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator

from zoo.comparison.report.charts.drawing import DASHES, HEIGHT, MARKERS, TEXT, canvas
from zoo.comparison.report.charts.svg import MUTED, PALETTE, Series
from zoo.comparison.report.html import environment, style_sheet
from zoo.diagnosis.own_depth import PLAYERS, overall, reasons
from zoo.diagnosis.report import write_page
from zoo.diagnosis.report.charts import Chart, finish
from zoo.diagnosis.report.page import TEMPLATES, drawing

BELOW = 74  # pixels for slanted names of layers


def write_own_depth_report(found: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes report.html and a PNG for each chart, each atomically; returns their paths by name."""
    objectives = list(dict.fromkeys(each["objective"] for each in found["measurements"]))
    charts = [(player, layer_chart(found, player, objective)) for objective in objectives for player in PLAYERS]
    drawn = [(player, each, drawing(each, f"c{place}")) for place, (player, each) in enumerate(charts)]
    networks = network_names(found)
    text = environment(TEMPLATES).get_template("own_depth.html.j2").render(
        found=found,
        charts=drawn,
        players=PLAYERS,
        objectives=objectives,
        networks=[{"index": place, "name": name} for place, name in enumerate(networks)],
        measured={(each["network"], each["objective"]): each for each in found["measurements"]},
        refused=reasons(found),
        overall=overall(found),
        style=style_sheet(),
    )  # fmt: skip
    return write_page(text, [each for _, each in charts], folder)


def network_names(found: Mapping[str, Any]) -> list[str]:
    """The names of the networks that were measured, in their order."""
    return list(dict.fromkeys(each["network"] for each in found["measurements"]))


def layer_chart(found: Mapping[str, Any], player: str, objective: str) -> Chart:
    """A player's gradient over its layers under one objective, a line for each network."""
    figure, axes = canvas(HEIGHT + BELOW - 42, bottom=BELOW)
    series, words = {}, []
    names: list[str] = []
    for index, network in enumerate(network_names(found)):
        for each in found["measurements"]:
            if (each["network"], each["objective"]) != (network, objective):
                continue
            norms = each[player]["norms"]
            names = max(names, each[player]["layers"], key=len)
            axes.plot(
                range(len(norms)), [norm or np.nan for norm in norms], color=PALETTE[index],
                linestyle=DASHES[index % len(DASHES)], marker=MARKERS[index % len(MARKERS)], lw=1.6, ms=4, mew=0,
                gid=f"line-{index}",
            )  # fmt: skip
            series[f"line-{index}"] = Series(network, network)
            words.append(f"{network}: {norms[0]:.3g} at the first layer, {norms[-1]:.3g} at the last.")
    finish(axes, "", True)
    axes.xaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=TEXT - 1, color=MUTED)
    return Chart(
        f"{player}-{objective.replace(' ', '-')}", f"The {player}’s gradient by layer: {objective}",
        f"The norm of the gradient of the {player}’s loss by each layer’s weights, the input on the left.",
        "Logarithmic axis. " + " ".join(words), figure, series,
    )  # fmt: skip
