"""Scores while a run trains, measured in the same way each time, and the checkpoint with the best one."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.progress import Progress
from zoo.catalogue import Catalogue
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile, best_step, evaluation_record, is_as_good
from zoo.evaluation.options import JUDGED_BY, EvaluationOptions
from zoo.evaluation.setup import evaluation_task
from zoo.evaluation.task import EvaluationTask
from zoo.runs.directory import RunDirectory
from zoo.training.data_of_run import DataOfRun

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.training.players import Generating
    from zoo.training.sampler import Sampler


@dataclass(frozen=True)
class PeriodicJudge:
    """Scores a run's generator every so many steps into its evaluation.json, and keeps the best checkpoint."""

    directory: RunDirectory
    task: EvaluationTask
    options: EvaluationOptions
    patience: int | None = None
    until: float | None = None

    @property
    def file(self) -> EvaluationFile:
        return EvaluationFile(self.directory.path / EVALUATION)

    def judge(self, sampler: "Sampler", step: int) -> dict[str, Any] | None:
        """Score the generator of a step whose checkpoint is saved: its evaluation, None where that is done already."""
        evaluation = None
        if not any(each["step"] == step for each in self.periodic()):
            result = self.task.score_generator(sampler, self.options)
            evaluation = evaluation_record(str(self.directory.path), step, result, periodic=True)
            self.file.add(evaluation)
            first = result.scores[0]
            self.task.progress.note(f"step {step}: {first['name']} {first['value']:.4g}")
        self.keep_best(step)
        return evaluation

    def periodic(self) -> list[dict[str, Any]]:
        """The evaluations that were made while the run trained."""
        return [each for each in self.file.read() if each["periodic"]]

    def keep_best(self, step: int) -> None:
        """Keep the step's checkpoint where its first score is the best of the run so far, or none is kept yet."""
        checkpoints = self.directory.checkpoints
        if best_step(self.periodic()) == step or checkpoints.best() is None:
            checkpoints.keep_as_best(checkpoints.path(step))

    def reason_to_stop(self) -> str:
        """Why training is to stop: the first score is as good as wanted, or does not improve; "" for no reason."""
        evaluations = self.periodic()
        best = best_step(evaluations)
        if best is None:
            return ""
        score = next(each for each in evaluations if each["step"] == best)["scores"][0]
        if self.until is not None and is_as_good(score["value"], self.until, score["better"]):
            return f"{score['name']} is {score['value']:.4g}, and --until asks for {self.until:g}"
        if self.patience is not None and sum(each["step"] > best for each in evaluations) >= self.patience:
            return "the score has not improved for as many evaluations as --patience says"
        return ""

    def forget_after(self, steps: int) -> None:
        """Drop the scores of later steps."""
        self.file.cut_back(steps)


@contextmanager
def judging(
    directory: RunDirectory,
    training: "Dataset",
    record: Mapping[str, Any],
    options: EvaluationOptions,
    catalogue: Catalogue,
    progress: Progress,
    generating: "Generating | None" = None,
    patience: int | None = None,
    until: float | None = None,
) -> Iterator[PeriodicJudge]:
    """The judge of a run on `training`, described by run.yaml's `record`; without named metrics by `JUDGED_BY`."""
    kind = "images" if training.is_image else "points"
    chosen = replace(options, metrics=options.metrics or JUDGED_BY[kind])
    data = DataOfRun(record, directory.path, catalogue, options.data_dir, named=training.name, progress=progress)
    real = data.split(options.split)
    with tempfile.TemporaryDirectory() as scratch:
        task = evaluation_task(real, training, chosen, catalogue, Path(scratch), progress, generating=generating)
        yield PeriodicJudge(directory, task, options, patience, until)
