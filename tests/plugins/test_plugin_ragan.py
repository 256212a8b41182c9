"""The relativistic average losses: their values, their symmetries, and both means in the gradient."""

from math import log

import numpy as np
import pytest
from by_hand import column, number, slopes
from zoo_plugins.ragan import RaganRecipe, discriminator_loss, generator_loss
from zoo_plugins.rpgan import discriminator_loss as pairing_loss

REAL, FAKE = np.array([-1.5, 0.2, 3.0]), np.array([0.4, -2.0, 1.0])
AT_ZERO = {"cross-entropy": 2 * log(2), "least-squares": 2.0, "hinge": 2.0}
kinds = pytest.mark.parametrize("kind", AT_ZERO)


@kinds
def test_at_zero_logits_both_players_lose_the_same(kind: str) -> None:
    zeros, recipe = column(0, 0, 0), RaganRecipe(relativistic_loss=kind)
    assert number(discriminator_loss(zeros, zeros, recipe)) == pytest.approx(AT_ZERO[kind])
    assert number(generator_loss(zeros, zeros, recipe)) == pytest.approx(AT_ZERO[kind])


@kinds
def test_adding_a_constant_changes_nothing_and_exchanging_the_batches_exchanges_the_players(kind: str) -> None:
    recipe = RaganRecipe(relativistic_loss=kind)
    loss = number(discriminator_loss(column(*REAL), column(*FAKE), recipe))
    assert number(discriminator_loss(column(*REAL + 5), column(*FAKE + 5), recipe)) == pytest.approx(loss, rel=1e-5)
    assert number(generator_loss(column(*FAKE), column(*REAL), recipe)) == pytest.approx(loss)


def test_least_squares_and_its_gradient_through_both_means_are_the_closed_forms() -> None:
    recipe = RaganRecipe(relativistic_loss="least-squares")
    by_hand = np.mean((REAL - FAKE.mean() - 1) ** 2) + np.mean((FAKE - REAL.mean() + 1) ** 2)
    assert number(discriminator_loss(column(*REAL), column(*FAKE), recipe)) == pytest.approx(by_hand)
    slope = slopes(lambda fake: generator_loss(column(*REAL), fake, recipe), column(*FAKE))
    through_mean = np.mean(REAL - FAKE.mean() + 1)
    assert slope == pytest.approx(2 / 3 * ((FAKE - REAL.mean() - 1) - through_mean), rel=1e-5)


def test_of_a_single_sample_it_is_twice_the_pairing_loss() -> None:
    one, other = column(0.7), column(-0.4)
    assert number(discriminator_loss(one, other, RaganRecipe())) == pytest.approx(2 * number(pairing_loss(one, other)))
