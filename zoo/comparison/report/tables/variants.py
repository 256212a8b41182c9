"""The table of variants: ranks, outcomes of runs, scores over seeds, and the cost of a run."""

from collections.abc import Mapping, Sequence
from statistics import median_high
from typing import Any

from zoo.comparison.report.reading import Comparison, ranking_of, runs_of, scores_of, variants_of
from zoo.comparison.report.tables.outcomes import cost_cells, cost_columns, outcome_cells, outcome_columns
from zoo.comparison.report.tables.rank_ranges import mark, open_ranks, ordered
from zoo.comparison.report.tables.table import Cell, Column, Row, Table
from zoo.comparison.report.words import NONE, STAGES, arrow, decimals_of, finite, number, spread


def variant_table(comparison: Comparison, dataset: str) -> Table:
    """Every variant on a dataset: rank, outcomes, each score last and best, cost."""
    variants = variants_of(comparison)
    scores = scores_of(comparison, dataset)
    ranks = open_ranks(comparison, dataset, scores)
    runs = {variant: runs_of(comparison, dataset, variant.label) for variant in variants}
    outcomes, costs = outcome_columns(list(runs.values())), cost_columns(list(runs.values()))
    scored = score_columns(scores)
    stages = len(STAGES)
    columns = [
        Column("rank", "", sorted="ascending" if ranks else ""),
        *scored[:stages],
        *outcomes,
        *scored[stages:],
        *costs,
    ]
    places = score_decimals(comparison, dataset, scores)
    rows = [
        Row(
            variant,
            [
                rank_cell(ranks.get(variant.label)),
                *score_cells(comparison, dataset, scores[:1], variant.label, places),
                *outcome_cells(runs[variant], outcomes),
                *score_cells(comparison, dataset, scores[1:], variant.label, places),
                *cost_cells(runs[variant], costs),
            ],
        )
        for variant in ordered(comparison, dataset, scores, variants)
    ]
    return Table(columns, rows)


def rank_cell(rank: tuple[int, int] | None) -> Cell:
    """`1`, or `2–4` where several ranks are possible."""
    if rank is None:
        return Cell(NONE)
    first, last = rank
    return Cell(str(first) if first == last else f"{first}–{last}", first + last / 1000)


def score_columns(scores: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns last and best of each score."""
    return [
        Column(stage, stage, f"{score['name']} {arrow(score['better'])}".strip())
        for score in scores
        for stage in STAGES
    ]


def score_decimals(comparison: Comparison, dataset: str, scores: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """The decimals of each score, which show two digits of the median deviation; None where none is known."""
    made: dict[str, int | None] = {}
    for score in scores:
        summaries = ranking_of(comparison, dataset, score["name"], "last").get("summaries", {}).values()
        deviations = [found for each in summaries if (found := finite(each.get("deviation")))]
        made[score["name"]] = decimals_of(median_high(deviations), 2) if deviations else None
    return made


def score_cells(
    comparison: Comparison,
    dataset: str,
    scores: Sequence[Mapping[str, Any]],
    label: str,
    places: Mapping[str, int | None],
) -> list[Cell]:
    """The mean over seeds of each score, last and best, with its spread and mark."""
    return [
        score_cell(ranking_of(comparison, dataset, score["name"], stage), label, places[score["name"]])
        for score in scores
        for stage in STAGES
    ]


def score_cell(ranking: Mapping[str, Any], label: str, places: int | None) -> Cell:
    """`0.0172`, below it `± 0.0007 [0.0167, 0.0177]`."""
    summary = ranking.get("summaries", {}).get(label) or {}
    mean, deviation = finite(summary.get("mean")), finite(summary.get("deviation"))
    if mean is None:
        return Cell(NONE)
    decimals = None if places is None else max(places, decimals_of(mean, 2), decimals_of(deviation or 0.0, 1))
    return Cell(
        number(mean, decimals), mean, spread(deviation, summary.get("interval"), decimals), mark(ranking, label)
    )
