"""What may follow a run while it trains, beside the files of its directory: optional trackers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Listener(Protocol):
    """Is told what the run directory gets, as soon as it is there; it changes nothing that training depends on."""

    def begin(self) -> None:
        """Training goes on from what the run directory holds now: what came later was cut back, and counts no more."""

    def measured(self, line: Mapping[str, float]) -> None:
        """A line of metrics.jsonl; its step is among its names."""

    def pictured(self, step: int, picture: Path) -> None:
        """The sample picture of a step."""

    def scored(self, evaluation: Mapping[str, Any]) -> None:
        """A periodic evaluation of evaluation.json."""
