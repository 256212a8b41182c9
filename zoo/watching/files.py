"""What the files of a run tell, however long they are, half written or gone the next moment."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EvaluationFile, best_step
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.runs.directory import RunDirectory, step_of
from zoo.watching.states import Budget, Pace, Scores

RECORD, GOAL, JOB, OUTCOME, LOG = "run.yaml", "goal.json", "job.json", "outcome.json", "log.txt"
FORMAT = 1  # of a job and an outcome
TAIL = 16_384  # bytes of metrics.jsonl that are read
RECENT_LINES = 20  # of metrics.jsonl, that the speed is taken from
Read = TypeVar("Read")


class Kept:
    """What was read of files and folders, until they change; what is half written counts as it was before."""

    def __init__(self) -> None:
        self.known: dict[Path, tuple[tuple[int, ...], Any]] = {}
        self.asked: set[Path] = set()

    def of(self, path: Path, read: Callable[[Path], Read], otherwise: Read) -> Read:
        """What `read` makes of the path; `otherwise` where it is missing or never was whole."""
        self.asked.add(path)
        try:
            stat = path.stat()
        except OSError:
            self.known.pop(path, None)
            return otherwise
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        before, value = self.known.get(path, (None, otherwise))
        if before != stamp:
            try:
                value = read(path)
            except (OSError, ZooError, ValueError, LookupError, TypeError, AttributeError):
                return value
            self.known[path] = (stamp, value)
        return value

    def forget_unasked(self) -> None:
        """Drop what nobody asked for since the last call: runs that are gone."""
        self.known = {path: each for path, each in self.known.items() if path in self.asked}
        self.asked = set()


def run_folders(folder: Path) -> Iterator[Path]:
    """The folders of runs at any depth, but for those in hidden folders, in other runs and behind links."""
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    except OSError:  # it is gone, or not ours to read
        return
    if RECORD in found or JOB in found:
        yield folder
        return
    for name, is_folder in found.items():
        if is_folder and not name.startswith("."):
            yield from run_folders(folder / name)


def modified(path: Path) -> float:
    """When it was written, in seconds; 0 where it is missing."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def read_document(path: Path) -> dict[str, Any]:
    """A job or an outcome."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}, this version reads {FORMAT}")
    return dict(document)


def read_goal(path: Path) -> Budget:
    """The total that a run is trained to, as it wrote down when it began."""
    goal = json.loads(path.read_text(encoding="utf-8"))
    return Budget(goal["steps"], goal["seconds"])


def read_record(path: Path) -> dict[str, Any]:
    """What run.yaml says the run is."""
    record = RunDirectory(path.parent).record() or {}
    return {"stack": record["stack"], "dataset": record["dataset"]["name"], "seed": record["seed"]}


def read_last_checkpoint(folder: Path) -> tuple[int, float]:
    """The step of the last checkpoint, and when it was written."""
    paths = RunDirectory(folder.parent).checkpoints.paths()
    return (step_of_checkpoint(paths[-1]), paths[-1].stat().st_mtime) if paths else (0, 0.0)


def read_pace(path: Path) -> Pace:
    """What the last lines of metrics.jsonl tell; its end alone is read, however long it is."""
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


def read_scores(path: Path) -> Scores | None:
    """The scores that were measured while the run trained; the first one of an evaluation decides what is best."""
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
    """The budget that a job names, as far as it is one of steps or of time; its run knows more once it began."""
    named = {**(job.get("question") or {}).get("budget", {}), **job}
    steps, minutes = named.get("total_steps", named.get("steps")), named.get("minutes")
    return Budget(
        steps if isinstance(steps, int) else None,
        60.0 * minutes if isinstance(minutes, int | float) else None,
    )
