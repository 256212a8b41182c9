"""The queue: which runs of a plan are still to do, handed to an executor until none is left."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.base.files import write_json
from zoo.base.interrupts import Interrupted, stop_requests
from zoo.base.progress import Progress
from zoo.comparison.executors.contract import Ended, Executor
from zoo.comparison.job import BUSY, DIVERGED, DONE, EXIT_CODES, FAILED, JOB, OUTCOME, read_outcome, write_outcome
from zoo.comparison.plan import Cell

POLL_SECONDS = 0.2
ELSEWHERE_SECONDS = 5.0  # between looks at a run that another process writes
MISTAKES = (EXIT_CODES[DIVERGED],)  # what another attempt would only repeat


@dataclass
class Scheduler:
    """Runs every cell that has not come to its end, as many at once as the executor has slots.

    What is done is known from the run directories alone: a later call, on this machine or on another that shares
    them, continues where an earlier one was stopped.
    """

    executor: Executor
    cells: Sequence[Cell]
    describe: Callable[[Cell], dict[str, Any]]  # a cell's job.json
    retries: int
    progress: Progress
    attempts: dict[Path, int] = field(default_factory=dict)

    def run(self) -> None:
        """Work until every cell is done or has failed; after Ctrl-C every run is saved, and Interrupted is raised."""
        self.queue = deque(cell for cell in self.cells if is_to_do(cell.path))
        for cell in self.queue:
            if not (cell.path / JOB).exists():  # by which others know that it waits
                write_job(cell.path, self.describe(cell))
        self.running: dict[Path, Cell] = {}
        self.elsewhere: dict[Path, tuple[Cell, float]] = {}  # and when it is to be looked at again
        self.tell_beginning()
        with stop_requests() as stop_request:
            while self.queue or self.running or self.elsewhere:
                if stop_request.number is not None:
                    self.progress.note(f"Stopping: {len(self.running)} runs save what they have.")
                    self.executor.stop()
                    raise Interrupted(stop_request.number, "Stopped; the same command continues.")
                self.look_elsewhere()
                self.start_some()
                for ended in self.executor.ended():
                    self.finish(ended)
                time.sleep(POLL_SECONDS)

    def tell_beginning(self) -> None:
        """How much there is to do."""
        done = len(self.cells) - len(self.queue)
        self.progress.note(
            f"{len(self.cells)} runs, {done} of them at their end already, {self.executor.slots} at a time."
        )

    def start_some(self) -> None:
        """Fill the executor's slots."""
        while self.queue and len(self.running) < self.executor.slots:
            cell = self.queue.popleft()
            if not is_to_do(cell.path):  # another scheduler was faster
                continue
            write_job(cell.path, self.describe(cell))
            self.attempts[cell.path] = self.attempts.get(cell.path, 0) + 1
            self.running[cell.path] = cell
            self.executor.start(cell.path)

    def look_elsewhere(self) -> None:
        """Queue runs again that another process wrote, unless it brought them to their end."""
        for path, (cell, when) in list(self.elsewhere.items()):
            if time.monotonic() >= when:
                del self.elsewhere[path]
                if is_to_do(path):
                    self.queue.append(cell)

    def finish(self, ended: Ended) -> None:
        """Take note of a job's end: it is done, or fails for good, or is queued once more."""
        cell = self.running.pop(ended.path)
        if ended.exit_code == BUSY:
            self.attempts[cell.path] -= 1
            self.elsewhere[cell.path] = (cell, time.monotonic() + ELSEWHERE_SECONDS)
            return
        outcome = read_outcome(cell.path)
        if ended.exit_code == 0 and outcome is not None and outcome["state"] == DONE:
            self.progress.note(f"done      {cell.name} ({self.left} left)")
            return
        reason = outcome["reason"] if outcome else how_it_ended(ended)
        if ended.exit_code not in MISTAKES and self.attempts[cell.path] <= self.retries:
            (cell.path / OUTCOME).unlink(missing_ok=True)
            self.queue.append(cell)
            self.progress.note(f"again     {cell.name}: {reason}")
            return
        state = outcome["state"] if outcome else FAILED
        write_outcome(cell.path, state, reason, self.attempts[cell.path])
        self.progress.note(f"{state:<9} {cell.name}: {reason} ({self.left} left)")

    @property
    def left(self) -> int:
        """How many runs have not come to their end."""
        return len(self.queue) + len(self.running) + len(self.elsewhere)


def is_to_do(path: Path) -> bool:
    """Whether a run is neither done nor diverged; what failed otherwise may have been mended since."""
    outcome = read_outcome(path)
    return outcome is None or outcome["state"] not in (DONE, DIVERGED)


def write_job(path: Path, job: dict[str, Any]) -> None:
    """job.json, and no outcome any more."""
    path.mkdir(parents=True, exist_ok=True)
    (path / OUTCOME).unlink(missing_ok=True)
    write_json(path / JOB, job)


def how_it_ended(ended: Ended) -> str:
    """What is known of a job that left no outcome."""
    if ended.reason:
        return ended.reason
    if ended.exit_code is None:
        return "its machine or worker was lost"
    if ended.exit_code < 0:
        return f"its process was killed by signal {-ended.exit_code}; the end of log.txt may say why"
    return f"its process ended with exit code {ended.exit_code}; the end of log.txt may say why"
