"""Least squares: values by hand, slopes, and its optimum on a discrete space."""

from collections.abc import Callable

import numpy as np
import pytest
from by_hand import column, number, slopes
from zoo_plugins.lsgan import discriminator_loss, generator_loss

from zoo import ZooError
from zoo.training.trainer import Trainer


def test_at_zero_logits_both_losses_are_a_half() -> None:
    zeros = column(0, 0)
    assert (number(discriminator_loss(zeros, zeros)), number(generator_loss(zeros))) == (0.5, 0.5)


def test_the_generators_slope_is_how_far_a_logit_is_from_one() -> None:
    assert slopes(generator_loss, column(-1.0, 0.5, 3.0)) == pytest.approx(np.array([-2, -0.5, 2]) / 3)


def test_the_best_discriminator_is_the_share_of_real_samples() -> None:
    real, fake = np.array([2, 5, 1]), np.array([4, 1, 3])  # how often each of three values occurs in eight samples
    best = real / (real + fake)

    def loss(scores: np.ndarray) -> float:
        return number(discriminator_loss(column(*np.repeat(scores, real)), column(*np.repeat(scores, fake))))

    assert loss(best) == pytest.approx((real * fake / (real + fake)).sum() / 8 / 2)
    assert min(loss(best + shift) for shift in 0.1 * np.random.default_rng(0).normal(size=(20, 3))) > loss(best)


def test_it_has_no_labels_to_smooth(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="needs a discriminator loss of the family 'cross-entropy'; this stack's is 'le"):
        Trainer(make_stack("vanilla+lsgan+label_smoothing"), tiny_dataset((2,)))
