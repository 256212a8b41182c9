"""The plan of a comparison: a grid of variants x datasets x seeds, in which each cell is a run with its directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.names import dataset_folder, short_name
from zoo.base.plain_data import plain
from zoo.comparison.candidates import Candidate
from zoo.data.options import DataOptions
from zoo.errors import ZooError
from zoo.runs.directory import differences

RUNS = "runs"
BUDGETS = ("images", "epochs", "steps", "minutes")


@dataclass(frozen=True)
class Setup:
    """The setup that all runs of a comparison share: their budget, how they are evaluated, how data is read."""

    budget: Mapping[str, float]  # amount by unit, which is one of BUDGETS
    evaluations: int  # evaluations of each run, evenly spread, the last one at its end
    metrics: tuple[str, ...]  # the first one decides
    samples: int  # generated samples of each evaluation
    extractor: str | None = None
    settings: tuple[str, ...] = ()  # recipe values of all runs, each `key=value`
    until: float | None = None  # a first score as good as this ends a run
    data_options: DataOptions = field(default_factory=DataOptions)

    def record(self) -> dict[str, Any]:
        """The content of question.json, and of `question` in job.json."""
        fields = {name: value for name, value in vars(self).items() if name != "data_options"}
        options = {name: value for name, value in vars(self.data_options).items() if value is not None}
        return dict(plain({**fields, "budget": dict(self.budget), "look": options}))


@dataclass(frozen=True)
class Cell:
    """One run of the grid."""

    candidate: Candidate
    dataset: str
    seed: int
    path: Path  # the run directory

    @property
    def name(self) -> str:
        """`dcgan on mnist, seed 0`."""
        return f"{self.candidate.label} on {short_name(self.dataset)}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """A comparison: its grid of runs, their common setup, and its folder."""

    title: str
    candidates: Sequence[Candidate]
    datasets: Sequence[str]
    seeds: Sequence[int]
    setup: Setup
    folder: Path
    benchmark: str | None = None
    summary: str = ""
    data_dir: Path | None = None
    plugins: Sequence[Path] = ()
    engine: EngineOptions = DEFAULT_ENGINE
    sweep: Mapping[str, Sequence[str]] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)  # names of datasets' folders that are not the default

    def cells(self) -> list[Cell]:
        """Every run, ordered by seed first, so that an unfinished comparison has runs of all variants."""
        return [
            Cell(candidate, dataset, seed, self.run_path(candidate, dataset, seed))
            for seed in self.seeds
            for dataset in self.datasets
            for candidate in self.candidates
        ]

    def run_path(self, candidate: Candidate, dataset: str, seed: int) -> Path:
        """<folder>/runs/<label>/<dataset>/<seed>"""
        name = self.folders.get(dataset) or dataset_folder(dataset)
        return self.folder_of(candidate) / name / str(seed)

    def folder_of(self, candidate: Candidate) -> Path:
        """<folder>/runs/<label>"""
        return self.folder / RUNS / quote(candidate.label, safe="+,=", errors="surrogateescape")

    def job(self, cell: Cell) -> dict[str, Any]:
        """The content of job.json: all that a machine needs to train and evaluate a run."""
        return {
            "format": 1,
            "label": cell.candidate.label,
            "stack": cell.candidate.stack,
            "dataset": cell.dataset,
            "seed": cell.seed,
            "settings": [*self.setup.settings, *cell.candidate.settings],
            "settings_of_label": list(cell.candidate.settings),
            "question": self.setup.record(),
            "data_dir": str(self.data_dir.absolute()) if self.data_dir else None,
            "plugins": [str(Path(each).absolute()) for each in self.plugins],
            "engine": {
                name: getattr(self.engine, name) for name in ("backend", "precision", "devices", "deterministic")
            },
        }


def check_same_setup(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises ZooError, with the differences, where a folder's runs have another setup: scores would not compare."""
    keys = dict.fromkeys([*before, *now])
    if found := [line for key in keys for line in differences(key, before.get(key), now.get(key))]:
        raise ZooError(
            f"{path} holds a comparison with another setup:\n  "
            + "\n  ".join(found)
            + "\nRepeat its options, or choose another folder: --out DIR."
        )
