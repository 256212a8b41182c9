"""The energy distance in closed form, and the critic's surrogate against NumPy."""

import keras
import numpy as np
import pytest
from by_hand import gradients, number, rows
from zoo_plugins.cramer_gan import CramerGanRecipe, discriminator_loss, discriminator_penalty, generator_loss

DRAW = np.random.default_rng(0)
REAL, FAKE = DRAW.normal(size=(6, 3)), DRAW.normal(1.0, 1.0, size=(6, 3))


def length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1)


def test_two_points_have_an_energy_distance_of_twice_how_far_they_are_apart() -> None:
    real, fake = np.zeros((4, 2)), np.tile([3.0, 4.0], (4, 1))
    assert number(generator_loss(rows(real), rows(fake))) == pytest.approx(2 * 5, rel=1e-5)
    assert number(generator_loss(rows(real), rows(real))) == pytest.approx(0, abs=2e-6)


def test_moving_all_vectors_changes_nothing_for_the_generator() -> None:
    moved = number(generator_loss(rows(REAL + 7), rows(FAKE + 7)))
    assert moved == pytest.approx(number(generator_loss(rows(REAL), rows(FAKE))), rel=1e-4)


def test_of_many_samples_it_is_the_energy_distance_of_two_distributions() -> None:
    """In one dimension, 2 int (F - G)^2: of U(0, 1) and U(1, 2) that is 4 / 3. Real distances (1 / 3) are left out."""
    real, fake = DRAW.uniform(0, 1, size=(4000, 1)), DRAW.uniform(1, 2, size=(4000, 1))
    assert number(generator_loss(rows(real), rows(fake))) == pytest.approx(4 / 3 + 1 / 3, rel=0.03)


def test_the_critic_compares_with_zero_in_the_place_of_a_second_real_batch() -> None:
    others = np.roll(FAKE, -1, axis=0)
    of_real = length(REAL - others) - length(REAL)
    of_fake = length(FAKE - others) - length(FAKE)
    assert number(discriminator_loss(rows(REAL), rows(FAKE))) == pytest.approx(
        of_fake.mean() - of_real.mean(), rel=1e-4
    )


def test_a_critic_that_ignores_its_input_has_a_finite_penalty() -> None:
    """A gradient of 0, of the norms, too: the weight times (0 - 1)^2."""
    recipe = CramerGanRecipe(cramer_penalty=3.0)
    penalty = discriminator_penalty(
        {"samples": rows(REAL)}, rows(FAKE), rows(0 * FAKE), lambda fields: 0 * fields["samples"], gradients,
        keras.random.SeedGenerator(0), recipe,
    )  # fmt: skip
    assert number(penalty) == pytest.approx(3.0, rel=1e-4)
