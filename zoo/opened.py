"""A run as the front shows it: that of zoo.training.run, which can be scored too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.runs.finding import find_run
from zoo.training import run


@dataclass(frozen=True)
class Run(run.Run):
    """A run: what made it, what it measured, and its generator to sample from and to score."""

    def evaluate(self, **options: Any) -> list[dict[str, Any]]:
        """Score the run; returns what `zoo.evaluate(run)` does, and takes the same options."""
        from zoo.evaluation.scoring import evaluate

        return evaluate(self, **options)


def load(path: Path | str, dataset: Path | str | None = None) -> Run:
    """Open a run by its directory, a folder with only one run in it, a pretrained name or an address (`hf://...`).

    `dataset` is where its data is to be had where that has moved; a generator that takes latents alone needs none.
    """
    return Run(find_run(Path(path)), None if dataset is None else str(dataset))
