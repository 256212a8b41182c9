"""The report on a run's health: an HTML page that loads nothing, and its charts as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.comparison.report.charts.drawing import DASHES, HEIGHT, MARKERS, TEXT, canvas
from zoo.comparison.report.charts.svg import MUTED, PALETTE, Series
from zoo.comparison.report.html import environment, style_sheet
from zoo.comparison.report.words import MINUS
from zoo.diagnosis.of_run import layers_of
from zoo.diagnosis.report import write_page
from zoo.diagnosis.report.charts import Chart, finish
from zoo.diagnosis.report.page import TEMPLATES, drawing
from zoo.health import PREFIX

ROW = 17  # pixels of a layer in a heat map
SCALE = 50  # pixels beside it for the values of its colours
SMALLEST = 1e-12  # shown where a gradient is 0
PLAYERS = ("generator", "discriminator")
CURVES = (  # name, title, caption, of each line its name and label, logarithmic
    (
        "gradients",
        "Both players’ gradients",
        "The norm of the gradient by all of a player’s weights, means over 50 steps.",
        {f"{player}_gradient_norm": player for player in PLAYERS},
        True,
    ),
    (
        "losses",
        "Both players’ losses",
        "Without penalties; they do not say how good samples are.",
        {f"{player}_loss": player for player in PLAYERS},
        False,
    ),
    (
        "discriminator",
        "How well the discriminator tells samples apart",
        "Separation is the chance that a real sample’s logit is above a fake one’s; 0.5 is blind. Accuracy has a "
        "meaning where the threshold of logits is 0.",
        {f"{PREFIX}discriminator/{name}": name for name in ("separation", "accuracy")},
        False,
    ),
    (
        "samples",
        "Variety of the samples",
        "Relative to the real ones: 1 is as varied. Saturated outputs lie at the ends of their range.",
        {f"{PREFIX}samples/{name}": name for name in ("diversity", "contrast", "saturated")},
        False,
    ),
)
MAPS = (
    ("gradient", "gradient by layer", "The norm of each layer’s gradient; a layer that stays dark learns nothing."),
    ("update", "step relative to weights, by layer", "A step’s size over the weights’ norm; around 0.001 is usual."),
)


def write_health_report(result: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes report.html and a PNG for each chart, each atomically; returns their paths by name."""
    charts = charts_of(result["lines"])
    drawn = [(each, drawing(each, f"c{place}")) for place, each in enumerate(charts)]
    text = environment(TEMPLATES).get_template("health.html.j2").render(
        result=result, charts=drawn, style=style_sheet()
    )  # fmt: skip
    return write_page(text, charts, folder)


def charts_of(lines: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Every chart for which something was measured."""
    curves = [curve_chart(lines, *each) for each in CURVES]
    maps = [heat_map(lines, player, *each) for player in PLAYERS for each in MAPS]
    return [each for each in (*curves, *maps) if each is not None]


def curve_chart(
    lines: Sequence[Mapping[str, Any]],
    name: str,
    title: str,
    caption: str,
    series: Mapping[str, str],
    logarithmic: bool,
) -> Chart | None:
    """Values over steps; None where there is none."""
    figure, axes = canvas(HEIGHT)
    found: dict[str, Series] = {}
    words = []
    for index, (key, label) in enumerate(series.items()):
        pairs = [
            (line["step"], line[key])
            for line in lines
            if isinstance(line.get(key), int | float) and np.isfinite(line[key]) and (line[key] > 0 or not logarithmic)
        ]
        if pairs:
            steps, values = zip(*pairs, strict=True)
            axes.plot(
                steps, values, color=PALETTE[index], linestyle=DASHES[index], marker=MARKERS[index], ms=3, mew=0,
                markevery=max(1, len(steps) // 12), lw=1.6, gid=f"line-{index}",
            )  # fmt: skip
            found[f"line-{index}"] = Series(label, label)
            words.append(f"{label}: {values[0]:.3g} at step {steps[0]}, {values[-1]:.3g} at step {steps[-1]}.")
    if not words:
        return None
    finish(axes, "steps", logarithmic)
    return Chart(name, title, caption, f"{'Logarithmic axis. ' if logarithmic else ''}{' '.join(words)}", figure, found)


def heat_map(lines: Sequence[Mapping[str, Any]], player: str, kind: str, title: str, caption: str) -> Chart | None:
    """A row for each layer, the input at the top, a column for each measurement; None where there is none."""
    layers = layers_of(lines, player, kind)
    if not layers:
        return None
    steps = [step for step, _ in next(iter(layers.values()))]
    table = np.log10(np.maximum([[value for _, value in pairs] for pairs in layers.values()], SMALLEST))
    figure, axes = canvas(ROW * len(layers) + 90, left=150, right=SCALE)
    mesh = axes.pcolormesh(range(len(steps) + 1), range(len(layers) + 1), table, cmap="viridis", rasterized=True)
    axes.invert_yaxis()
    axes.set_yticks([place + 0.5 for place in range(len(layers))], list(layers), fontsize=TEXT - 1, color=MUTED)
    shown = np.unique(np.linspace(0, len(steps) - 1, min(5, len(steps))).astype(int))
    axes.set_xticks([place + 0.5 for place in shown], [f"{steps[place]:,}" for place in shown])
    axes.set_xlabel("steps", fontsize=TEXT, color=MUTED)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.05, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=TEXT - 1, labelcolor=MUTED, color=MUTED, length=2)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{10**value:.2g}".replace("-", MINUS))
    words = [
        f"{name}: {pairs[0][1]:.2g} at step {pairs[0][0]}, {pairs[-1][1]:.2g} at step {pairs[-1][0]}."
        for name, pairs in layers.items()
    ]
    return Chart(
        f"{player}-{kind}",
        f"{player.capitalize()}: {title}",
        f"{caption} Logarithmic colours.",
        " ".join(words),
        figure,
        {},
    )
