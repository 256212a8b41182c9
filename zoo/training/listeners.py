"""What the hook `listener` makes: it follows a run while it trains, as a tracker does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Listener(Protocol):
    """Receives what is written into the run directory, at once; it changes nothing that training depends on.

    A subclass of this needs only those methods that it has a use for.
    """

    def begin(self) -> None:
        """Training begins or continues: the run directory holds all of the run so far, and nothing of later steps."""

    def measured(self, line: Mapping[str, float]) -> None:
        """A line of metrics.jsonl, its step included."""

    def pictured(self, step: int, picture: Path) -> None:
        """The sample picture of a step."""

    def scored(self, evaluation: Mapping[str, Any]) -> None:
        """A periodic evaluation of evaluation.json."""

    def ended_by(self, error: BaseException) -> None:
        """An exception ends the run: a signal, a loss that is no number, a mistake. `close` follows."""

    def close(self) -> None:
        """The run has ended, perhaps with an exception; called even where training never began."""
