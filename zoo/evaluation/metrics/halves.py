"""How sure a score is: its spread over random half-samples of the generated side.

The delete-half jackknife (Shao & Wu 1989, "A General Theory for Jackknife Variance Estimation", section 2): the
spread of a statistic over subsets of m of n samples, times m / (n - m), estimates the variance of the full statistic;
for halves the factor is 1. The real side stays whole, because a protocol fixes it: the deviation is what another draw
of as many generated samples would change.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.evaluation.metrics.draws import generator

HALVES = 10  # their spread is known to about 1 / sqrt(2 * 9) = 24%


def half_samples(count: int, seed: int, halves: int = HALVES) -> list[np.ndarray]:
    """int64 (count // 2,) each: sorted indices of random halves, drawn without replacement."""
    draw = generator(seed, "half-samples")
    return [np.sort(draw.choice(count, count // 2, replace=False)) for _ in range(halves)]


def half_sample_deviation(
    statistic: Callable[[np.ndarray], Any], count: int, seed: int, halves: int = HALVES
) -> np.ndarray:
    """The standard deviation of a statistic of `count` samples, float64 of the statistic's own shape.

    `statistic` takes the indices of a half. Half-samples share a bias that the full sample has not (a Fréchet distance
    grows as samples get fewer), so the spread is taken around their own mean.
    """
    return spread([statistic(half) for half in half_samples(count, seed, halves)])


def spread(values: Any) -> np.ndarray:
    """The standard deviation over half-samples (halves, ...) around their mean."""
    return np.asarray(np.std(np.asarray(values, "float64"), axis=0, ddof=1))
