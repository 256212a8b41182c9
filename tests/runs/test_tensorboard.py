"""What `zoo run --tensorboard` writes, read back by TensorFlow and by TensorBoard: what the run directory holds."""

import importlib.util
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from progress_recorder import Interrupting

import zoo
import zoo.tracking.tensorboard
from zoo.base.interrupts import Interrupted
from zoo.base.progress import Silent
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.runs.directory import step_of_picture
from zoo.tracking.tensorboard import TensorBoard

Train = Callable[..., zoo.Run]
Events = dict[str, list[tuple[int, float | bytes]]]
STEPS = 60
EXTRACTOR = Path(__file__).parents[1] / "stacks" / "pooling.py"
PERIODIC = zoo.EvaluationOptions(("fd", "kid"), 60, real_samples=60, extractor="pooling")
JUDGED = {"evaluate_every": 25, "evaluation": PERIODIC, "plugins": [EXTRACTOR]}


@pytest.fixture(scope="module")
def followed(train: Train, image_splits: Path, tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A run of one sitting with events and scores."""
    return train(tmp_path_factory.mktemp("followed") / "run", dataset=image_splits, listeners=["tensorboard"], **JUDGED)


def events(run: zoo.Run) -> Events:
    """Every value by its tag, in the order of the only file of events; TensorFlow checks each record's sums."""
    import tensorflow as tf

    found: Events = defaultdict(list)
    (path,) = (run.path / "tensorboard").iterdir()
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            is_image = value.WhichOneof("value") == "image"
            found[value.tag].append((event.step, value.image.encoded_image_string if is_image else value.simple_value))
    return dict(found)


def expected(run: zoo.Run) -> Events:
    """What the files of the run directory hold, in the precision of events."""
    found: Events = defaultdict(list)
    for line in run.metrics:
        for name in line.keys() - {"step"}:
            found[name].append((line["step"], float(np.float32(line[name]))))
    for evaluation in EvaluationFile(run.path / "evaluation.json").read():
        for score in evaluation["scores"] if evaluation["periodic"] else ():
            value = float(np.float32(score["value"]))
            found[f"scores/{score['name']}"].append((evaluation["step"], value))
    for picture in run.directory.pictures():
        found["samples"].append((step_of_picture(picture), picture.read_bytes()))
    return dict(found)


def without_time(found: Events) -> Events:
    """All but what no two runs have alike."""
    return {tag: values for tag, values in found.items() if tag != "seconds"}


def test_events_hold_every_metric_score_and_picture_at_its_step(followed: zoo.Run):
    found = events(followed)
    assert found == expected(followed)
    assert [step for step, _ in found["discriminator_loss"]] == [50, 60]
    assert [step for step, _ in found["scores/fd_pooling"]] == [25, 50, 60]
    assert {"generator_loss", "images", "seconds", "scores/kid_pooling"} < set(found)
    assert [step for step, _ in found["samples"]][:3] == [0, 10, 12]


def test_tensorboard_itself_reads_them(followed: zoo.Run):
    read = opened(followed)
    scalars = {tag: [(each.step, each.value) for each in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
    images = [(each.step, each.encoded_image_string) for each in read.Images("samples")]
    assert {**scalars, "samples": images} == expected(followed)
    with Image.open(followed.directory.pictures()[0]) as picture:
        assert {(each.width, each.height) for each in read.Images("samples")} == {picture.size}


def opened(run: zoo.Run):
    """The run as TensorBoard loads it, with all of its pictures."""
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    return reading.EventAccumulator(str(run.path / "tensorboard"), size_guidance={"images": 0, "scalars": 0}).Reload()


def test_listening_changes_nothing_that_training_makes(
    followed: zoo.Run, train: Train, image_splits: Path, tmp_path: Path, assert_equal_runs: Callable[..., None]
):
    assert_equal_runs(followed, train(tmp_path / "run", dataset=image_splits))


@pytest.mark.parametrize("after", [3, 55])
def test_an_interrupted_run_has_the_same_events_in_the_end(
    after: int, train: Train, image_splits: Path, followed: zoo.Run, tmp_path: Path
):
    options = {"dataset": image_splits, "listeners": ["tensorboard"], **JUDGED}
    with pytest.raises(Interrupted):
        train(tmp_path / "run", progress=Interrupting(after), **options)
    run = train(tmp_path / "run", **options)
    assert events(run) == expected(run)
    assert without_time(events(run)) == without_time(events(followed))


def test_what_was_cut_back_is_gone_also_from_a_tensorboard_that_is_open(train: Train, tmp_path: Path):
    options = {"listeners": ["tensorboard"], "checkpoint_every": 40}
    run = train(tmp_path / "run", steps=120, **options)
    read = opened(run)
    for path in run.directory.checkpoints.paths()[1:]:
        path.unlink()  # as if a kill had come before they were written, and only the one of step 40 were whole
    run = train(tmp_path / "run", steps=160, **options)
    assert events(run) == expected(run)
    read.Reload()
    assert [each.step for each in read.Scalars("discriminator_loss")] == [50, 100, 150, 160]
    steps = [each.step for each in read.Images("samples")]
    assert steps == sorted(set(steps))


def test_a_larger_budget_drops_the_line_and_picture_of_the_earlier_end(
    train: Train, image_splits: Path, followed: zoo.Run, tmp_path: Path
):
    train(tmp_path / "run", dataset=image_splits, steps=21, listeners=["tensorboard"])
    run = train(tmp_path / "run", dataset=image_splits, listeners=["tensorboard"], **JUDGED)
    assert without_time(events(run)) == without_time(events(followed))


def test_events_may_be_asked_for_after_the_training(train: Train, image_splits: Path, tmp_path: Path):
    run = train(tmp_path / "run", dataset=image_splits, **JUDGED)
    zoo.evaluate(run, options=PERIODIC, plugins=[EXTRACTOR], progress=False)
    assert not (run.path / "tensorboard").exists()
    run = train(tmp_path / "run", dataset=image_splits, listeners=["tensorboard"])
    assert events(run) == expected(run)
    assert [step for step, _ in events(run)["scores/fd_pooling"]] == [25, 50, 60]
    lines = run.metrics
    times = [each.wall_time for each in opened(run).Scalars("images")]
    assert times[1] - times[0] == pytest.approx(lines[1]["seconds"] - lines[0]["seconds"], abs=1e-3)
    assert abs(times[1] - time.time()) < 60


def test_a_run_that_diverges_leaves_the_events_before(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from zoo.training.loop import Training, TrainingFailed

    def check(training: Training, step: int, metrics: Mapping[str, float]) -> None:
        if step == 55:
            raise training.diverged(step, "a loss is nan")

    monkeypatch.setattr(Training, "check_finite", check)
    with pytest.raises(TrainingFailed):
        train(tmp_path / "run", listeners=["tensorboard"])
    run = zoo.load(tmp_path / "run")
    assert events(run) == expected(run)
    assert [step for step, _ in events(run)["generator_loss"]] == [50]


class Looking(Silent):
    """Reads the events of a run after a step."""

    def __init__(self, path: Path, after: int) -> None:
        self.path = path
        self.after = after

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        if step == self.after:
            self.seen = events(zoo.load(self.path))


def test_events_reach_the_disk_while_a_run_trains(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zoo.tracking.tensorboard, "FLUSH_SECONDS", 0.0)
    looking = Looking(tmp_path / "run", after=51)
    train(tmp_path / "run", listeners=["tensorboard"], progress=looking)
    assert [step for step, _ in looking.seen["generator_loss"]] == [50]
    assert [step for step, _ in looking.seen["samples"]][-1] == 47


def test_each_beginning_has_a_file_that_sorts_after_those_before(finished: zoo.Run, tmp_path: Path):
    run = zoo.load(shutil.copytree(finished.path, tmp_path / "copy"))
    listener, names = TensorBoard(run.directory), []
    for _ in range(3):  # within a second
        listener.begin()
        names += [path.name for path in (run.path / "tensorboard").iterdir()]
        listener.writer.close()
    assert len(set(names)) == 3
    assert names == sorted(names)


def test_without_the_option_nothing_of_it_is_imported(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("zoo.tracking.tensorboard", "tensorboardX", "tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails
    assert not (train(tmp_path / "run", steps=1).path / "tensorboard").exists()


def test_a_missing_package_is_told_with_its_command_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorboardX" else find(name))
    with pytest.raises(zoo.ZooError, match=r"needs the package tensorboardX: pip install 'gan-zoo\[tensorboard\]'"):
        zoo.run(
            "vanilla",
            dataset=tmp_path / "missing",
            out=tmp_path / "run",
            monitoring=zoo.Monitoring(listeners=["tensorboard"]),
        )
    assert not (tmp_path / "run").exists()
