"""The distance of two means, in the place of whatever loss lies below."""

from collections.abc import Callable

import numpy as np
import pytest
from by_hand import number, rows, wrapped
from zoo_plugins.feature_matching import generator_loss

from zoo.training.trainer import Trainer

FEATURES = np.random.default_rng(0).normal(size=(5, 3))


def loss(real: np.ndarray, fake: np.ndarray) -> float:
    return number(wrapped(generator_loss(rows(real), rows(fake)), 123.0))


def test_moved_features_cost_the_squared_length_of_the_move() -> None:
    assert loss(FEATURES, FEATURES + np.array([1, 2, 3])) == pytest.approx(14, rel=1e-5)


def test_equal_means_cost_nothing_however_far_samples_spread() -> None:
    assert loss(FEATURES, FEATURES.mean(axis=0) + 9 * (FEATURES - FEATURES.mean(axis=0))) == pytest.approx(0, abs=1e-10)


def test_the_discriminator_keeps_its_own_loss(tiny_dataset: Callable, make_stack: Callable) -> None:
    plain, matching = (
        Trainer(make_stack(text), tiny_dataset((2,))).step() for text in ("vanilla", "vanilla+feature_matching")
    )
    assert matching["discriminator_loss"] == plain["discriminator_loss"]
    assert matching["generator_loss"] != plain["generator_loss"]
