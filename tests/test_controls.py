"""The controls that every stack has, against numbers made by hand, on both backends: see the last test."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError
from zoo.data import Dataset
from zoo.data.fields import Field
from zoo.training.trainer import Trainer

IGNORED = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"  # Keras' own, on JAX
ALL = (
    "accumulation=2", "horizon=40", "learning_rate_schedule=cosine", "learning_rate_end=0.1", "warm_up=12",
    "gradient_clip_norm=0.05", "mirror=true", "freeze_discriminator=1",
)  # fmt: skip


@pytest.fixture
def trained(tiny_dataset: Callable, make_stack: Callable) -> Callable[..., Trainer]:
    """A trainer of a stack on random images of 4 x 4 pixels, or on other data."""

    def make(stack: str, *settings: str, plugins: Any = (), data: Dataset | None = None) -> Trainer:
        return Trainer(make_stack(stack, *settings, plugins=plugins), data or tiny_dataset((4, 4, 1)))

    return make


def value(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(ops.convert_to_tensor(variable)))


def weights(trainer: Trainer, player: str) -> list[np.ndarray]:
    return [value(each) for each in trainer.updates.weights(player)]


def norm(arrays: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(each)) for each in arrays)))


def test_a_batch_in_parts_moves_by_the_mean_of_their_gradients(trained: Callable) -> None:
    trainer = trained("linear+descent", "accumulation=2", plugins=["linear", "descent"])
    inputs = [trainer.feed.update("discriminator", 0, 0, part) for part in range(2)]
    whole = replace(trainer.feed, recipe=replace(trainer.recipe, accumulation=1)).update("discriminator", 0, 0)
    real = np.concatenate([each["batch"]["samples"] for each in inputs])
    assert np.array_equal(real, whole["batch"]["samples"])
    fakes = []
    for each in inputs:  # the core's is the first seed
        seed = keras.random.SeedGenerator(0)
        seed.state.assign(each["seeds"][0])
        latents = keras.random.normal((2, trainer.recipe.latent_size), seed=seed)
        fakes.append(ops.convert_to_numpy(trainer.players.generator(latents)))
    assert not np.array_equal(fakes[0], fakes[1])
    kernel = weights(trainer, "discriminator")[0]
    gradient = (np.concatenate(fakes).mean(0) - (real / 127.5 - 1).mean(0)).reshape(-1, 1)
    metrics = trainer.step()
    assert weights(trainer, "discriminator")[0] == pytest.approx(kernel - gradient, abs=1e-5)
    assert metrics["discriminator_gradient_norm"] == pytest.approx(norm([gradient]), rel=1e-4)
    assert metrics["discriminator_loss"] == pytest.approx((gradient * kernel).sum(), rel=1e-3, abs=1e-5)
    assert all(not np.any(value(each)) for each in trainer.updates.sums["discriminator"])


def test_a_batch_must_divide_into_its_parts(make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="batch_size must be a multiple of accumulation, and 4 is none of 3"):
        make_stack("vanilla", "accumulation=3")


def test_a_longer_gradient_is_cut_to_the_norm_and_a_shorter_one_left_alone(trained: Callable) -> None:
    moves = {}
    for limit in (0, 1e-3, 1e3):
        trainer = trained("linear+descent", f"gradient_clip_norm={limit}", plugins=["linear", "descent"])
        before = weights(trainer, "discriminator")
        metrics = trainer.step()
        pairs = zip(weights(trainer, "discriminator"), before, strict=True)
        moves[limit] = [after - each for after, each in pairs], metrics["discriminator_gradient_norm"]
    free, length = moves[0]
    assert length > 1e-2
    assert norm(moves[1e-3][0]) == pytest.approx(1e-3, rel=1e-3)
    assert moves[1e-3][1] == pytest.approx(length, rel=1e-5)  # what is logged is not cut
    for cut, whole, each in zip(moves[1e-3][0], moves[1e3][0], free, strict=True):
        assert cut == pytest.approx(each * 1e-3 / length, abs=1e-7)
        assert whole == pytest.approx(each, abs=1e-7)


def rates(trainer: Trainer, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        trainer.step()
        found.append(float(trainer.players.generator_optimizer.learning_rate))
    return found


def test_learning_rates_fall_over_the_horizon_and_rise_before(trained: Callable) -> None:
    linear = trained(
        "linear", "horizon=16", "learning_rate_schedule=linear", "learning_rate_end=0.1", plugins=["linear"]
    )
    expected = [2e-4 * share for share in (1, 0.775, 0.55, 0.325, 0.1, 0.1)]  # 4 images a step
    assert rates(linear, 6) == pytest.approx(expected, rel=1e-5)
    both = trained("linear", "horizon=16", "learning_rate_schedule=cosine", "warm_up=8", plugins=["linear"])
    cosine = [(1 + np.cos(np.pi * each / 4)) / 2 for each in range(4)]
    assert rates(both, 4) == pytest.approx(
        [2e-4 * a * b for a, b in zip((0.5, 1, 1, 1), cosine, strict=True)], rel=1e-4
    )


def test_a_warm_up_lies_over_a_plugins_own_schedule_and_a_second_schedule_is_refused(trained: Callable) -> None:
    own = rates(trained("linear+scheduled", plugins=["linear", "scheduled"]), 3)
    warm = rates(trained("linear+scheduled", "warm_up=16", plugins=["linear", "scheduled"]), 3)
    assert warm == pytest.approx([each * share for each, share in zip(own, (0.25, 0.5, 0.75), strict=True)], rel=1e-5)
    trainer = trained("linear+scheduled", "learning_rate_schedule=linear", plugins=["linear", "scheduled"])
    with pytest.raises(ZooError, match="'scheduled' has a schedule of its own for 'generator_learning_rate'"):
        trainer.step()
    with pytest.raises(ZooError, match="--set horizon=IMAGES"):
        trained("linear", "learning_rate_schedule=linear", plugins=["linear"]).step()


def test_half_of_the_images_are_mirrored_and_pairs_alike(tiny_dataset: Callable, trained: Callable) -> None:
    data = tiny_dataset((4, 4, 1), count=64)
    pairs = replace(data, others={"source": (Field("image", (4, 4, 1)), 255 - data.samples)})
    trainer = trained("linear", "mirror=true", "batch_size=32", plugins=["linear"], data=pairs)
    inputs = trainer.feed.update("discriminator", 3, 0)
    batch = {name: ops.convert_to_numpy(each) for name, each in trainer.updates.batch(inputs).items()}
    plain = inputs["batch"]["samples"] / 127.5 - 1
    mask = inputs["mirrored_batch"]["samples"]
    assert 8 <= mask.sum() <= 24
    for row, mirrored in enumerate(mask):
        assert batch["samples"][row] == pytest.approx(plain[row][:, ::-1] if mirrored else plain[row], abs=1e-6)
    assert batch["source"] == pytest.approx(-batch["samples"], abs=1e-6)
    other = trainer.feed.update("discriminator", 4, 0)["mirrored_batch"]["samples"]
    assert not np.array_equal(mask, other)


def test_points_have_no_left_and_right(tiny_dataset: Callable, trained: Callable) -> None:
    with pytest.raises(ZooError, match="mirror is for images"):
        trained("vanilla", "mirror=true", data=tiny_dataset((2,)))


def test_a_run_with_every_control_resumes_bit_for_bit_and_in_a_loop_on_the_device(trained: Callable) -> None:
    whole, resumed = trained("vanilla", *ALL), trained("vanilla", *ALL)
    beginning = resumed.state()
    first = whole.train(2)
    resumed.set_state(whole.state())
    rest = whole.train(4)
    again = resumed.train(4)
    assert all(np.array_equal(again[name], each) for name, each in rest.items())
    end, other = whole.state(), resumed.state()
    assert all(np.array_equal(end[name], other[name]) for name in {**end, **other})
    moved = [
        not np.array_equal(each, end[name]) for name, each in beginning.items() if name.startswith("discriminator/")
    ]
    assert moved[:2] == [False, False]  # kernel and bias of the lowest layer
    assert all(moved[2:4])
    resumed.set_state(beginning)
    resumed.policy = replace(resumed.policy, steps_per_call=4, resident=True)
    together = resumed.train(6)
    for name, each in first.items():
        assert together[name] == pytest.approx(np.concatenate([each, rest[name]]), rel=1e-3, abs=1e-5), name


def test_a_discriminator_without_a_layer_to_train_is_refused(trained: Callable) -> None:
    with pytest.raises(ZooError, match="freeze_discriminator=9 leaves nothing to train"):
        trained("vanilla", "freeze_discriminator=9")


@pytest.mark.long
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the run on JAX")
def test_all_of_this_on_jax() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        IGNORED,
        __file__,
    ]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_llvm_disable_expensive_passes=true"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stdout[-3000:]
