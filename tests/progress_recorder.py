"""Progress reporters for tests: one that keeps what is reported to it, and one that sends Ctrl-C."""

import os
import signal
from collections.abc import Mapping

from zoo.base.progress import Silent


class ProgressRecorder(Silent):
    """Keeps each line in `notes`, and each count of other work than training in `counts` as (what, done, total)."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.counts: list[tuple[str, int, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def counting(self, what: str, done: int, total: int) -> None:
        self.counts.append((what, done, total))


class Interrupting(Silent):
    """Sends Ctrl-C after a step."""

    def __init__(self, after: int) -> None:
        self.after = after

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        if step == self.after:
            os.kill(os.getpid(), signal.SIGINT)
