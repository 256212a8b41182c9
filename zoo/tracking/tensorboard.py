"""A run's metrics, scores and sample pictures for TensorBoard, as events in the run's folder `tensorboard`.

They are written anew from the run directory whenever training begins or continues. So they hold what it holds: nothing
twice, nothing that was cut back, and also what was trained before without a listener.
"""

import importlib.util
import time
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.hookspecs import hookimpl
from zoo.runs.directory import RunDirectory, step_of_picture
from zoo.training.listeners import Listener

FOLDER = "tensorboard"
SAMPLES = "samples"  # the tag of the pictures
FLUSH_SECONDS = 2.0  # between flushes to the disk, for which a fast step should not wait


@hookimpl
def listener() -> "type[TensorBoard]":
    """Raises ZooError where the package is missing that writes events."""
    if importlib.util.find_spec("tensorboardX") is None:
        raise ZooError(
            "--tensorboard needs the package tensorboardX: pip install 'gan-zoo[tensorboard]'. A run's metrics.jsonl, "
            "evaluation.json and samples/ hold the same without it."
        )
    return TensorBoard


class TensorBoard(Listener):
    """A listener that writes events."""

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self.folder = directory.path / FOLDER
        self.writer: Any = None  # until training begins
        self.flushed_at = 0.0

    def begin(self) -> None:
        """Write what the run directory holds, in place of all earlier events."""
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        self.folder.mkdir(exist_ok=True)
        before = list(self.folder.glob("events.out.tfevents.*"))
        # The name is new even within a second, and sorts after the others: an open TensorBoard goes on to this file.
        self.writer = EventsWriter(str(self.folder / "events"), f".{time.time_ns()}")
        self.write(
            0, time.time(), session_log=SessionLog(status=SessionLog.START)
        )  # TensorBoard then forgets what it read
        self.write_history()
        self.writer.flush()
        for path in before:
            path.unlink()

    def write_history(self) -> None:
        """All of the run so far, dated by its seconds of training."""
        lines = self.directory.read_metrics()
        steps, seconds = [line["step"] for line in lines], [line["seconds"] for line in lines]
        began = time.time() - (seconds[-1] if lines else 0.0)

        def at(step: int) -> float:
            return began + ([*seconds, *seconds[-1:]] or [0.0])[bisect_left(steps, step)]

        for line in lines:
            self.measured(line, at(line["step"]))
        for picture in self.directory.pictures():
            self.pictured(step_of_picture(picture), picture, at(step_of_picture(picture)))
        for evaluation in EvaluationFile(self.directory.path / EVALUATION).read():
            if evaluation["periodic"]:
                self.scored(evaluation, at(evaluation["step"]))

    def measured(self, line: Mapping[str, float], at: float | None = None) -> None:
        """Every number of the line, at its step."""
        self.write_scalars(line["step"], {name: value for name, value in line.items() if name != "step"}, at)

    def scored(self, evaluation: Mapping[str, Any], at: float | None = None) -> None:
        """Every score, as `scores/kid` or the like."""
        scores = {f"scores/{score['name']}": score["value"] for score in evaluation["scores"]}
        self.write_scalars(evaluation["step"], scores, at)

    def pictured(self, step: int, picture: Path, at: float | None = None) -> None:
        """The picture's own bytes."""
        if self.writer is not None:
            from tensorboardX.proto.summary_pb2 import Summary

            with Image.open(picture) as opened:
                size = {"width": opened.width, "height": opened.height, "colorspace": len(opened.getbands())}
            image = Summary.Image(**size, encoded_image_string=picture.read_bytes())
            self.write(step, at, summary=Summary(value=[Summary.Value(tag=SAMPLES, image=image)]))

    def write_scalars(self, step: float, values: Mapping[str, float], at: float | None) -> None:
        """One event with all values; before training begins nothing, for the run directory holds it all the same."""
        if self.writer is not None:
            from tensorboardX.proto.summary_pb2 import Summary

            each = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            self.write(int(step), at, summary=Summary(value=each))

    def write(self, step: int, at: float | None, **what: Any) -> None:
        """One event, of now unless `at` says when it was."""
        from tensorboardX.proto.event_pb2 import Event

        self.writer.write_event(Event(step=step, wall_time=time.time() if at is None else at, **what))
        if time.monotonic() - self.flushed_at > FLUSH_SECONDS:
            self.writer.flush()
            self.flushed_at = time.monotonic()

    def close(self) -> None:
        """Write what is left; all of it where no training began."""
        if self.writer is None:
            self.begin()
        self.writer.close()
