"""Comparisons without processes of their own, each of which would import TensorFlow for itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from zoo.comparison.executors.contract import Ended
from zoo.comparison.job import exit_code_of
from zoo.comparison.rehearsal import problems_of


@contextmanager
def rehearsals_here() -> Iterator[None]:
    """What would stop a run is looked for in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.comparison.rehearsal.problems_found_apart", problems_of)
        yield


@contextmanager
def jobs_here() -> Iterator[None]:
    """Runs are tried out and trained in this process."""
    with rehearsals_here(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.comparison.comparing.open_executor", lambda choice, folder, catalogue: Here())
        yield


@dataclass
class Here:
    """An executor that runs each job to its end when it is started."""

    slots: int = 1
    codes: dict[Path, int] = field(default_factory=dict)

    def start(self, path: Path) -> None:
        self.codes[path] = exit_code_of(path)

    def ended(self) -> Sequence[Ended]:
        codes, self.codes = self.codes, {}
        return [Ended(path, code) for path, code in codes.items()]

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass
