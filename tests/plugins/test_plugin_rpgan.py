"""The relativistic pairing loss: its values, its invariance, and its optimum on a discrete space."""

from math import log
from typing import Any

import numpy as np
import pytest
from by_hand import column
from keras import ops
from zoo_plugins.rpgan import discriminator_loss, generator_loss

from zoo import backend

REAL, FAKE = [-1.5, 0.2, 3.0], [0.4, -2.0, 1.0]


def mean(values: Any) -> float:
    assert values.shape == (len(values), 1)  # a pair each, not all pairs
    return float(ops.mean(values))


def slopes(loss: Any, logits: Any) -> Any:
    return ops.convert_to_numpy(backend.engine().input_gradients(loss, column(*logits)))[:, 0]


def test_at_zero_logits_both_losses_are_ln_two() -> None:
    zeros = column(0, 0, 0)
    assert mean(discriminator_loss(zeros, zeros)) == pytest.approx(log(2))
    assert mean(generator_loss(zeros, zeros)) == pytest.approx(log(2))


def test_each_real_sample_is_paired_with_one_generated_sample() -> None:
    by_hand = [-log(1 / (1 + np.exp(-(real - fake)))) for real, fake in zip(REAL, FAKE, strict=True)]
    assert ops.convert_to_numpy(discriminator_loss(column(*REAL), column(*FAKE)))[:, 0] == pytest.approx(by_hand)


def test_exchanging_real_and_generated_makes_one_loss_of_the_other() -> None:
    one, other = discriminator_loss(column(*REAL), column(*FAKE)), generator_loss(column(*FAKE), column(*REAL))
    assert (ops.convert_to_numpy(one) == ops.convert_to_numpy(other)).all()


@pytest.mark.parametrize("loss", [discriminator_loss, generator_loss])
def test_adding_a_constant_to_all_logits_changes_nothing(loss: Any) -> None:
    shifted = loss(column(*REAL) + 5, column(*FAKE) + 5)
    assert mean(shifted) == pytest.approx(mean(loss(column(*REAL), column(*FAKE))), rel=1e-5)


@pytest.mark.parametrize("loss", [discriminator_loss, generator_loss])
def test_the_slopes_at_a_pair_cancel(loss: Any) -> None:
    of_real = slopes(lambda real: loss(real, column(*FAKE)), REAL)
    of_fake = slopes(lambda fake: loss(column(*REAL), fake), FAKE)
    assert of_real + of_fake == pytest.approx(np.zeros(3), abs=1e-7)
    assert (np.sign(of_real) == (-1 if loss is discriminator_loss else 1)).all()


@pytest.mark.usefixtures("float64")
def test_the_best_discriminator_is_the_log_ratio_of_the_densities_up_to_a_constant() -> None:
    real, fake = np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.1, 0.5])  # of three values
    pairs = [(first, second) for first in range(3) for second in range(3)]
    weights = ops.convert_to_tensor([real[first] * fake[second] for first, second in pairs])

    def expected(scores: Any) -> Any:
        """The discriminator's loss over all pairs, each as often as it occurs."""
        firsts, seconds = (ops.take(scores, [pair[place] for pair in pairs]) for place in (0, 1))
        return ops.sum(weights * discriminator_loss(firsts, seconds))

    def slope(scores: Any) -> Any:
        return ops.convert_to_numpy(backend.engine().input_gradients(expected, ops.convert_to_tensor(scores)))

    assert slope(np.log(real / fake) + 0.7) == pytest.approx(np.zeros(3), abs=1e-12)
    assert np.abs(slope(np.log(real / fake) + np.array([0.1, 0, 0]))).max() > 1e-3


def test_huge_logits_leave_the_losses_finite() -> None:
    assert mean(discriminator_loss(column(-1e4), column(1e4))) == pytest.approx(2e4)
    assert mean(generator_loss(column(-1e4), column(1e4))) == 0
