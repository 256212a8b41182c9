"""The hinge loss at points worked by hand, and at its optimum on a discrete space."""

from typing import Any

import numpy as np
import pytest
from by_hand import column
from keras import ops
from zoo_plugins.hinge import discriminator_loss, generator_loss

from zoo import backend


def slopes(loss: Any, logits: Any) -> Any:
    return ops.convert_to_numpy(backend.engine().input_gradients(loss, logits))[:, 0]


def test_at_zero_logits_the_discriminator_has_a_loss_of_two_and_the_generator_of_zero() -> None:
    zeros = column(0, 0, 0)
    assert float(discriminator_loss(zeros, zeros)) == 2
    assert (ops.convert_to_numpy(generator_loss(zeros)) == 0).all()


def test_samples_beyond_their_margin_teach_the_discriminator_nothing() -> None:
    logits = column(-2.0, -0.5, 0.5, 2.0)
    assert slopes(lambda real: discriminator_loss(real, column(0.0)), logits).tolist() == [-0.25, -0.25, -0.25, 0]
    assert slopes(lambda fake: discriminator_loss(column(0.0), fake), logits).tolist() == [0, 0.25, 0.25, 0.25]


def test_the_generator_learns_as_much_from_every_sample() -> None:
    assert slopes(generator_loss, column(-100.0, 0.0, 100.0)).tolist() == [-1, -1, -1]


def test_the_best_discriminator_is_the_sign_of_the_densities_difference() -> None:
    real, fake = np.array([2, 5, 1]), np.array([4, 3, 1])  # how often each of three values occurs in eight samples
    sign = np.array([-1.0, 1.0, 0.3])  # where they are equal, anything in [-1, 1]

    def loss(scores: Any) -> float:
        return float(discriminator_loss(column(*np.repeat(scores, real)), column(*np.repeat(scores, fake))))

    assert loss(sign) == pytest.approx(2 * np.minimum(real, fake).sum() / 8)
    moved = [loss(sign + shift) for shift in 0.2 * np.random.default_rng(0).normal(size=(20, 3))]
    assert min(moved) >= loss(sign) - 1e-6
