"""The scheduler: hands the unfinished runs of a plan to an executor until none is left."""

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
ELSEWHERE_SECONDS = 5.0  # seconds after which a run that another process writes is tried again
MISTAKES = (EXIT_CODES[DIVERGED],)  # exit codes that another attempt would only repeat


@dataclass
class Scheduler:
    """Runs every cell that has not ended, as many at once as the executor has slots.

    The run directories alone say which runs are done: a later call, on this machine or on another that shares them,
    continues where an earlier one was stopped.
    """

    executor: Executor
    cells: Sequence[Cell]
    describe: Callable[[Cell], dict[str, Any]]  # returns the content of a cell's job.json
    retries: int
    progress: Progress
    attempts: dict[Path, int] = field(default_factory=dict)

    def run(self) -> None:
        """Returns when every cell is done or has failed; after Ctrl-C saves every run, and raises Interrupted."""
        self.queue = deque(cell for cell in self.cells if is_to_do(cell.path))
        for cell in self.queue:
            if not (cell.path / JOB).exists():  # the file by which `zoo watch` knows that the run waits
                write_job(cell.path, self.describe(cell))
        self.running: dict[Path, Cell] = {}
        self.elsewhere: dict[Path, tuple[Cell, float]] = {}  # with the time of the next try
        self.report_start()
        with stop_requests() as stop_request:
            while self.queue or self.running or self.elsewhere:
                if stop_request.number is not None:
                    self.progress.note(f"Stopping: {len(self.running)} runs save what they have.")
                    self.executor.stop()
                    raise Interrupted(stop_request.number, "Stopped; the same command continues.")
                self.requeue_elsewhere()
                self.start_some()
                for ended in self.executor.ended():
                    self.finish(ended)
                time.sleep(POLL_SECONDS)

    def report_start(self) -> None:
        done = len(self.cells) - len(self.queue)
        self.progress.note(
            f"{len(self.cells)} runs, {done} of them at their end already, {self.executor.slots} at a time."
        )

    def start_some(self) -> None:
        while self.queue and len(self.running) < self.executor.slots:
            cell = self.queue.popleft()
            if not is_to_do(cell.path):  # another scheduler has finished it meanwhile
                continue
            write_job(cell.path, self.describe(cell))
            self.attempts[cell.path] = self.attempts.get(cell.path, 0) + 1
            self.running[cell.path] = cell
            self.executor.start(cell.path)

    def requeue_elsewhere(self) -> None:
        """Queues the runs again that another process was writing, unless they have ended since."""
        for path, (cell, when) in list(self.elsewhere.items()):
            if time.monotonic() >= when:
                del self.elsewhere[path]
                if is_to_do(path):
                    self.queue.append(cell)

    def finish(self, ended: Ended) -> None:
        """Handles the end of a job: it is done, has failed for good, or is queued once more."""
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
        """The number of runs that have not ended."""
        return len(self.queue) + len(self.running) + len(self.elsewhere)


def is_to_do(path: Path) -> bool:
    """Whether a run is neither done nor diverged; other failures may have been fixed since."""
    outcome = read_outcome(path)
    return outcome is None or outcome["state"] not in (DONE, DIVERGED)


def write_job(path: Path, job: dict[str, Any]) -> None:
    """Writes job.json, and removes the outcome of an earlier attempt."""
    path.mkdir(parents=True, exist_ok=True)
    (path / OUTCOME).unlink(missing_ok=True)
    write_json(path / JOB, job)


def how_it_ended(ended: Ended) -> str:
    """The reason why a job left no outcome, in words."""
    if ended.reason:
        return ended.reason
    if ended.exit_code is None:
        return "its machine or worker was lost"
    if ended.exit_code < 0:
        return f"its process was killed by signal {-ended.exit_code}; the end of log.txt may say why"
    return f"its process ended with exit code {ended.exit_code}; the end of log.txt may say why"
