"""What a comparison is to train and to score: variants x datasets x seeds, each a run with a directory of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.comparison.candidates import Candidate
from zoo.data.options import DataOptions
from zoo.errors import ZooError
from zoo.runs.directory import differences, folder_name, normal

RUNS = "runs"
BUDGETS = ("images", "epochs", "steps", "minutes")


@dataclass(frozen=True)
class Question:
    """What all runs of a comparison share: how long each trains, how it is scored, how its data is read."""

    budget: Mapping[str, float]  # one of BUDGETS
    evaluations: int  # of each run, evenly spread, the last at its end
    metrics: tuple[str, ...]  # the first decides
    samples: int
    extractor: str | None = None
    settings: tuple[str, ...] = ()  # recipe values for all, each `key=value`
    look: DataOptions = field(default_factory=DataOptions)

    def record(self) -> dict[str, Any]:
        """As plain data."""
        look = {name: value for name, value in vars(self.look).items() if value is not None}
        return dict(normal({**vars(self), "budget": dict(self.budget), "look": look}))


@dataclass(frozen=True)
class Cell:
    """One run of the grid."""

    candidate: Candidate
    dataset: str
    seed: int
    path: Path  # of its run directory

    @property
    def name(self) -> str:
        """How lines of progress call it."""
        return f"{self.candidate.label} on {self.dataset}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """A comparison: its grid, its question, and where everything lies."""

    title: str
    candidates: Sequence[Candidate]
    datasets: Sequence[str]
    seeds: Sequence[int]
    question: Question
    folder: Path
    benchmark: str | None = None
    summary: str = ""
    data_dir: Path | None = None
    plugins: Sequence[Path] = ()
    engine: EngineOptions = DEFAULT_ENGINE
    sweep: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """Every run, seed by seed, so that an early look at the report has all variants."""
        return [
            Cell(candidate, dataset, seed, self.run_path(candidate, dataset, seed))
            for seed in self.seeds
            for dataset in self.datasets
            for candidate in self.candidates
        ]

    def run_path(self, candidate: Candidate, dataset: str, seed: int) -> Path:
        """<folder>/runs/<label>/<dataset>/<seed>"""
        label = quote(candidate.label, safe="+,=")
        return self.folder / RUNS / label / folder_name(dataset) / str(seed)

    def job(self, cell: Cell) -> dict[str, Any]:
        """job.json: all that trains and scores a run, on whatever machine."""
        return {
            "format": 1,
            "label": cell.candidate.label,
            "stack": cell.candidate.stack,
            "dataset": cell.dataset,
            "seed": cell.seed,
            "settings": [*self.question.settings, *cell.candidate.settings],
            "settings_of_label": list(cell.candidate.settings),
            "question": self.question.record(),
            "data_dir": str(self.data_dir.absolute()) if self.data_dir else None,
            "plugins": [str(Path(each).absolute()) for each in self.plugins],
            "engine": {
                name: getattr(self.engine, name) for name in ("backend", "precision", "devices", "deterministic")
            },
        }


def check_same_question(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises ZooError where a folder holds runs of another question: their scores would not compare."""
    keys = dict.fromkeys([*before, *now])
    if found := [line for key in keys for line in differences(key, before.get(key), now.get(key))]:
        raise ZooError(
            f"{path} holds a comparison that was asked otherwise:\n  "
            + "\n  ".join(found)
            + "\nAsk as before, or choose another folder: --out DIR."
        )
