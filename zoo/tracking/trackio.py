"""A run for trackio: metrics, scores and sample pictures by step, with run.yaml as its config.

Settings are its own: TRACKIO_DIR, where its database lies, TRACKIO_PROJECT (else `gan-zoo`; this one is the zoo's), and
TRACKIO_SPACE_ID or TRACKIO_SERVER_URL, without which nothing leaves the machine. `trackio show` shows it.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from uuid import uuid4

from zoo.base.names import readable
from zoo.hookspecs import hookimpl
from zoo.tracking.tracker import PROJECT, SAMPLES, Tracker, check_package


@hookimpl
def listener() -> "type[Trackio]":
    """Raises ZooError where the package is missing."""
    check_package("trackio", "trackio")
    return Trackio


class Trackio(Tracker):
    """A listener that logs to trackio."""

    name = "trackio"
    advice = "See that TRACKIO_DIR can be written, and that TRACKIO_SERVER_URL or TRACKIO_SPACE_ID answers"

    def open(self, run: str | None) -> str:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        import trackio

        with redirect_stdout(sys.stderr):  # standard output is the command's
            self.logged: Any = trackio.init(
                project=os.environ.get("TRACKIO_PROJECT", PROJECT),
                name=run or f"{readable(self.title)}-{uuid4().hex[:8]}",  # by which it is found again
                config=self.record,
                resume="allow",
                embed=False,  # in a notebook it would start a server
            )
        return str(self.logged.name)

    def log_numbers(self, step: int, numbers: Mapping[str, float]) -> None:
        self.logged.log(dict(numbers), step=step)

    def log_picture(self, step: int, picture: Path) -> None:
        import trackio

        self.logged.log({SAMPLES: trackio.Image(str(picture))}, step=step)

    def finish(self, end: BaseException | None) -> None:
        with redirect_stdout(sys.stderr):
            self.logged.finish()
