import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import zoo

TINY = {"generator_units": "8", "discriminator_units": "8", "batch_size": 8, "latent_size": 4, "average_decay": 0.9}
STEPS = 60  # more than one line of metrics, and a picture at a step of its own


PROGRAM = """
from zoo.backend.policy import TABLE

TABLE["tensorflow", "cpu", "dense"] = TABLE["tensorflow", "cpu", "convolutional"]  # as in the tests' own process
from zoo.cli import main

main()
"""


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in an empty folder, with the data of all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    return tmp_path


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 random images of 8 x 8 pixels, in a file; 64 are trained on, for a tenth is held out."""
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (72, 8, 8, 1), dtype=np.uint8))
    return path


@pytest.fixture(scope="session")
def tiny_words(images: Path) -> Callable[..., list[str]]:
    """The words of a command that trains a tiny stack on the images."""

    def words(*more: object, stack: str = "vanilla", dataset: object = images) -> list[str]:
        settings = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
        return ["run", stack, "--dataset", str(dataset), *settings, *(str(word) for word in more)]

    return words


def taken(options: dict[str, object], kind: type) -> dict[str, object]:
    """Those of the options that are fields of a class, taken out of them."""
    return {field.name: options.pop(field.name) for field in fields(kind) if field.name in options}


@pytest.fixture(scope="session")
def train(images: Path, data_dir: Path) -> Callable[..., zoo.Run]:
    """Trains the same in this process, from Python."""

    def run(out: Path, steps: int | None = STEPS, stack: str = "vanilla", **options: object) -> zoo.Run:
        settings = {**TINY, **options.pop("settings", {})}
        budget = zoo.Budget(steps, **taken(options, zoo.Budget))
        monitored = {"checkpoint_every": 7, **taken(options, zoo.Monitoring)}
        given = {"dataset": images, "data_dir": data_dir, "progress": False, **options}
        monitoring = zoo.Monitoring(**monitored)
        return zoo.run(stack, budget=budget, settings=settings, out=out, monitoring=monitoring, **given)

    return run


@pytest.fixture(scope="session")
def finished(train: Callable[..., zoo.Run], tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A run of STEPS steps that nothing interrupted; no test writes to its checkpoints."""
    return train(tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture(scope="session")
def assert_equal_runs() -> Callable[[zoo.Run, zoo.Run], None]:
    """Fails unless two runs are equal bit for bit: state, pictures, and metrics but for the seconds."""

    def check(run: zoo.Run, other: zoo.Run) -> None:
        (state, notes), (other_state, other_notes) = (
            each.directory.checkpoints.latest() or ({}, {}) for each in (run, other)
        )
        assert notes["meter"] == other_notes["meter"]
        assert set(state) == set(other_state)
        for name, array in state.items():
            np.testing.assert_array_equal(array, other_state[name], strict=True, err_msg=name)
        metrics, other_metrics = ([{**line, "seconds": 0} for line in each.metrics] for each in (run, other))
        assert metrics == other_metrics
        files, other_files = (
            {path.name: path.read_bytes() for path in each.directory.samples.iterdir()} for each in (run, other)
        )
        assert files == other_files

    return check


@pytest.fixture
def processes(data_dir: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `zoo` in processes of its own, and ends those that a failing test left."""
    started: list[subprocess.Popen[str]] = []

    def start(words: Sequence[str], **options: object) -> subprocess.Popen[str]:
        environment = {**os.environ, "TFDS_DATA_DIR": str(data_dir)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment, **options}
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, *words], **pipes)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def pages_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uvicorn, by which pages are served, closes every handler of logs; absl's would close what pytest reads."""
    from absl import logging

    monkeypatch.setattr(logging.get_absl_handler().python_handler, "stream", sys.__stderr__)
