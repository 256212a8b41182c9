"""The state of a run, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RUNNING, WAITING, STOPPED, FAILED, DIVERGED, DONE = STATES = (
    "running",  # a process holds the run directory's lock
    "waiting",  # the run is a job of a comparison, and has not begun
    "stopped",  # the run is neither locked nor done
    "failed",
    "diverged",
    "done",
)
ENDED = (FAILED, DIVERGED, DONE)  # the states in outcome.json


@dataclass(frozen=True)
class Scores:
    """The first score of the evaluations during training: its last and its best value."""

    name: str
    better: str | None  # "lower" or "higher"
    last: float
    best: float
    best_step: int


@dataclass(frozen=True)
class Pace:
    """Step, speed and losses, from the last lines of metrics.jsonl."""

    step: int = 0
    seconds: float = 0.0  # seconds of training so far
    steps_per_second: float | None = None
    images_per_second: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """The total of steps and of seconds; training ends at the first that is reached, None is no limit."""

    steps: int | None = None
    seconds: float | None = None  # seconds of training

    def share(self, step: int, seconds: float) -> float | None:
        """The used share of the budget, from 0 to 1; None where no total is known."""
        by_steps = step / self.steps if self.steps else None
        by_time = seconds / self.seconds if self.seconds else None
        used = [each for each in (by_steps, by_time) if each is not None]
        return min(1.0, max(used)) if used else None

    def seconds_left(self, step: int, pace: Pace) -> float | None:
        """The seconds that training will take from here on at this pace; None where that is unknown."""
        by_steps = (self.steps - step) / pace.steps_per_second if self.steps and pace.steps_per_second else None
        by_time = self.seconds - pace.seconds if self.seconds else None
        left = [each for each in (by_steps, by_time) if each is not None]
        return max(0.0, min(left)) if left else None


@dataclass(frozen=True)
class RunState:
    """The state and progress of one run."""

    path: Path
    label: str  # the label in its comparison, else the stack
    stack: str
    dataset: str
    seed: int | None
    state: str  # one of STATES
    step: int = 0
    total: int | None = None  # steps
    share: float | None = None  # used share of the budget, from 0 to 1
    images_per_second: float | None = None
    seconds_left: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    scores: Scores | None = None
    reason: str = ""  # why it failed or diverged
    health: str = ""  # in a word or a few, "" where nothing is measured yet

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready data."""
        return {**asdict(self), "path": str(self.path)}
