"""Weights that a test does not set are drawn alike in each run."""

from collections.abc import Iterator

import pytest

from zoo.training.randomness import seeded


@pytest.fixture(autouse=True)
def initial_weights() -> Iterator[None]:
    """From one seed, whatever ran before."""
    with seeded(0):
        yield
