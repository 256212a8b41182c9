"""A run for MLflow: metrics, scores and sample pictures by step, recipe values as parameters, run.yaml as an artifact.

Settings are its own: MLFLOW_TRACKING_URI (else `mlflow.db` and `mlruns` in the working directory) and
MLFLOW_EXPERIMENT_NAME (else `gan-zoo`).
"""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from zoo.hookspecs import hookimpl
from zoo.tracking.tracker import PROJECT, SAMPLES, Tracker, check_package, named

PARAMETERS = ("stack", "dataset", "seed", "precision", "recipe", "parameters", "versions", "machine")  # of run.yaml
AT_ONCE = 100  # parameters that MLflow takes in one call


@hookimpl
def listener() -> "type[MLflow]":
    """Raises ZooError where the package is missing."""
    check_package("mlflow", "mlflow")
    return MLflow


class MLflow(Tracker):
    """A listener that logs to MLflow."""

    name = "mlflow"
    advice = "See that the server of MLFLOW_TRACKING_URI answers"

    def open(self, run: str | None) -> str:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self.client: Any = MlflowClient()
        if run is None:
            run = self.client.create_run(self.experiment(), run_name=self.title).info.run_id
        else:
            self.client.update_run(run, status="RUNNING")
        known = self.client.get_run(run).data.params  # which never change: run.yaml says what did
        record = self.record
        found = {name: value for key in PARAMETERS if key in record for name, value in leaves(key, record[key])}
        new = [Param(named(name), str(value)) for name, value in found.items() if named(name) not in known]
        for first in range(0, len(new), AT_ONCE):
            self.client.log_batch(run, params=new[first : first + AT_ONCE])
        self.client.log_artifact(run, str(self.directory.record_file))
        return str(run)

    def experiment(self) -> str:
        """The id of the experiment, which is made where there is none."""
        from mlflow.exceptions import MlflowException

        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self.client.create_experiment(name))
            except MlflowException:  # another run made it meanwhile
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def log_numbers(self, step: int, numbers: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(
            self.run, metrics=[Metric(name, float(each), now, step) for name, each in numbers.items()]
        )

    def log_picture(self, step: int, picture: Path) -> None:
        with Image.open(picture) as opened:
            self.client.log_image(self.run, opened, key=SAMPLES, step=step)

    def finish(self, end: BaseException | None) -> None:
        failure = "FAILED" if isinstance(end, Exception) else "KILLED"  # Ctrl-C and other signals
        self.client.set_terminated(self.run, "FINISHED" if end is None else failure)


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """`recipe.batch_size` and the like, of mappings in mappings."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from leaves(f"{name}.{key}", each)
    else:
        yield name, value
