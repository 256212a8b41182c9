"""report.html: one page that needs neither the network nor JavaScript."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from zoo.comparison.report import words
from zoo.comparison.report.charts.bands import AXES, loss_band, score_band
from zoo.comparison.report.charts.lines import loss_chart, score_chart
from zoo.comparison.report.charts.strip import last_values, strip_chart
from zoo.comparison.report.charts.svg import SERIES
from zoo.comparison.report.facts import facts_of, measured_of
from zoo.comparison.report.published import Published, published_of
from zoo.comparison.report.reading import (
    Comparison,
    RunCell,
    Variant,
    datasets_of,
    deciding_score,
    headlines,
    is_unhealthy,
    ranking_of,
    runs_of,
    scores_of,
    state_counts,
    step_of,
    value_of,
    variants_of,
)
from zoo.comparison.report.sample_pictures import Picture, pictures_of
from zoo.comparison.report.tables.pairs import Pair, pairs_of
from zoo.comparison.report.tables.rank_ranges import ordered
from zoo.comparison.report.tables.sides import Sides, protocols_of, recipes_of
from zoo.comparison.report.tables.table import Table
from zoo.comparison.report.tables.variants import variant_table

HERE = Path(__file__).parent
LOSSES = {"discriminator": "discriminator_loss", "generator": "generator_loss"}


@dataclass(frozen=True)
class ScorePart:
    """A score on a dataset: sentences of its rankings, pairs, and charts; {} and None where nothing was measured."""

    score: Mapping[str, Any]
    sentences: Mapping[str, str]  # sentences of the rankings by stage
    pairs: Sequence[Pair]
    curves: Mapping[str, Markup]  # charts by horizontal axis
    strip: Markup | None


@dataclass(frozen=True)
class DatasetPart:
    """Everything that the page shows of one dataset."""

    name: str
    key: str
    table: Table
    scores: Sequence[ScorePart]
    losses: Sequence[tuple[Variant, Markup]]
    pictures: Sequence[Picture]
    recipes: Sides
    published: Sequence[Published]


def html(comparison: Comparison, folder: Path) -> str:
    """The content of report.html; pictures are read from below the folder and embedded."""
    script = (HERE / "script.js").read_text(encoding="utf-8")
    return environment().get_template("page.html.j2").render(
        comparison=comparison,
        facts=facts_of(comparison),
        measured=measured_of(comparison),
        variants=variants_of(comparison),
        by_label={variant.label: variant for variant in variants_of(comparison)},
        parts=[dataset_part(comparison, name, f"d{n}", folder) for n, name in enumerate(datasets_of(comparison))],
        protocols=protocols_of(comparison),
        deciding=deciding_score(comparison),
        verdicts=headlines(comparison),
        verdicts_best=headlines(comparison, "best"),
        states=state_counts(comparison["cells"]),
        style=style_sheet(),
        script=Markup(script),  # a file of the package, as the style sheet is
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )  # fmt: skip


def style_sheet() -> Markup:
    """The style sheet of every report."""
    return Markup((HERE / "style.css").read_text(encoding="utf-8"))


def environment(*folders: Path) -> Environment:
    """Jinja's environment: templates escape everything, and an undefined name is an error.

    Templates are searched in the folders of another report before those of this one.
    """
    made = Environment(
        loader=FileSystemLoader([*folders, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(breakable=breakable, naming=naming)
    made.globals.update(
        words=words,
        value_of=value_of,
        step_of=step_of,
        is_unhealthy=is_unhealthy,
        series=SERIES,
        axes=AXES,
        stages=words.STAGES,
    )
    return made


def breakable(text: str) -> Markup:
    """The escaped text, with <wbr> where a long name may be broken into lines."""
    made = Markup()
    for letter in str(text):
        made += letter
        if letter in ",_=/+":
            made += Markup("<wbr>")
    return made


def naming(sentence: str, labels: Iterable[str]) -> Markup:
    """The escaped sentence with every variant's label marked up, since labels contain commas and plus signs."""
    longest_first = sorted(labels, key=len, reverse=True)
    parts = re.split(rf"(?<![\w+=,-])({'|'.join(map(re.escape, longest_first))})(?![\w+=-])", sentence)
    made = Markup()
    for place, part in enumerate(parts):
        made += Markup('<span class="label">{}</span>').format(breakable(part)) if place % 2 else breakable(part)
    return made


def dataset_part(comparison: Comparison, dataset: str, key: str, folder: Path) -> DatasetPart:
    """Tables, charts and pictures of one dataset; `key` is the prefix of its charts' ids."""
    scores = scores_of(comparison, dataset)
    return DatasetPart(
        dataset,
        key,
        variant_table(comparison, dataset),
        [score_part(comparison, dataset, score, f"{key}s{place}") for place, score in enumerate(scores)],
        loss_charts(comparison, dataset, f"{key}l"),
        pictures_of(comparison, dataset, folder),
        recipes_of(comparison, dataset),
        published_of(dataset),
    )


def score_part(comparison: Comparison, dataset: str, score: Mapping[str, Any], key: str) -> ScorePart:
    """One score's rankings and charts; `key` is the prefix of its charts' ids."""
    name = score["name"]
    rankings = {stage: ranking_of(comparison, dataset, name, stage) for stage in words.STAGES}
    variants = ordered(comparison, dataset, [score], variants_of(comparison))
    runs = {variant: runs_of(comparison, dataset, variant.label) for variant in variants}
    return ScorePart(
        score,
        {stage: ranking["sentence"] for stage, ranking in rankings.items() if ranking.get("sentence")},
        [pair for stage in words.STAGES for pair in pairs_of(comparison, dataset, name, stage)],
        curves_of(runs, score, dataset, key),
        strip_chart(runs, rankings["last"].get("summaries", {}), score, dataset, f"{key}strip")
        if any(last_values(cells, name) for cells in runs.values())
        else None,
    )


def curves_of(
    runs: Mapping[Variant, Sequence[RunCell]], score: Mapping[str, Any], dataset: str, key: str
) -> dict[str, Markup]:
    """Charts of the score over images and over time, as far as it was measured during training, by axis."""
    made = {}
    for axis in AXES:
        bands = [band for variant, cells in runs.items() if (band := score_band(variant, cells, score["name"], axis))]
        if bands:
            made[axis] = score_chart(bands, score, axis, dataset, f"{key}{axis}")
    return made


def loss_charts(comparison: Comparison, dataset: str, key: str) -> list[tuple[Variant, Markup]]:
    """A chart of both losses for each variant that has any."""
    made = []
    for variant in variants_of(comparison):
        cells = runs_of(comparison, dataset, variant.label)
        bands = [(name, band) for name, loss in LOSSES.items() if (band := loss_band(variant, cells, loss))]
        if bands:
            made.append((variant, loss_chart(bands, variant, dataset, f"{key}{variant.index}")))
    return made
