"""How a run stands, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RUNNING, WAITING, STOPPED, FAILED, DIVERGED, DONE = STATES = (
    "running",  # a process holds the run directory's lock
    "waiting",  # a job of a comparison that has not begun
    "stopped",  # neither held nor done
    "failed",
    "diverged",
    "done",
)
ENDED = (FAILED, DIVERGED, DONE)  # what an outcome says


@dataclass(frozen=True)
class Scores:
    """The first score of each evaluation that was made while a run trained."""

    name: str
    better: str | None  # "lower" or "higher"
    last: float
    best: float
    best_step: int


@dataclass(frozen=True)
class Pace:
    """Where training stands, by the last lines of metrics.jsonl."""

    step: int = 0
    seconds: float = 0.0  # of training
    steps_per_second: float | None = None
    images_per_second: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """How long a run trains: until the first of the two that are known."""

    steps: int | None = None
    seconds: float | None = None  # of training

    def share(self, step: int, seconds: float) -> float | None:
        """How much of it is used, from 0 to 1."""
        by_steps = step / self.steps if self.steps else None
        by_time = seconds / self.seconds if self.seconds else None
        used = [each for each in (by_steps, by_time) if each is not None]
        return min(1.0, max(used)) if used else None

    def seconds_left(self, step: int, pace: Pace) -> float | None:
        """How much longer training takes at this pace."""
        by_steps = (self.steps - step) / pace.steps_per_second if self.steps and pace.steps_per_second else None
        by_time = self.seconds - pace.seconds if self.seconds else None
        left = [each for each in (by_steps, by_time) if each is not None]
        return max(0.0, min(left)) if left else None


@dataclass(frozen=True)
class RunState:
    """How one run stands."""

    path: Path
    label: str  # a comparison's name for it, else its stack
    stack: str
    dataset: str
    seed: int | None
    state: str  # one of STATES
    step: int = 0
    total: int | None = None  # steps
    share: float | None = None  # of the budget, from 0 to 1
    images_per_second: float | None = None
    seconds_left: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    scores: Scores | None = None
    reason: str = ""  # why it failed or diverged

    def as_dict(self) -> dict[str, Any]:
        """What JSON takes."""
        return {**asdict(self), "path": str(self.path)}
