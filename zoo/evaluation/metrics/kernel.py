"""Kernel Inception Distance (Bińkowski et al. 2018), https://arxiv.org/abs/1801.01401"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics.checks import check_both, features_of
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import generator
from zoo.hookspecs import hookimpl

SUBSETS = 100
SUBSET_SIZE = 1000  # samples of either side, all where there are fewer
SMALLEST = 10


@dataclass(frozen=True)
class Estimate:
    """The squared maximum mean discrepancy over subsets, and how far it can be trusted."""

    value: float  # mean over subsets
    between_subsets: float  # standard deviation between subsets: what papers print after ±
    deviation: float  # standard deviation of `value` over draws of generated samples and of subsets


def kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(x . y / F + 1)^3 for every pair, (N, M), section 3."""
    products = one @ other.T / one.shape[1] + 1
    return products * products * products


def discrepancy(real: np.ndarray, fake: np.ndarray) -> tuple[float, np.ndarray]:
    """The unbiased MMD^2 (equation 4) of (N, F) and (M, F), and (M,) how near each generated sample is to its own.

    The latter is the mean kernel to other generated samples less the mean kernel to real ones; twice it, around its
    mean, is what one generated sample adds to the value to first order (Hoeffding 1948).
    """
    among_real, across, among_fake = kernel(real, real), kernel(real, fake), kernel(fake, fake)
    of_real = (among_real.sum() - np.trace(among_real)) / (len(real) * (len(real) - 1))
    rows = (among_fake.sum(axis=1) - np.diagonal(among_fake)) / (len(fake) - 1)
    return float(of_real + rows.mean() - 2 * across.mean()), rows - across.mean(axis=0)


def kernel_distance(
    real: np.ndarray, fake: np.ndarray, seed: int = 0, subsets: int = SUBSETS, size: int = SUBSET_SIZE
) -> Estimate:
    """KID of features (N, F) and (M, F): the mean over subsets of min(size, N, M), without the customary x 1000.

    Subsets overlap where together they hold more samples than there are, so `between_subsets / sqrt(subsets)` is too
    small a deviation of the mean. It lacks the draw of the samples themselves, which is added here from what each
    generated sample contributes.
    """
    check_both(real, fake)
    size = min(size, len(real), len(fake))
    draw = generator(seed, "kid")
    values, sums, counts = [], np.zeros(len(fake)), np.zeros(len(fake))
    for _ in range(subsets):
        rows, columns = (np.sort(draw.choice(len(side), size, replace=False)) for side in (real, fake))
        value, contributions = discrepancy(real[rows].astype("float64"), fake[columns].astype("float64"))
        values.append(value)
        sums[columns] += contributions
        counts[columns] += 1
    seen = counts > 0
    drawn = 4 * np.var(sums[seen] / counts[seen], ddof=1) / len(fake)
    between = float(np.std(values, ddof=1)) if subsets > 1 else 0.0
    return Estimate(float(np.mean(values)), between, float(np.sqrt(drawn + between**2 / subsets)))


def measure(compared: Compared) -> Sequence[Score]:
    """`kid`, which may be below 0: it is unbiased."""
    real, fake = features_of(compared, SMALLEST)
    found = kernel_distance(real, fake, compared.seed)
    return [Score.normal("kid", found.value, found.deviation, "lower")]


METRIC = Metric(
    needs=frozenset({"features"}),
    smallest=SMALLEST,
    settings={"subsets": SUBSETS, "subset_size": SUBSET_SIZE},
    measure=measure,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
