"""Metrics and scores of a run as `log.csv`, a line for each number: step, name, value"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.extensions import Listener, RunDirectory, hookimpl


class CsvLog(Listener):
    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory

    def begin(self) -> None:
        """Anew from what the run holds: what came later was cut back."""
        (self.directory.path / "log.csv").unlink(missing_ok=True)
        for line in self.directory.read_metrics():
            self.measured(line)

    def measured(self, line: Mapping[str, float]) -> None:
        self.write(line["step"], {name: value for name, value in line.items() if name != "step"})

    def pictured(self, step: int, picture: Path) -> None:
        self.write(step, {"picture": picture.name})

    def scored(self, evaluation: Mapping[str, Any]) -> None:
        self.write(evaluation["step"], {score["name"]: score["value"] for score in evaluation["scores"]})

    def write(self, step: float, values: Mapping[str, Any]) -> None:
        with (self.directory.path / "log.csv").open("a", newline="") as file:
            csv.writer(file).writerows([int(step), name, value] for name, value in values.items())


@hookimpl
def listener() -> type[CsvLog]:
    return CsvLog
