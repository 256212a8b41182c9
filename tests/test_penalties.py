"""Gradient penalties against a linear critic, and their second-order gradients against finite differences."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from measured_gradients import AGREEMENT, descended, linear, relative_error

from zoo import ZooError, backend
from zoo.training.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore:This stack bounds the discriminator:zoo.ZooWarning")
CONVOLUTIONAL = ("none", "layer", "group", "instance", "spectral")  # and batch, which wgan_gp refuses
DENSE = ("none", "layer", "group", "spectral")  # instance normalization needs positions


def test_r1_of_a_linear_critic_is_half_gamma_times_its_squared_norm(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer, kernel = linear(tiny_dataset, make_stack, "r1", "r1_gamma=0.5")
    metrics, with_penalty = descended(trainer, kernel)
    without = descended(*linear(tiny_dataset, make_stack, "r1", "r1_gamma=0"))[1]
    assert float(metrics["discriminator_penalty/r1"]) == pytest.approx(0.5 / 2 * 25)
    assert (with_penalty - without)[:, 0] == pytest.approx([0.5 * 3, 0.5 * -4], rel=1e-4)


def test_wgan_gp_of_a_linear_critic_is_ten_times_the_squared_distance_of_its_norm_from_one(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer, kernel = linear(tiny_dataset, make_stack, "wgan_gp")
    metrics, with_penalty = descended(trainer, kernel)
    without = descended(*linear(tiny_dataset, make_stack, "wgan_gp", "gradient_penalty=0"))[1]
    assert float(metrics["discriminator_penalty/wgan_gp"]) == pytest.approx(10 * (5 - 1) ** 2, rel=1e-5)
    direction = np.array([3, -4]) / 5
    assert (with_penalty - without)[:, 0] == pytest.approx(2 * 10 * (5 - 1) * direction, rel=1e-4)


def test_a_critic_that_ignores_its_input_has_a_finite_penalty(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer, kernel = linear(tiny_dataset, make_stack, "wgan_gp")
    kernel.assign([[0.0], [0.0]])
    metrics, gradient = descended(trainer, kernel)
    assert float(metrics["discriminator_penalty/wgan_gp"]) == pytest.approx(10, rel=1e-4)
    assert np.isfinite(gradient).all()


def test_wgan_gp_looks_at_points_between_real_and_generated_samples(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    """A quadratic critic has the slope x at x: the penalty is the mean of (|x| - 1)^2 over the points x looked at."""
    from zoo_plugins.wgan_gp import discriminator_penalty

    real, fake = ops.ones((500, 2)) * 2.0, ops.ones((500, 2)) * 4.0
    looked_at = []

    def quadratic(fields: Any) -> Any:
        samples = fields["samples"]
        looked_at.append(ops.convert_to_numpy(samples))
        return ops.sum(ops.square(samples), axis=1, keepdims=True) / 2

    stack = make_stack("vanilla+wgan_gp")
    gradients = backend.engine().input_gradients
    seed = keras.random.SeedGenerator(0)
    penalty = discriminator_penalty({"samples": real}, fake, quadratic, gradients, seed, stack.recipe)
    (points,) = looked_at
    assert (points[:, 0] == points[:, 1]).all()  # one share for a sample's coordinates
    assert 2 <= points.min() < 2.1 < 3.9 < points.max() <= 4
    assert points.mean() == pytest.approx(3, abs=0.1)
    assert float(penalty) == pytest.approx(10 * np.mean((np.linalg.norm(points, axis=1) - 1) ** 2), rel=1e-4)


@pytest.mark.filterwarnings("ignore:This stack bounds the discriminator's slope twice")
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("stack", "normalization"),
    [
        *[("dcgan+wgan_gp+r1+descent", kind) for kind in CONVOLUTIONAL],
        ("dcgan+r1+descent", "batch"),
        *[
            pytest.param("vanilla+wgan_gp+r1+descent", kind, marks=[] if kind == "layer" else pytest.mark.long)
            for kind in DENSE
        ],
        ("vanilla+r1+descent", "batch"),
    ],
)
def test_the_whole_gradient_with_its_penalties_equals_finite_differences(
    stack: str, normalization: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    settings = [f"discriminator_normalization={normalization}", "critic_steps=1", "r1_gamma=1"]
    if stack.startswith("vanilla"):
        settings += ["dropout=0.0", "discriminator_units=8,24"]  # three features in each of eight groups
    shape = (2,) if stack.startswith("vanilla") else (16, 16, 1)
    trainer = Trainer(make_stack(stack, *settings, plugins=["descent"]), tiny_dataset(shape))
    assert relative_error(trainer) < AGREEMENT


STOCK = "dcgan+wgan_gp+stock_layer_norm+descent"


@pytest.mark.usefixtures("float64")
def test_the_same_harness_finds_the_stock_layer_normalization_wrong(
    tiny_dataset: Callable, make_stack: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(backend.engine()), "stock_normalizations", ())
    stack = make_stack(STOCK, "critic_steps=1", plugins=["stock_layer_norm", "descent"])
    assert relative_error(Trainer(stack, tiny_dataset((16, 16, 1)))) > 1e-3


def test_a_stock_normalization_under_a_penalty_is_refused_by_its_name(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    stack = make_stack(STOCK, plugins=["stock_layer_norm", "descent"])
    with pytest.raises(ZooError) as raised:
        Trainer(stack, tiny_dataset((16, 16, 1)))
    assert str(raised.value) == (
        "A penalty of this stack differentiates a gradient through 'stock' (keras.layers.LayerNormalization), whose "
        "second-order gradient is wrong on tensorflow. Use zoo.layers.LayerNormalization instead."
    )


def test_a_stock_normalization_without_a_penalty_is_fine(tiny_dataset: Callable, make_stack: Callable) -> None:
    stack = make_stack("dcgan+stock_layer_norm", plugins=["stock_layer_norm"])
    assert Trainer(stack, tiny_dataset((16, 16, 1))).players.discriminator.get_layer("stock")
