"""Kernel Inception Distance (Bińkowski et al. 2018), https://arxiv.org/abs/1801.01401"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics.checks import check_both, features_of
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import generator
from zoo.hookspecs import hookimpl

SUBSETS = 100
SUBSET_SIZE = 1000  # samples of either side, all where there are fewer
SMALLEST = 10
BLOCK = 1024  # samples of either side whose kernels are held at once


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


def discrepancies(
    real: np.ndarray, fake: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> Iterator[tuple[float, np.ndarray]]:
    """`discrepancy` of each subset, bool (S, N) of the rows of `real` and (S, M) of `fake`, by the cheaper of two ways.

    Where subsets overlap much, each pair's kernel is computed once, and summed over each subset by products with `rows`
    and `columns`; otherwise subset by subset.
    """
    of_subsets = len(rows) * (rows[0].sum() + columns[0].sum()) ** 2
    if (len(real) + len(fake)) ** 2 > of_subsets:
        for one, other in zip(rows, columns, strict=True):
            yield discrepancy(real[one].astype("float64"), fake[other].astype("float64"))
        return
    sizes = rows[0].sum(), columns[0].sum()
    of_real = sums_over(rows, real, real)
    across, of_fake = sums_over(rows, real, fake), sums_over(columns, fake, fake)
    for one, other, *sums in zip(rows, columns, of_real, across, of_fake, strict=True):
        among_real = (sums[0][one] - itself(real[one])).sum() / (sizes[0] * (sizes[0] - 1))
        to_own, to_real = (sums[2][other] - itself(fake[other])) / (sizes[1] - 1), sums[1][other] / sizes[0]
        yield float(among_real + to_own.mean() - 2 * to_real.mean()), to_own - to_real


def sums_over(subsets: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(S, M): the sum of the kernels from each of `other`, (M, F), to those of `one`, (N, F), that a subset has."""
    sums = np.zeros((len(subsets), len(other)))
    for first in range(0, len(one), BLOCK):
        chosen, here = subsets[:, first : first + BLOCK].astype("float64"), one[first : first + BLOCK].astype("float64")
        for start in range(0, len(other), BLOCK):
            there = other[start : start + BLOCK].astype("float64")
            sums[:, start : start + BLOCK] += chosen @ kernel(here, there)
    return sums


def itself(features: np.ndarray) -> np.ndarray:
    """The kernel of each of (N, F) to itself, (N,)."""
    exact = features.astype("float64")
    return np.asarray((np.einsum("nf,nf->n", exact, exact) / exact.shape[1] + 1) ** 3)


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
    rows, columns = (np.zeros((subsets, len(side)), bool) for side in (real, fake))
    for one, other in zip(rows, columns, strict=True):
        for subset in (one, other):
            subset[draw.choice(len(subset), size, replace=False)] = True
    values, sums = [], np.zeros(len(fake))
    for chosen, (value, contributions) in zip(columns, discrepancies(real, fake, rows, columns), strict=True):
        values.append(value)
        sums[chosen] += contributions
    counts = columns.sum(axis=0)
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
