"""R2 against a linear critic, its interval, and the whole gradient against finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
from by_hand import quadratic
from keras import ops
from measured_gradients import AGREEMENT, descended, linear, relative_error
from zoo_plugins.r2 import discriminator_penalty

from zoo import backend
from zoo.training.trainer import Trainer


def test_r2_of_a_linear_critic_is_half_gamma_times_its_squared_norm(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    metrics, with_penalty = descended(*linear(tiny_dataset, make_stack, "r2", "r2_gamma=0.5"))
    without = descended(*linear(tiny_dataset, make_stack, "r2", "r2_gamma=0"))[1]
    assert float(metrics["discriminator_penalty/r2"]) == pytest.approx(0.5 / 2 * 25)
    assert (with_penalty - without)[:, 0] == pytest.approx([0.5 * 3, 0.5 * -4], rel=1e-4)


def quadratic_penalty(make_stack: Callable, update: int, *settings: str) -> float:
    """Of the critic |x|^2 / 2, whose slope at x is x, on fakes of which the squared norms are 25 and 1."""
    fake = {"samples": ops.convert_to_tensor(np.array([[3, 4], [0, 1]], "float32"))}
    recipe = make_stack("vanilla+r2", *settings).recipe
    return float(discriminator_penalty(fake, quadratic, backend.engine().input_gradients, update, recipe))


def test_r2_is_taken_at_generated_samples_and_averaged_over_them(make_stack: Callable) -> None:
    assert quadratic_penalty(make_stack, 0, "r2_gamma=0.5") == pytest.approx(0.5 / 2 * (25 + 1) / 2)


def test_lazily_it_is_taken_every_few_updates_and_is_as_many_times_as_large(make_stack: Callable) -> None:
    lazy = [quadratic_penalty(make_stack, update, "r2_gamma=0.5", "r2_interval=4") for update in range(6)]
    assert lazy == pytest.approx([4 * 3.25, 0, 0, 0, 4 * 3.25, 0])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("stack", "shape", "classes", "settings"),
    [
        ("dcgan+rpgan+r1+r2", (16, 16, 1), None, ("discriminator_normalization=none", "r1_gamma=1", "r2_gamma=2")),
        ("vanilla+pacgan+wgan_gp+r2", (2,), None, ("discriminator_normalization=layer", "dropout=0.0")),
        ("vanilla+projection+r1+r2", (3,), 3, ("discriminator_normalization=none", "dropout=0.0")),
    ],
)
def test_the_whole_gradient_equals_finite_differences(
    stack: str, shape: tuple[int, ...], classes: int | None, settings: tuple[str, ...],
    tiny_dataset: Callable, make_stack: Callable,
) -> None:  # fmt: skip
    made = make_stack(f"{stack}+descent", "critic_steps=1", *settings, plugins=["descent"])
    assert relative_error(Trainer(made, tiny_dataset(shape, classes=classes))) < AGREEMENT
