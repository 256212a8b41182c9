"""A run for Weights & Biases: metrics, scores and sample pictures by step, with run.yaml as its config.

Settings are its own: `wandb login`, WANDB_PROJECT (else `gan-zoo`), WANDB_ENTITY, WANDB_MODE=offline. Offline, each
sitting is a file of the same run in the folder `wandb` of the run directory, which `wandb sync` uploads.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from zoo.hookspecs import hookimpl
from zoo.tracking.tracker import PROJECT, SAMPLES, Tracker, check_package


@hookimpl
def listener() -> "type[WeightsAndBiases]":
    """Raises ZooError where the package is missing."""
    check_package("wandb", "wandb")
    return WeightsAndBiases


class WeightsAndBiases(Tracker):
    """A listener that logs to Weights & Biases."""

    name = "wandb"
    advice = "Log in with `wandb login`, set WANDB_MODE=offline"

    def open(self, run: str | None) -> str:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # its maker's reports on itself
        import wandb

        self.logged: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run or uuid4().hex[:8],
            name=self.title,
            dir=os.environ.get("WANDB_DIR", str(self.directory.path)),
            config=self.record,
            resume="allow",
            reinit="create_new",  # beside another run that the program may have open
            settings=wandb.Settings(console="off"),  # what is printed is the zoo's own
        )
        self.logged.config.update(self.record, allow_val_change=True)  # values that changed on the way
        return str(self.logged.id)

    def log_numbers(self, step: int, numbers: Mapping[str, float]) -> None:
        self.logged.log(dict(numbers), step=step)

    def log_picture(self, step: int, picture: Path) -> None:
        import wandb

        self.logged.log({SAMPLES: wandb.Image(str(picture))}, step=step)

    def finish(self, end: BaseException | None) -> None:
        self.logged.finish(exit_code=0 if end is None else getattr(end, "exit_code", 1))
