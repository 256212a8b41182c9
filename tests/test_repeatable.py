"""What --deterministic asks of a device is tried before a run trains."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zoo import ZooError
from zoo.backend import tensorflow
from zoo.backend.settings.variables import recorded_variables
from zoo.base.progress import Silent
from zoo.runs.directory import RunDirectory
from zoo.training.loop import Total, Training
from zoo.training.repeatable import check_repeatable
from zoo.training.trainer import Trainer


@pytest.fixture
def trainer(tiny_dataset: Callable, make_stack: Callable, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """One that takes its device for a GPU from which bits are asked again."""
    engine = tensorflow.TensorFlowEngine()
    engine.deterministic = True
    trainer = Trainer(make_stack("vanilla"), tiny_dataset((2,)), engine=engine)
    trainer.train(3)
    monkeypatch.setattr(tensorflow.TensorFlowEngine, "kind", "gpu")
    monkeypatch.setattr(engine, "device_names", lambda: ["H200"])
    return trainer


@pytest.fixture
def drifting(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """Its sums depend on the order in which threads arrive: other last bits each time."""
    train, calls = trainer.train, iter(range(9))

    def drifted(count: int) -> dict[str, np.ndarray]:
        metrics = train(count)
        bias = trainer.players.generator.trainable_variables[-1]
        bias.assign_add(np.full(bias.shape, next(calls) * 1e-6, "float32"))
        return metrics

    monkeypatch.setattr(trainer, "train", drifted)
    return trainer


def test_a_device_that_repeats_is_believed_and_the_state_is_as_it_was(trainer: Trainer) -> None:
    before = trainer.state()
    check_repeatable(trainer)
    after = trainer.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert trainer.steps == 3


def test_a_run_on_one_that_does_not_is_refused_with_what_differs(drifting: Trainer, tmp_path: Path) -> None:
    training = Training(drifting, RunDirectory(tmp_path), Silent())
    with pytest.raises(ZooError, match=r"on H200, gave other bits in \d+ of \d+ arrays, such as 'generator/.*leave -"):
        training.train_to(Total(steps=4))


def test_it_is_no_matter_unless_it_was_asked_for(drifting: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    drifting.engine.deterministic = False
    check_repeatable(drifting)
    drifting.engine.deterministic = True
    monkeypatch.setattr(tensorflow.TensorFlowEngine, "kind", "cpu")
    check_repeatable(drifting)
    assert drifting.steps == 3


def test_xla_gets_each_flag_once_beside_the_users_and_run_yaml_says_deterministic_instead() -> None:
    jax_engine = pytest.importorskip("zoo.backend.jax")
    flags = jax_engine.with_deterministic("--xla_gpu_autotune_level=0 --xla_cpu_enable_fast_math=false")
    assert sorted(flags.split()) == [
        "--xla_cpu_enable_fast_math=false",
        "--xla_gpu_autotune_level=0",
        "--xla_gpu_deterministic_ops=true",
        "--xla_gpu_exclude_nondeterministic_ops=true",
    ]
    assert jax_engine.with_deterministic(flags) == flags
    assert recorded_variables({"XLA_FLAGS": flags}, "jax") == {"XLA_FLAGS": "--xla_cpu_enable_fast_math=false"}
