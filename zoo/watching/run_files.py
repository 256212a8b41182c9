"""Reads the files of a run, which may be long, half written, or deleted at any moment."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile, best_step
from zoo.health import word_of
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.runs.directory import RunDirectory, step_of
from zoo.watching.states import Budget, Pace, Scores

RECORD, GOAL, JOB, OUTCOME, LOG = "run.yaml", "goal.json", "job.json", "outcome.json", "log.txt"
MARKERS = (RECORD, JOB)  # one of them is in every run directory, also of a run that waits
FORMAT = 1  # the format of job.json and outcome.json that this version reads
TAIL = 16_384  # bytes at the end of metrics.jsonl that are read
RECENT_LINES = 20  # last lines of metrics.jsonl that the speed is computed from
Read = TypeVar("Read")
Key = tuple[Path, str]  # of a value: its file, and the name of what reads it
Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class Value:
    """What was read, of which state of the files, when that ended and how long it took."""

    value: Any
    stamp: Stamp | None = None
    end: float = 0.0
    seconds: float = 0.0


class FileCache:
    """Values read from files and folders, until these change; a half-written file keeps its earlier value."""

    def __init__(self) -> None:
        self.known: dict[Key, Value] = {}
        self.used: set[Key] = set()

    def get(
        self, path: Path, read: Callable[[Path], Read], default: Read, beside: Sequence[str] = (), share: float = 1.0
    ) -> Read:
        """The value of read(path); `default` where the path is missing, or could never be read.

        `beside` are names of files in the same folder that `read` looks at too. Reading takes no more than this share
        of the time: what takes long is not read again at once, though it has changed.
        """
        key = (path, read.__name__)
        self.used.add(key)
        stamp = (stamp_of(path), *(stamp_of(path.with_name(name)) for name in beside))
        if stamp[0] is None:
            self.known.pop(key, None)
            return default
        known = self.known.get(key, Value(default))
        began = time.monotonic()
        if known.stamp != stamp and began >= known.end + known.seconds * (1 / share - 1):
            try:
                value = read(path)
            except (OSError, ZooError, ValueError, LookupError, TypeError, AttributeError):
                return cast("Read", known.value)
            end = time.monotonic()
            self.known[key] = known = Value(value, stamp, end, end - began)
        return cast("Read", known.value)

    def forget_unused(self) -> None:
        """Drops the values that were not used since the last call: those of deleted runs."""
        self.known = {key: each for key, each in self.known.items() if key in self.used}
        self.used = set()


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """What changes where a file does; None where it is missing."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def read_document(path: Path) -> dict[str, Any]:
    """The content of job.json or outcome.json; raises ValueError for another version's format."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}, this version reads {FORMAT}")
    return dict(document)


def read_goal(path: Path) -> Budget:
    """The run's budget from goal.json, which it writes when it begins."""
    goal = json.loads(path.read_text(encoding="utf-8"))
    return Budget(goal["steps"], goal["seconds"])


def read_record(path: Path) -> dict[str, Any]:
    """Stack, dataset and seed from run.yaml."""
    record = RunDirectory(path.parent).record() or {}
    return {"stack": record["stack"], "dataset": record["dataset"]["name"], "seed": record["seed"]}


def read_last_checkpoint(folder: Path) -> tuple[int, float]:
    """(step, modification time) of the last checkpoint in a folder; (0, 0.0) where there is none."""
    paths = RunDirectory(folder.parent).checkpoints.paths()
    return (step_of_checkpoint(paths[-1]), paths[-1].stat().st_mtime) if paths else (0, 0.0)


def read_pace(path: Path) -> Pace:
    """Step, speed and losses from the last lines of metrics.jsonl, of which only the end is read."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        texts = file.read().decode(errors="replace").splitlines()
    lines = [json.loads(text) for text in texts if step_of(text) < float("inf")][-RECENT_LINES:]
    if not lines:
        return Pace()
    nothing = {"step": 0, "images": 0, "seconds": 0.0}
    first, last = (lines[0] if len(lines) > 1 else nothing), lines[-1]
    seconds = last["seconds"] - first["seconds"]
    steps, images = ((last[name] - first[name]) / seconds if seconds > 0 else None for name in ("step", "images"))
    losses = {name: float(value) for name, value in last.items() if name.endswith("_loss")}
    return Pace(int(last["step"]), float(last["seconds"]), steps, images, losses)


def read_health(path: Path) -> str:
    """A run's health in a word, from all of metrics.jsonl and evaluation.json."""
    folder = path.parent
    return word_of(RunDirectory(folder).read_metrics(), EvaluationFile(folder / EVALUATION).read())


def read_scores(path: Path) -> Scores | None:
    """The first score of the evaluations during training, which decides the best one; None without evaluations."""
    evaluations = [each for each in EvaluationFile(path).read() if each["periodic"]]
    best = best_step(evaluations)
    if best is None:
        return None
    last = evaluations[-1]["scores"][0]
    values = {
        each["step"]: float(score["value"])
        for each in evaluations
        for score in each["scores"]
        if score["name"] == last["name"]
    }
    return Scores(last["name"], last["better"], float(last["value"]), values[best], best)


def budget_of(job: Mapping[str, Any]) -> Budget:
    """The budget in job.json, where it is one of steps or minutes; goal.json has any, but is written later."""
    named = {**(job.get("question") or {}).get("budget", {}), **job}
    steps, minutes = named.get("total_steps", named.get("steps")), named.get("minutes")
    return Budget(
        steps if isinstance(steps, int) else None,
        60.0 * minutes if isinstance(minutes, int | float) else None,
    )
