"""The range of ranks that the comparisons leave open to each variant, and which variants are best."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.comparison.report.reading import Comparison, Variant, ranking_of
from zoo.comparison.report.words import finite

BEST, TIED = "best", "tied for best"


def open_ranks(comparison: Comparison, dataset: str, scores: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """The ranks that the comparisons leave open to each variant, by the deciding score's last values.

    A variant can't be before those that are better than it, nor behind those that it is better than;
    one alone has no rank.
    """
    ranking = ranking_of(comparison, dataset, scores[0]["name"], "last") if scores else {}
    summaries = ranking.get("summaries", {})
    ranked = [label for label, summary in summaries.items() if finite(summary.get("mean")) is not None]
    won, lost = dict.fromkeys(ranked, 0), dict.fromkeys(ranked, 0)
    for each in ranking.get("differences", []):
        pair = {"better": (each["one"], each["other"]), "worse": (each["other"], each["one"])}.get(each["verdict"])
        if pair:
            won[pair[0]] += 1
            lost[pair[1]] += 1
    several = ranked if len(ranked) > 1 else []
    return {label: (1 + lost[label], len(ranked) - won[label]) for label in several}


def ordered(
    comparison: Comparison, dataset: str, scores: Sequence[Mapping[str, Any]], variants: Sequence[Variant]
) -> list[Variant]:
    """The variants sorted by the first score's last values: by open ranks, then means; those without one last."""
    if not scores:
        return list(variants)
    ranks = open_ranks(comparison, dataset, scores)
    worst = (len(variants) + 1, 0)
    sign = -1 if scores[0]["better"] == "higher" else 1
    means = {variant: mean_of(comparison, dataset, scores[0]["name"], variant.label) for variant in variants}
    return sorted(
        variants,
        key=lambda variant: (
            means[variant] is None,
            ranks.get(variant.label, worst),
            sign * (means[variant] or 0.0),
        ),
    )


def mean_of(comparison: Comparison, dataset: str, score: str, label: str) -> float | None:
    """The mean of a variant's last values; None where it has none."""
    summaries = ranking_of(comparison, dataset, score, "last").get("summaries", {})
    return finite((summaries.get(label) or {}).get("mean"))


def mark(ranking: Mapping[str, Any], label: str) -> str:
    """`best` or `tied for best`, as far as comparisons are decided; "" where there are too few seeds for that."""
    differences = ranking.get("differences", [])
    leaders = [name for name in ranking.get("leaders") or [] if not is_beaten(name, ranking)]
    among = {each["verdict"] for each in differences if each["one"] in leaders and each["other"] in leaders}
    decided = any(each["verdict"] in ("better", "worse") for each in differences)
    if label not in leaders or not decided or "too few seeds" in among:
        return ""
    return BEST if len(leaders) == 1 else TIED


def is_beaten(name: str, ranking: Mapping[str, Any]) -> bool:
    """Whether another leader is shown to be better."""
    rivals = set(ranking["leaders"])
    return any(
        (each["verdict"] == "worse" and each["one"] == name and each["other"] in rivals)
        or (each["verdict"] == "better" and each["other"] == name and each["one"] in rivals)
        for each in ranking["differences"]
    )
