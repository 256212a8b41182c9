import os
import shutil
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo.base.interrupts import Interrupted
from zoo.base.progress import Silent
from zoo.errors import ZooWarning

Train = Callable[..., zoo.Run]
Equal = Callable[[zoo.Run, zoo.Run], None]


class Notes(Silent):
    """Keeps the notes; a signal may come after a step."""

    def __init__(self, signal_after: int = -1, number: signal.Signals = signal.SIGINT) -> None:
        self.texts: list[str] = []
        self.signal_after = signal_after
        self.number = number

    def note(self, text: str) -> None:
        self.texts.append(text)

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        if step == self.signal_after:
            os.kill(os.getpid(), self.number)


@pytest.fixture
def copied(finished: zoo.Run, tmp_path: Path) -> Path:
    """A copy of the finished run, to write to."""
    return Path(shutil.copytree(finished.path, tmp_path / "copy"))


@contextmanager
def told_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """The warnings of the zoo; all others stay as they are, which `pytest.warns` would change."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ZooWarning)
        yield caught


@pytest.mark.parametrize(("steps", "number"), [(3, signal.SIGINT), (55, signal.SIGTERM)])
def test_a_signal_saves_and_the_same_call_then_ends_as_if_nothing_had_happened(
    steps: int, number: signal.Signals, train: Train, finished: zoo.Run, tmp_path: Path, assert_equal_runs: Equal
):
    handler = signal.getsignal(number)
    with pytest.raises(Interrupted, match=f"Stopped at step {steps} and saved") as caught:
        train(tmp_path / "run", progress=Notes(steps, number))
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is handler
    notes = Notes()
    run = train(tmp_path / "run", progress=notes)
    assert notes.texts[1:] == [f"Continuing {run.path} from step {steps}."]
    assert_equal_runs(run, finished)


def test_a_torn_last_checkpoint_costs_a_warning_and_changes_nothing(
    copied: Path, train: Train, finished: zoo.Run, assert_equal_runs: Equal
):
    os.truncate(copied / "checkpoints" / "step-00000060.npz", 500)
    with told_warnings() as caught:
        run = train(copied)
    assert ["step-00000060.npz is torn" in str(each.message) for each in caught] == [True]
    assert_equal_runs(run, finished)


def test_a_run_whose_every_checkpoint_is_torn_begins_anew_and_says_so(
    copied: Path, train: Train, finished: zoo.Run, assert_equal_runs: Equal
):
    for path in (copied / "checkpoints").iterdir():
        os.truncate(path, 500)
    notes = Notes()
    with told_warnings() as caught:
        run = train(copied, progress=notes)
    assert len(caught) == 3
    assert notes.texts[1:] == [f"No checkpoint of {copied} is whole: training begins anew."]
    assert_equal_runs(run, finished)


def test_what_a_killed_process_left_half_written_is_gone(
    copied: Path, train: Train, finished: zoo.Run, assert_equal_runs: Equal
):
    (copied / "checkpoints" / "step-00000060.npz").unlink()
    left = [copied / "checkpoints" / ".writing-7-step-00000063.npz", copied / "samples" / ".writing-7-x.png"]
    for path in left:
        path.write_bytes(b"half")
    with (copied / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": 60, "ima')
    (copied / "samples" / "step-00000074.png").write_bytes(b"later than the checkpoint")
    assert_equal_runs(train(copied), finished)
    assert not any(path.exists() for path in left)


def test_a_larger_budget_goes_on_and_equals_one_sitting(
    train: Train, finished: zoo.Run, tmp_path: Path, assert_equal_runs: Equal
):
    train(tmp_path / "run", steps=21)  # no line and no picture is due there: those of this end must go
    assert_equal_runs(train(tmp_path / "run"), finished)


def test_a_run_that_continues_with_other_versions_warns(copied: Path, train: Train):
    record = (copied / "run.yaml").read_text()
    (copied / "run.yaml").write_text(record.replace(f"keras: {keras.__version__}", "keras: 3.0.0"))
    with told_warnings() as caught:
        train(copied)
    (warning,) = caught
    assert f"keras 3.0.0 is {keras.__version__} now" in str(warning.message)


@pytest.mark.parametrize("budget", [60, 20])
def test_a_budget_already_reached_says_so_and_trains_nothing(budget: int, copied: Path, train: Train):
    before = {path: path.stat().st_mtime_ns for path in (copied / "checkpoints").iterdir()}
    notes = Notes()
    train(copied, steps=budget, progress=notes)
    assert notes.texts[-1] == f"Nothing to do: {copied} has 60 steps, the budget is {budget}."
    assert {path: path.stat().st_mtime_ns for path in (copied / "checkpoints").iterdir()} == before


def test_the_end_of_a_run_that_a_kill_cut_short_is_made_up_for(
    copied: Path, train: Train, finished: zoo.Run, assert_equal_runs: Equal
):
    missing = ["generator.keras", "samples/animation.webp", "samples/step-00000060.png"]
    for name in missing:
        (copied / name).unlink()
    assert_equal_runs(train(copied), finished)
    assert (copied / "generator.keras").exists()


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"settings": {"batch_size": 4}}, "recipe.batch_size: 8 there, 4 here"),
        ({"seed": 3}, "seed: 0 there, 3 here"),
        ({"dataset": "ring8"}, "dataset.name: "),
        ({"stack": "vanilla+r1"}, "stack: 'vanilla' there, 'vanilla+r1' here"),
    ],
)
def test_what_was_made_differently_is_refused_with_the_differences(
    options: dict[str, object], difference: str, copied: Path, train: Train
):
    before = (copied / "run.yaml").read_bytes()
    with pytest.raises(zoo.ZooError) as caught:
        train(copied, **options)
    message = str(caught.value)
    assert message.startswith(f"The run in {copied} was made differently:\n  ")
    assert difference in message
    assert "--out DIR or --seed" in message
    assert (copied / "run.yaml").read_bytes() == before


def test_another_dataset_of_the_same_name_is_refused(train: Train, tmp_path: Path):
    path = tmp_path / "images.npy"
    draw = np.random.default_rng(1)
    for step in (1, 2):
        np.save(path, draw.integers(0, 256, (16, 8, 8, 1), dtype=np.uint8))
        if step == 1:
            train(tmp_path / "run", steps=1, dataset=path)
    with pytest.raises(zoo.ZooError, match=r"dataset\.fingerprint: '\w+' there, '\w+' here"):
        train(tmp_path / "run", steps=1, dataset=path)


def test_a_dataset_file_that_was_only_touched_is_the_same(copied: Path, train: Train, images: Path):
    os.utime(images, (1, 1))
    assert train(copied).path == copied


def test_names_that_differ_in_a_dash_are_one_run(zoo_command, data_dir: Path):
    words = ["--set", "generator_units=8", "--set", "discriminator_units=8", "--steps", 1]
    for dataset in ("fashion_mini", "fashion-mini"):
        result = zoo_command("run", "vanilla", "--dataset", dataset, *words)
        assert result.code == 0, result.err
    assert "Nothing to do" in result.err
    assert [str(path) for path in Path("runs").glob("*/*/*")] == ["runs/vanilla/fashion_mini/0"]
