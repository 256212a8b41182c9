"""A run as the front shows it: that of zoo.training.run, which can be scored too, and seen in a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from zoo.base.html import paragraph, picture, table
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.evaluation.options import EvaluationOptions
from zoo.runs.directory import step_of_picture
from zoo.runs.metrics import number_text
from zoo.training import run

MEASURING = {field.name for field in fields(EvaluationOptions)}


class Evaluations(list[dict[str, Any]]):
    """Evaluations as evaluation.json holds them, one for each checkpoint; a notebook shows their scores as a table."""

    @property
    def scores(self) -> dict[str, float]:
        """The last value of each score, by its name."""
        return {score["name"]: score["value"] for each in self for score in each["scores"]}

    def _repr_html_(self) -> str:
        rows = [
            [each["step"], score["name"], number_text(score["value"]), interval(score), score["better"] or ""]
            for each in self
            for score in each["scores"]
        ]
        return table(("step", "score", "value", "interval", "better"), rows)


def interval(score: Mapping[str, Any]) -> str:
    """`0.0167 to 0.0177`; nothing where there is none."""
    return " to ".join(map(number_text, score["interval"] or ()))


@dataclass(frozen=True)
class Run(run.Run):
    """A run: what made it, what it measured, and its generator to sample from and to score."""

    def evaluate(self, **options: Any) -> Evaluations:
        """Score the run; returns what `zoo.evaluate(run)` does, and takes the same options.

        The fields of `zoo.EvaluationOptions` may stand among them: `run.evaluate(metrics=["kid"], samples=1000)`.
        """
        from zoo.evaluation.scoring import evaluate

        measuring = {name: options.pop(name) for name in MEASURING & set(options)}
        if measuring and "options" in options:
            raise ZooError(f"{', '.join(sorted(measuring))} stand beside `options`, which say the same. Give one.")
        if measuring:
            options["options"] = EvaluationOptions(**measuring)
        return Evaluations(evaluate(self, **options))

    @property
    def evaluations(self) -> Evaluations:
        """What evaluation.json holds, in the order of steps."""
        return Evaluations(EvaluationFile(self.path / EVALUATION).read())

    @property
    def latest_picture(self) -> Path | None:
        """The file of the last sample picture; None where none was drawn yet."""
        packed = self.path / "samples.png"  # beside its card
        return next(reversed(self.directory.pictures()), packed if packed.exists() else None)

    def _repr_png_(self) -> bytes | None:
        """The last sample picture, for notebooks."""
        return None if self.latest_picture is None else self.latest_picture.read_bytes()

    def _repr_html_(self) -> str:
        """What made the run, what it measured last, and its last sample picture, for notebooks."""
        record, metrics = self.record, self.metrics
        rows = {"dataset": record["dataset"]["name"], "seed": record["seed"]}
        if metrics:
            shown = ("step", "images", "seconds", "discriminator_loss", "generator_loss")
            rows |= {name: number_text(metrics[-1].get(name)) for name in shown if name in metrics[-1]}
        for evaluation in self.evaluations[-1:]:
            where = f" at step {evaluation['step']}"
            rows |= {score["name"] + where: number_text(score["value"]) for score in evaluation["scores"]}
        rows["folder"] = self.directory.called
        found = [paragraph(record["stack"], "h4"), table((), rows.items())]
        if self.latest_picture is not None:
            step = step_of_picture(self.latest_picture)
            found.append(picture(self.latest_picture.read_bytes(), "png", f"samples at step {step}"))
        return "".join(found)


load = Run.load
