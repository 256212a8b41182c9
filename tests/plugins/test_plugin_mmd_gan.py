"""The discrepancy against double loops in NumPy, the bias that it has not, and the witness' penalty."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
from by_hand import gradients, number, rows
from zoo_plugins.mmd_gan import (
    MmdGanRecipe,
    discrepancy,
    discriminator_loss,
    discriminator_penalty,
    generator_loss,
)

from zoo.training.trainer import Trainer

EXPONENTS = (0.2, 0.5, 1.0, 2.0, 5.0)  # of section 3.1
BANDWIDTHS = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0)  # of the authors' code
DRAW = np.random.default_rng(0)
REAL, FAKE = DRAW.normal(size=(5, 3)), DRAW.normal(1.0, 1.0, size=(5, 3))
KERNELS = {
    "rational-quadratic": lambda a, b: (
        sum((1 + ((a - b) ** 2).sum() / (2 * alpha)) ** -alpha for alpha in EXPONENTS) + a @ b
    ),
    "gaussian": lambda a, b: sum(np.exp(-((a - b) ** 2).sum() / (2 * sigma**2)) for sigma in BANDWIDTHS),
    "distance": lambda a, b: np.linalg.norm(a) + np.linalg.norm(b) - np.linalg.norm(a - b),
}


def recipe_of(kernel: str) -> MmdGanRecipe:
    return MmdGanRecipe(mmd_kernel=kernel, mmd_dot_weight=float(kernel == "rational-quadratic"))


@pytest.mark.parametrize("kernel", KERNELS)
def test_it_is_the_unbiased_estimate_of_the_paper(kernel: str) -> None:
    k = KERNELS[kernel]
    within = [np.mean([k(batch[i], batch[j]) for i in range(5) for j in range(5) if i != j]) for batch in (REAL, FAKE)]
    across = np.mean([k(a, b) for a in REAL for b in FAKE])
    expected, recipe = sum(within) - 2 * across, recipe_of(kernel)
    assert number(generator_loss(rows(REAL), rows(FAKE), recipe)) == pytest.approx(expected, rel=1e-4)
    size = np.mean([(each**2).sum() for each in (*REAL, *FAKE)])
    assert number(discriminator_loss(rows(REAL), rows(FAKE), recipe)) == pytest.approx(size - expected, rel=1e-4)


def test_of_two_points_it_is_the_closed_form() -> None:
    real, fake = np.zeros((4, 3)), np.tile([3.0, 0, 4.0], (4, 1))  # 5 apart
    expected = sum(2 - 2 * np.exp(-25 / (2 * sigma**2)) for sigma in BANDWIDTHS)
    assert number(discrepancy(rows(real), rows(fake), recipe_of("gaussian"))) == pytest.approx(expected, rel=1e-4)
    assert number(discrepancy(rows(real), rows(fake), recipe_of("distance"))) == pytest.approx(2 * 5, rel=1e-4)


def test_of_one_distribution_it_is_zero_in_the_mean() -> None:
    recipe = recipe_of("rational-quadratic")
    found = [number(discrepancy(*(rows(DRAW.normal(size=(8, 2))) for _ in range(2)), recipe)) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200)
    assert min(found) < 0 < max(found)


def test_where_both_batches_are_equal_the_witness_is_flat() -> None:
    samples = rows(REAL)
    penalty = discriminator_penalty(
        {"samples": samples}, samples, samples, samples, lambda fields: fields["samples"], gradients,
        keras.random.SeedGenerator(0), replace(recipe_of("gaussian"), mmd_penalty=3.0),
    )  # fmt: skip
    assert number(penalty) == pytest.approx(3.0, rel=1e-4)


def test_the_critic_answers_a_vector_of_the_features_below(tiny_dataset: Callable, make_stack: Callable) -> None:
    discriminator = Trainer(make_stack("vanilla+mmd_gan"), tiny_dataset((2,))).players.discriminator
    assert discriminator.output["logits"].shape == (None, 16)
    assert [layer.units for layer in discriminator.layers if isinstance(layer, keras.layers.Dense)] == [8, 8, 16]
