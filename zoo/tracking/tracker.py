"""What the trackers of other makers have in common: a run is tracked as one run, whatever its sittings.

Trackers only append, so that nothing is written anew as for TensorBoard. `trackers/NAME.json` in the run directory
holds the tracked run's id, and up to which step it has received lines, pictures and scores: a sitting that continues
goes on there, and what was trained without the tracker is sent first. What a resumed run trains again, it trains bit
for bit again; so it is not sent twice.
"""

import importlib.util
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from zoo.base.files import read_json, write_json
from zoo.base.names import short_name
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.runs.directory import RunDirectory, step_of_picture
from zoo.training.listeners import Listener

FOLDER = "trackers"
PROJECT = "gan-zoo"  # where the tracker's own settings name no other
SAMPLES = "samples"  # the name of the pictures
LINES, PICTURES, SCORES = "lines", "pictures", "scores"  # what is sent, each up to a step of its own
UNUSUAL = re.compile(r"[^\w./ -]")  # what some tracker does not take in a name


def check_package(package: str, extra: str) -> None:
    """Raise ZooError where a tracker's package is missing."""
    if importlib.util.find_spec(package) is None:
        raise ZooError(
            f"--listener {extra} needs the package {package}: pip install 'gan-zoo[{extra}]'. A run's metrics.jsonl, "
            "evaluation.json and samples/ hold the same without it."
        )


class Tracker(Listener, ABC):
    """A listener that sends a run's metrics, scores and sample pictures, each once, to one tracked run."""

    name: ClassVar[str]  # in registry.yaml
    advice: ClassVar[str]  # what to do where it can't be reached

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self.file = directory.path / FOLDER / f"{self.name}.json"
        self.sent: dict[str, int] = {}  # the last step of each kind
        self.run: str | None = None  # the id of the tracked run
        self.is_open = False
        self.end: BaseException | None = None  # what ended the run

    @abstractmethod
    def open(self, run: str | None) -> str:
        """Begin a tracked run, or go on with the one of that id; returns the id."""

    @abstractmethod
    def log_numbers(self, step: int, numbers: Mapping[str, float]) -> None:
        """Send numbers by name."""

    @abstractmethod
    def log_picture(self, step: int, picture: Path) -> None:
        """Send the picture of that step."""

    @abstractmethod
    def finish(self, end: BaseException | None) -> None:
        """End the sitting; `end` is the exception that ended the run, if one did."""

    @property
    def title(self) -> str:
        """What the tracked run is called: `dcgan-fashion_mini-0`."""
        record = self.record
        return f"{record['stack']}-{short_name(record['dataset']['name'])}-{record['seed']}"

    @property
    def record(self) -> dict[str, Any]:
        """run.yaml: the recipe and all else that made the run."""
        return self.directory.record() or {}

    def begin(self) -> None:
        """Open the tracked run, and send what the run directory holds beyond it."""
        notes = read_json(self.file) or {}
        self.sent = dict(notes.get("sent", {}))
        try:
            self.run = self.open(notes.get("run"))
            self.is_open = True
            self.file.parent.mkdir(exist_ok=True)
            self.write()
            for send in self.history():
                send()
        except Exception as error:  # of any kind: a server that is away, a key that is wrong
            found = f", or remove {self.file} to begin a new tracked run" if notes else ""
            raise ZooError(
                f"The listener {self.name} can't begin: {type(error).__name__}: {error}. {self.advice}{found}."
            ) from error

    def history(self) -> Iterator[Callable[[], None]]:
        """What sends each line, picture and evaluation of the run so far, by their steps."""
        found: list[tuple[int, Callable[[], None]]] = []
        for line in self.directory.read_metrics():
            found.append((int(line["step"]), lambda line=line: self.measured(line)))  # type: ignore[misc]
        for picture in self.directory.pictures():
            step = step_of_picture(picture)
            found.append((step, lambda step=step, picture=picture: self.pictured(step, picture)))  # type: ignore[misc]
        for evaluation in EvaluationFile(self.directory.path / EVALUATION).read():
            if evaluation["periodic"]:
                found.append((evaluation["step"], lambda each=evaluation: self.scored(each)))  # type: ignore[misc]
        return (send for _, send in sorted(found, key=lambda each: each[0]))

    def measured(self, line: Mapping[str, float]) -> None:
        """Every number of the line, at its step."""
        numbers = {named(name): value for name, value in line.items() if name != "step"}
        self.send(LINES, int(line["step"]), lambda step: self.log_numbers(step, numbers))

    def pictured(self, step: int, picture: Path) -> None:
        self.send(PICTURES, step, lambda step: self.log_picture(step, picture))

    def scored(self, evaluation: Mapping[str, Any]) -> None:
        """Every score, as `scores/kid` or the like."""
        scores = {named(f"scores/{score['name']}"): score["value"] for score in evaluation["scores"]}
        self.send(SCORES, int(evaluation["step"]), lambda step: self.log_numbers(step, scores))

    def send(self, kind: str, step: int, act: Callable[[int], None]) -> None:
        """Send what the tracked run has not received yet; before training begins nothing: `history` has it then."""
        before = self.sent.get(kind, -1)
        if not self.is_open or step <= before:
            return
        self.sent[kind] = step
        self.write()  # before it is sent: a kill in between loses a line, and doubles none
        try:
            act(step)
        except Exception:
            self.sent[kind] = before
            self.write()
            raise

    def write(self) -> None:
        """Keep the id and what was sent."""
        write_json(self.file, {"run": self.run, "sent": self.sent})

    def ended_by(self, error: BaseException) -> None:
        self.end = error

    def close(self) -> None:
        """End the sitting; where no training was left to do, send what is there first."""
        if not self.is_open and self.end is None:
            self.begin()
        if self.is_open:
            self.finish(self.end)


def named(name: str) -> str:
    """A name that every tracker takes."""
    return UNUSUAL.sub("_", name)
