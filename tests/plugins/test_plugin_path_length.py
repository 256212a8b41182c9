"""Path lengths of linear generators, the running mean, the interval, and styles."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import gradients, number, rows
from zoo_plugins.path_length import PathLengthRecipe, generator_penalty

from zoo.training.trainer import Trainer

SHAPE = (2, 3, 1)  # six pixels
MATRIX = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
COUNT = 4000


def linear(styles: bool) -> keras.Model:
    """Latents times 2, then MATRIX: the second part may be a layer of its own, fed with styles."""
    inputs = keras.Input((4,))
    synthesis = keras.Sequential([keras.layers.Dense(6, use_bias=False), keras.layers.Reshape(SHAPE)], name="synthesis")
    doubled = keras.layers.Rescaling(2.0)(inputs)
    samples = synthesis(doubled)
    synthesis.layers[0].kernel.assign(MATRIX)
    return keras.Model(inputs, {"samples": samples, "styles": doubled} if styles else samples)


def penalty(model: keras.Model, mean: keras.Variable, update: int = 0, **settings: Any) -> float:
    def generate(latents: Any) -> Any:
        made = model(latents)
        return made["samples"] if isinstance(made, dict) else made

    latents = rows(np.random.default_rng(1).normal(size=(COUNT, 4)))
    recipe = PathLengthRecipe(**{"path_length_weight": 1.0, "path_length_interval": 1, **settings})
    found = generator_penalty(
        rows(np.zeros((2 * COUNT, *SHAPE))), lambda count: latents[:count], model, generate, gradients,
        {"path_length": mean}, {}, update, keras.random.SeedGenerator(0), recipe,
    )  # fmt: skip
    return number(found)


@pytest.mark.parametrize(("styles", "stretch"), [(False, 2), (True, 1)])
def test_the_mean_square_of_a_linear_generators_lengths_is_its_matrixs_over_the_pixels(
    styles: bool, stretch: int
) -> None:
    found = penalty(linear(styles), keras.Variable(0.0, trainable=False), path_length_decay=0.0)
    assert found == pytest.approx(stretch**2 * (MATRIX**2).sum() / 6, rel=0.05)


def test_the_mean_moves_by_its_share_before_lengths_are_compared_with_it() -> None:
    mean = keras.Variable(1.0, trainable=False)
    found = penalty(linear(False), mean, path_length_decay=1.0)
    squares = 4 * (MATRIX**2).sum() / 6
    assert 0.5 * squares < float(mean) ** 2 < squares  # the mean of lengths: a little below the root of their squares
    assert found == pytest.approx(squares - float(mean) ** 2, rel=0.2)  # their variance


def test_between_its_updates_it_costs_nothing_and_keeps_the_mean() -> None:
    model, mean = linear(False), keras.Variable(0.5, trainable=False)
    once = penalty(model, keras.Variable(0.5, trainable=False))
    lazy = [penalty(model, mean, update, path_length_interval=3) for update in (1, 2)]
    assert (lazy, float(mean)) == ([0, 0], 0.5)
    assert penalty(model, mean, 3, path_length_interval=3) == pytest.approx(3 * once, rel=1e-5)
    assert float(mean) != 0.5


def test_a_generator_that_ignores_its_input_has_a_finite_gradient() -> None:
    model = linear(False)
    kernel = model.get_layer("synthesis").layers[0].kernel
    kernel.assign(0 * MATRIX)
    assert np.isfinite(penalty(model, keras.Variable(0.5, trainable=False)))


def test_it_trains_on_any_stack_and_its_mean_is_saved(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla+path_length"), tiny_dataset((2,)))
    assert trainer.step()["generator_penalty/path_length"] > 0
    assert trainer.state()["plugin/path_length"] > 0
