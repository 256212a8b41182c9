"""What all tests share: tiny datasets made in memory, and a folder in which the embedded data is prepared once."""

import gc
import signal

from zoo.backend import prepare

gc.disable()  # until all that stays is imported
prepare()  # before Keras imports TensorFlow, loudly

import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo.backend.policy import MATRIX_UNITS, TABLE
from zoo.catalogue import read_catalogue
from zoo.cli import main
from zoo.data import Dataset
from zoo.errors import ZooWarning
from zoo.stacks.resolving import resolve_stack
from zoo.stacks.stack import Stack
from zoo.training.terms import Terms
from zoo.training.trainer import Trainer

STACKS = Path(__file__).with_name("stacks")  # plugins that are not shipped
TINY = {
    "batch_size": 4,
    "latent_size": 3,
    "width": 2,
    "generator_units": "8",
    "discriminator_units": "8,8",
    "residual_blocks": 1,
    "discriminator_width": 2,
    "feature_size": 32,
    "autoencoder_width": 2,
    "heads": 1,
    "head_size": 4,
    "transformer_blocks": 4,
}
PLUGIN_IMPORTS = """\
from dataclasses import dataclass

import keras
from keras import ops
LOSS_FAMILY = "cross-entropy"
import zoo
from zoo import hookimpl
"""


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job, whose programs would ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What leaky libraries leave to the garbage collector is no fault of a test."""
    for item in items:
        if item.get_closest_marker("leaky"):
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="module", autouse=True)
def leaks_stay_in_their_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """The garbage collector finds what leaky libraries left before a test of another module runs."""
    yield
    if request.node.get_closest_marker("leaky"):
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector looked through it again and again, for a tenth of the time."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def dense_nets_as_graphs() -> Iterator[None]:
    """Dense nets compile as graphs, in a tenth of the seconds that XLA takes; tests/backend has them as they are."""
    dense = ("tensorflow", "cpu", "dense")
    before = TABLE[dense]
    TABLE[dense] = TABLE["tensorflow", "cpu", "convolutional"]
    yield
    TABLE[dense] = before


@pytest.fixture
def op_by_op(monkeypatch: pytest.MonkeyPatch) -> None:
    """No graphs are made of steps, which takes as long as some steps without; tests/test_contract.py makes them."""
    for networks in ("dense", "convolutional"):
        key = ("tensorflow", "cpu", networks)
        monkeypatch.setitem(TABLE, key, replace(TABLE[key], traced=False))
    monkeypatch.setattr("zoo.backend.policy.MATRIX_UNITS", replace(MATRIX_UNITS, traced=False))


@pytest.fixture(scope="session")
def tiny_dataset() -> Callable[..., Dataset]:
    """Makes a dataset of random samples of a shape: uint8 images or float32 points."""

    def make(shape: tuple[int, ...] = (16, 16, 1), count: int = 40, classes: int | None = None) -> Dataset:
        draw = np.random.default_rng(0)
        is_image = len(shape) == 3
        samples = (
            draw.integers(0, 256, (count, *shape), dtype=np.uint8)
            if is_image
            else draw.normal(size=(count, *shape)).astype("float32")
        )
        labels = draw.integers(0, classes, count) if classes else None
        return Dataset(
            name="tiny",
            split="train",
            samples=samples,
            labels=labels,
            classes=classes,
            class_names=(),
            scale=1.0,
            fingerprint="tiny",
            description={"source": "random numbers"},
        )

    return make


@pytest.fixture
def zoo_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs a `zoo` command in this process."""

    def run(*words: object) -> Result:
        capsys.readouterr()
        with warnings.catch_warnings():  # main prints warnings in its own way
            warnings.simplefilter("always", ZooWarning)
            try:
                main([str(word) for word in words])
                code: object = 0
            except SystemExit as ending:
                code = ending.code
        printed = capsys.readouterr()
        assert isinstance(code, int)
        return Result(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def image_splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz with random images of 8 x 8 pixels: 64 to train on and 60 others to evaluate against."""
    draw = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("splits") / "images.npz"
    counts = {"samples": 64, "test_samples": 60}
    np.savez(path, **{name: draw.integers(0, 256, (n, 8, 8, 1), dtype=np.uint8) for name, n in counts.items()})
    return path


@pytest.fixture(scope="session")
def make_stack() -> Callable[..., Stack]:
    """Makes a stack by name, its networks tiny; `plugins` are files, or names of the plugins in tests/stacks."""

    def make(text: str, *settings: str, plugins: Sequence[Path | str] = (), tiny: bool = True) -> Stack:
        files = [each if isinstance(each, Path) else STACKS / f"{each}.py" for each in plugins]
        catalogue = read_catalogue(files)
        fields = vars(resolve_stack(text, catalogue).recipe)
        small = [f"{name}={value}" for name, value in TINY.items() if tiny and name in fields]
        return resolve_stack(text, catalogue, None, [*small, *settings])

    return make


@pytest.fixture(scope="session")
def eager_terms() -> Callable[..., Terms]:
    """The terms of a trainer's first update of a player, outside of any graph."""

    def make(trainer: Trainer, player: str = "discriminator", batch: Mapping[str, Any] | None = None) -> Terms:
        inputs = trainer.feed.update(player, trainer.steps, 0)
        for seed, state in zip(trainer.updates.seeds.values(), inputs["seeds"], strict=True):
            seed.state.assign(state)
        found = {"batch": {name: ops.convert_to_tensor(each) for name, each in (batch or inputs["batch"]).items()}}
        found |= {"other_batch": inputs["other_batch"]} if "other_batch" in inputs else {}
        updates, moment, batch = trainer.updates, trainer.updates.moment(player, inputs), trainer.updates.batch(found)
        return Terms(updates.stack, updates.players, updates.engine, updates.share, moment, updates.seeds, batch)

    return make


@pytest.fixture
def float64() -> Iterator[None]:
    """Whatever a test builds is of double precision."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def plugin_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a plugin's text, below the imports that every plugin needs, into a file of a name of its own."""

    def write(text: str, name: str = "mine") -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(PLUGIN_IMPORTS + textwrap.dedent(text))
        return path

    return write


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for all tests of a worker, so that the embedded dataset is prepared once."""
    return tmp_path_factory.mktemp("data")
