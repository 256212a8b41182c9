"""Accessors to a comparison's data: its variants, datasets, scores, rankings and runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.comparison.report.words import finite, number
from zoo.health import HEALTHY

Comparison = Mapping[str, Any]
RunCell = Mapping[str, Any]
OPEN = ("waiting", "running", "stopped")  # the states of unfinished runs


@dataclass(frozen=True)
class Variant:
    """A variant's label, and its index in the comparison, which decides its colour, dash and marker."""

    index: int
    label: str

    @property
    def head(self) -> str:
        """The stack, which is the label without its settings."""
        return self.label.partition(",")[0]

    @property
    def settings(self) -> list[str]:
        """`generator_objective=minimax` and so on."""
        return [part for part in self.label.split(",")[1:] if part]


def variants_of(comparison: Comparison) -> list[Variant]:
    """The variants in the order of the command."""
    labels = dict.fromkeys(cell["label"] for cell in comparison["cells"])
    return [Variant(index, label) for index, label in enumerate(labels)]


def datasets_of(comparison: Comparison) -> list[str]:
    """The names of the datasets in the order of the command."""
    requested = (comparison.get("benchmark") or {}).get("datasets") or []
    return list(dict.fromkeys([*requested, *(cell["dataset"] for cell in comparison["cells"])]))


def runs_of(comparison: Comparison, dataset: str, label: str | None = None) -> list[RunCell]:
    """The runs on a dataset, of one variant or of all."""
    return [cell for cell in comparison["cells"] if cell["dataset"] == dataset and label in (None, cell["label"])]


def ranking_of(comparison: Comparison, dataset: str, score: str, stage: str) -> Mapping[str, Any]:
    """The ranking by a score at a stage (`last` or `best`); {} where there is none."""
    found = comparison.get("rankings", {}).get(dataset, {}).get(score, {}).get(stage)
    return found or {}


def value_of(cell: RunCell, stage: str, score: str) -> float | None:
    """The value of a run's score at a stage; None where it has none."""
    return finite(((cell.get(stage) or {}).get(score) or {}).get("value"))


def step_of(cell: RunCell, stage: str, score: str) -> int | None:
    """The step at which a run's score at a stage was measured; None where it has none."""
    step = ((cell.get(stage) or {}).get(score) or {}).get("step")
    return None if step is None else int(step)


def scores_of(comparison: Comparison, dataset: str) -> list[Mapping[str, Any]]:
    """The scores that any run on the dataset has, the deciding one first."""
    scores = sorted(comparison.get("scores") or [], key=lambda score: not score.get("decides"))
    runs = runs_of(comparison, dataset)
    return [score for score in scores if any(has_score(cell, score["name"]) for cell in runs)]


def has_score(cell: RunCell, score: str) -> bool:
    """Whether the score was ever measured of the run, finished or not."""
    curve = ((point.get("scores") or {}).get(score) for point in cell.get("curve") or [])
    return any(value_of(cell, stage, score) is not None for stage in ("last", "best")) or any(
        finite(value) is not None for value in curve
    )


def deciding_score(comparison: Comparison) -> str:
    """The name of the score by which variants are ranked; "" where there is none."""
    return next((str(score["name"]) for score in comparison.get("scores") or [] if score.get("decides")), "")


def headlines(comparison: Comparison, stage: str = "last") -> dict[str, str]:
    """The sentences of the rankings by the deciding score, by dataset."""
    name = deciding_score(comparison)
    ranked = {dataset: ranking_of(comparison, dataset, name, stage) for dataset in datasets_of(comparison)}
    return {dataset: str(ranking["sentence"]) for dataset, ranking in ranked.items() if ranking.get("sentence")}


def is_unhealthy(cell: RunCell) -> bool:
    """Whether a run's metrics or scores show that something is wrong; earlier comparisons do not say."""
    return bool(cell.get("health")) and cell["health"] != HEALTHY


def state_counts(cells: Sequence[RunCell]) -> dict[str, int]:
    """The number of runs in each state, `done` first."""
    order = ("done", "diverged", "failed", *OPEN)
    states = [cell["state"] for cell in cells]
    known = [state for state in order if state in states]
    return {state: states.count(state) for state in dict.fromkeys([*known, *states])}


def middle_run(cells: Sequence[RunCell], score: str) -> tuple[RunCell, str]:
    """(run, reason) of the run with the median last score (the lower of two); the first where none has a score."""
    scored = sorted((value, cell["seed"]) for cell in cells if (value := value_of(cell, "last", score)) is not None)
    if not scored:
        return cells[0], f"no run has a last {score}" if score else "no run has a score"
    value, seed = scored[(len(scored) - 1) // 2]
    cell = next(cell for cell in cells if cell["seed"] == seed)
    return cell, f"the median of {len(scored)}: {score} {number(value)}" if len(
        scored
    ) > 1 else f"{score} {number(value)}"
