"""What committed comparisons say of each variant, for the pages of docs/variants."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.common.kept import stem_of
from zoo.comparison.report.markdown import address

ROOT = Path(__file__).parents[1]
FEWEST = 3  # seeds below which a place says nothing
COMPARISONS = ROOT / "benchmarks" / "results" / "comparisons"


@dataclass(frozen=True)
class Measured:
    """A variant's place in a committed comparison."""

    comparison: str
    benchmark: str  # in words
    label: str
    metric: str
    score: str  # the mean over seeds, as a reader expects it
    interval: str
    place: str  # by the mean, where there are seeds enough
    seeds: int
    picture: str  # its address from a page; "" where there is none

    @property
    def told(self) -> str:
        """What the scores are, and where there is more."""
        report = f"../../benchmarks/results/comparisons/{self.comparison}/report.md"
        seeds = f"means of {self.seeds} seeds" if self.seeds > 1 else "one seed each, which ranks nothing"
        return f"{self.metric}, {seeds}: [report]({report})."


@cache
def measurements() -> list[Measured]:
    """Every variant's place in every committed comparison, by comparison and mean."""
    found = []
    for path in sorted(COMPARISONS.glob("*/comparison.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        score = next(each for each in read["scores"] if each["decides"])
        for dataset, rankings in read["rankings"].items():
            summaries = rankings[score["name"]]["last"]["summaries"]
            scored = {label: each for label, each in summaries.items() if each.get("mean") is not None}
            order = sorted(scored, key=lambda label: scored[label]["mean"], reverse=score["better"] == "higher")
            for place, label in enumerate(order, 1):
                found.append(measured(path.parent, read, dataset, score["name"], label, scored, place))
    return found


def measured(
    folder: Path,
    read: Mapping[str, Any],
    dataset: str,
    score: str,
    label: str,
    summaries: Mapping[str, Mapping[str, Any]],
    place: int,
) -> Measured:
    """One variant's place on one dataset."""
    summary, datasets = summaries[label], len(read["rankings"])
    scale = 1000 if score.startswith("kid") else 1
    pictures = [
        path
        for suffix in ("webp", "png")
        for path in folder.glob(f"*.{suffix}")
        if path.stem == stem_of(label, dataset, datasets)
    ]
    low, high = summary.get("interval") or (None, None)
    return Measured(
        folder.name,
        read["benchmark"]["summary"] + (f", {dataset}" if datasets > 1 else ""),
        label,
        {"kid_efficientnet-lite0": "KID x 1,000 in EfficientNet-Lite0"}.get(score, f"`{score}`"),
        rounded(scale * summary["mean"]),
        "" if low is None else f"{rounded(scale * low)} to {rounded(scale * high)}",
        f"{place} of {len(summaries)}" if summary["runs"] >= FEWEST else "too few seeds",
        summary["runs"],
        f"../../{address(str(pictures[0].relative_to(ROOT)))}" if pictures else "",
    )


def rounded(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
