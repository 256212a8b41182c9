"""evaluation.json: every score of a run, each with its protocol, for each checkpoint that was judged."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.backend.versions import installed_versions
from zoo.base.files import write_json
from zoo.errors import ZooError
from zoo.evaluation.protocol import protocol_differences

if TYPE_CHECKING:
    from zoo.evaluation.task import EvaluationResult

FORMAT = 1
EVALUATION = "evaluation.json"


@dataclass(frozen=True)
class EvaluationFile:
    """The evaluations of one run, or of one set of images."""

    path: Path

    def read(self) -> list[dict[str, Any]]:
        """The evaluations in the order of their steps; [] where there is no file."""
        if not self.path.exists():
            return []
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}, this version reads {FORMAT}")
            return list(content["evaluations"])
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise ZooError(
                f"{self.path} is damaged or of another version ({error}). Remove it and evaluate again."
            ) from error

    def write(self, evaluations: Sequence[Mapping[str, Any]]) -> None:
        """Write all of them, whole or not at all."""
        ordered = sorted(evaluations, key=lambda each: each.get("step") or 0)
        write_json(self.path, {"format": FORMAT, "evaluations": ordered})

    def add(self, evaluation: Mapping[str, Any]) -> None:
        """Add an evaluation; its scores replace those of the same samples, name and protocol."""
        kept = []
        for before in self.read():
            if all(before[name] == evaluation[name] for name in ("scored", "step", "periodic")):
                scores = [each for each in before["scores"] if not any(same(each, new) for new in evaluation["scores"])]
                before = {**before, "scores": scores}
            if before["scores"]:
                kept.append(before)
        self.write([*kept, evaluation])

    def cut_back(self, steps: int) -> None:
        """Remove evaluations of later steps."""
        evaluations = self.read()
        kept = [each for each in evaluations if (each.get("step") or 0) <= steps]
        if len(kept) < len(evaluations):
            self.write(kept)


def evaluation_record(
    scored: str,
    step: int | None,
    result: "EvaluationResult",
    periodic: bool = False,
    pictures: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One evaluation as evaluation.json keeps it: what was scored, when, by what, and the scores."""
    return {
        "scored": scored,
        "step": step,
        "periodic": periodic,
        "evaluated": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "seconds": round(result.seconds, 1),
        "versions": installed_versions(),
        "scores": result.scores,
        "pictures": dict(pictures or {}),
    }


def best_step(evaluations: Sequence[Mapping[str, Any]]) -> int | None:
    """The step whose first score is best among those that compare with the last evaluation's; None where none is."""
    if not evaluations:
        return None
    reference = evaluations[-1]["scores"][0]
    rivals = [
        (score["value"], each["step"])
        for each in evaluations
        for score in each["scores"]
        if score["name"] == reference["name"] and not protocol_differences(score["protocol"], reference["protocol"])
    ]
    sign = -1 if reference["better"] == "higher" else 1
    return min(rivals, key=lambda rival: (sign * rival[0], rival[1]))[1]


def is_as_good(value: float, target: float, better: str) -> bool:
    """Whether a value is at least as good as a target, where `better` is "higher" or "lower"."""
    return value >= target if better == "higher" else value <= target


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two scores are of one name and protocol, the draw of latents included."""
    return (
        one["name"] == other["name"]
        and one["protocol"]["seed"] == other["protocol"]["seed"]
        and not protocol_differences(one["protocol"], other["protocol"])
    )
