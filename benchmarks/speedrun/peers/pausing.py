"""What every peer does besides its steps: the clock of training, samples on disk, a line for each, and an answer."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

GO_ON = "go on"


class Clock:
    """Seconds of training alone: it stands while samples are drawn and scored."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.since = time.perf_counter()

    def stop(self) -> None:
        """Training pauses."""
        self.seconds += time.perf_counter() - self.since

    def start(self) -> None:
        """Training goes on."""
        self.since = time.perf_counter()


def given() -> dict[str, Any]:
    """What the coordinator asks for: `images` (a file), `seed`, `every`, `most`, `samples`, `folder`."""
    asked: dict[str, Any] = json.loads(sys.argv[1])
    return asked


def train(step: Callable[[], None], draw: Callable[[int], np.ndarray], batch: int, asked: dict[str, Any]) -> None:
    """Steps of `batch` images until the coordinator says stop, or `most` images are seen.

    Each `every` images, `draw` gives uint8 (N, H, W, 1), which are written, and a line tells images, seconds and file.
    """
    clock, seen, due = Clock(), 0, asked["every"]
    while seen < asked["most"]:
        step()
        seen += batch
        if seen < due:
            continue
        clock.stop()
        samples = draw(asked["samples"])
        file = Path(asked["folder"]) / f"{seen:08d}.npy"
        np.save(file, samples)
        print(json.dumps({"images": seen, "seconds": clock.seconds, "file": str(file)}), flush=True)
        if sys.stdin.readline().strip() != GO_ON:
            return
        due += asked["every"]
        clock.start()
