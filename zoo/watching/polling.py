"""Polls the states of all runs below some folders; nothing is written there, and no lock is taken."""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.base.files import modified
from zoo.evaluation.evaluation_file import EVALUATION
from zoo.runs.finding import run_folders
from zoo.watching.locks import read_locks
from zoo.watching.run_files import (
    GOAL,
    JOB,
    LOG,
    MARKERS,
    OUTCOME,
    RECORD,
    FileCache,
    budget_of,
    read_document,
    read_goal,
    read_health,
    read_last_checkpoint,
    read_pace,
    read_record,
    read_scores,
)
from zoo.watching.states import DIVERGED, DONE, ENDED, FAILED, RUNNING, STOPPED, WAITING, Pace, RunState

RECENT_SECONDS = 120.0  # twice the time between checkpoints
LOG_SECONDS = 20.0  # twice the time between lines of a job's log, also before training and during evaluations
SETTLED_SECONDS = 5.0  # age at which a file is complete, whatever the resolution of the file system's clock
LOOKING = 0.01  # the share of time, at most, in which the health of a run that is being written is looked at
NOTHING: dict[str, Any] = {}


class Watch:
    """Reads the states of the runs in some folders; a file is read again only when it has changed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = folders
        self.cache = FileCache()
        self.settled: dict[Path, tuple[float, RunState]] = {}  # ended runs, with their folder's modification time

    def runs(self) -> list[RunState]:
        """The current state of every run, sorted by folder."""
        locks, now = read_locks(), time.time()
        paths = {path.absolute(): path for folder in self.folders for path in run_folders(folder, MARKERS)}
        runs = [self.run(paths[each], locks.held(each / ".lock"), now) for each in sorted(paths, key=natural)]
        self.cache.forget_unused()
        self.settled = {path: self.settled[path] for path in paths.values() if path in self.settled}
        return runs

    def run(self, path: Path, held: bool | None, now: float) -> RunState:
        """The state of one run, whose lock is held, free or unknown (None); not read again once it has ended."""
        changed = modified(path)
        before, run = self.settled.get(path, (None, None))
        if run is None or held is not False or before != changed:
            run = self.read(path, held, now)
            if run.state in ENDED and held is False and now - changed > SETTLED_SECONDS:
                self.settled[path] = changed, run
        return run

    def read(self, path: Path, held: bool | None, now: float) -> RunState:
        """The state of one run, read from its files."""
        job, outcome = (self.cache.get(path / name, read_document, NOTHING) for name in (JOB, OUTCOME))
        pace = self.cache.get(path / "metrics.jsonl", read_pace, Pace())
        saved, saved_at = self.cache.get(path / "checkpoints", read_last_checkpoint, (0, 0.0))
        step, budget = max(pace.step, saved), self.cache.get(path / GOAL, read_goal, budget_of(job))
        state = state_of(path, held, outcome, saved_at, now)
        return RunState(
            path,
            **self.names(path, job),
            state=state,
            step=step,
            total=budget.steps,
            share=budget.share(step, pace.seconds),
            images_per_second=pace.images_per_second,
            seconds_left=budget.seconds_left(step, pace) if state == RUNNING else None,
            losses=pace.losses,
            scores=self.cache.get(path / EVALUATION, read_scores, None),
            reason=str(outcome.get("reason") or "") if state in (FAILED, DIVERGED) else "",
            health=self.cache.get(
                path / "metrics.jsonl",
                read_health,
                "",
                beside=(EVALUATION,),
                share=1.0 if state in ENDED else LOOKING,
            ),
        )

    def names(self, path: Path, job: Mapping[str, Any]) -> dict[str, Any]:
        """Label, stack, dataset and seed of the run from job.json, else run.yaml, else the folder's name."""
        record = NOTHING if job else self.cache.get(path / RECORD, read_record, NOTHING)
        stack = str(job.get("stack") or record.get("stack") or path.name)
        seed = job.get("seed", record.get("seed"))
        return {
            "label": str(job.get("label") or stack),
            "stack": stack,
            "dataset": str(job.get("dataset") or record.get("dataset") or ""),
            "seed": seed if isinstance(seed, int) else None,
        }


def state_of(path: Path, held: bool | None, outcome: Mapping[str, Any], saved_at: float, now: float) -> str:
    """One of STATES; where the lock is unknown, a run whose files changed lately counts as running."""
    if held or (now - modified(path / LOG) < LOG_SECONDS and not outcome):
        return RUNNING
    if outcome.get("state") in ENDED:
        return str(outcome["state"])
    generator_at = modified(path / "generator.keras")
    if generator_at and generator_at >= saved_at:
        return DONE
    if not (path / RECORD).exists():
        return WAITING
    written = max(modified(path / name) for name in (RECORD, "metrics.jsonl", "samples", "checkpoints"))
    return RUNNING if held is None and now - written < RECENT_SECONDS else STOPPED


def natural(path: Path) -> list[list[tuple[int, str]]]:
    """A sort key by which seed 10 comes after seed 9."""
    return [[(int(text or 0), word) for word, text in re.findall(r"(\D+)|(\d+)", part)] for part in path.parts]
