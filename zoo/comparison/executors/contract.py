"""What the hook `executor` returns: it trains run directories somewhere, and knows nothing of their comparison."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Ended:
    """A job that has ended, well or not; what it did lies in its run directory."""

    path: Path  # the run directory that was given to `start`
    exit_code: int | None  # of its process; negative for a signal; None where its machine or worker was lost
    reason: str = ""  # what the executor knows beyond that; "" where the exit code says all


class Executor(Protocol):
    """Where jobs run. A job is `python -m zoo.comparison.job RUN_DIRECTORY`, which reads the folder's job.json.

    The scheduler calls `start` for at most `slots` jobs at a time, polls `ended`, and starts again what failed.
    """

    @property
    def slots(self) -> int:
        """How many jobs run at once; read again before each start, since a cluster may grow."""

    def start(self, path: Path) -> None:
        """Begin a job; its output goes to `log.txt` in the run directory, added to what is there."""

    def ended(self) -> Sequence[Ended]:
        """The jobs that have ended since the last call; never waits."""

    def stop(self) -> None:
        """Ask every job to save and end, as Ctrl-C does, and wait until all have; those that do not are killed."""

    def close(self) -> None:
        """Give back what the executor holds, such as a cluster's connection; stops nothing that it did not start."""


def job_command(path: Path, python: str = sys.executable) -> list[str]:
    """The command of the job of a run directory, by this Python or by that of another machine."""
    return [*python_module("zoo.comparison.job", python), str(path)]


def python_module(name: str, python: str) -> list[str]:
    """The command of a module; -P keeps files of the working directory from being taken for modules."""
    return [python, "-P", "-m", name]
