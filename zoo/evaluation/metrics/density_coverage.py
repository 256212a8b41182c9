"""Density and coverage (Naeem et al. 2020), https://arxiv.org/abs/2002.09797"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics.checks import check_both, features_of
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.distances import frame, neighbour_radii
from zoo.hookspecs import hookimpl

NEIGHBOURS = 5
SMALLEST = 10
SERIES = (1.0, -0.75, 0.25)  # of the sets of 1, 2 and 3 samples: Euler's transformation of 1, -1, 1, -1 ...
SURE_SHARE = 0.25  # of the jackknife's variance, which the series never falls below


@dataclass(frozen=True)
class Neighbourhoods:
    """How M generated samples lie in the neighbourhoods of N real ones."""

    reached: np.ndarray  # int64 (M,), in how many neighbourhoods each generated sample is
    held: np.ndarray  # int64 (N,), how many generated samples each neighbourhood holds
    alone: np.ndarray  # int64 (M,), how many neighbourhoods hold this generated sample and no other
    alike: tuple[int, ...]  # of each size in SERIES: pairs of neighbourhoods that hold the same so many samples
    k: int

    @property
    def density(self) -> float:
        """About 1 for equal distributions, and above where samples crowd where real ones are dense."""
        return float(self.reached.mean() / self.k)

    @property
    def coverage(self) -> float:
        """From 0 to 1; 1 - 2^-k is about what equal distributions and counts have (section 4)."""
        return float(np.mean(self.held > 0))

    @property
    def coverage_deviation(self) -> float:
        """Over draws of the generated samples, estimated from one.

        The delete-one jackknife counts what k samples do together k times (Efron & Stein 1981): where coverage is high
        it is half as large again. Of counts that follow Poisson's law the variance of the number of neighbourhoods that
        hold something has the unbiased estimate sum (-1)^(k + 1) A_k, where A_k counts the pairs that hold the same k
        samples, each with itself too; a fixed number of samples takes M times the square of the mean loss off. Summed
        by Euler's transformation of order 3 it varies less, and some of the jackknife's is always left.
        """
        lost = self.alone / len(self.held)
        jackknife = (len(lost) - 1) * float(np.var(lost))
        varied = sum(weight * pairs for weight, pairs in zip(SERIES, self.alike, strict=True)) / len(self.held) ** 2
        return math.sqrt(max(varied - len(lost) * float(np.mean(lost)) ** 2, SURE_SHARE * jackknife))


def neighbourhoods(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBOURS) -> Neighbourhoods:
    """Equations 3 and 4 for features (N, F) and (M, F): balls around real samples up to their k-th nearest other.

    The distance itself is outside, as in the authors' code: so copies of the real samples have density 1, no more.
    """
    check_both(real, fake, smallest=k + 1)
    around = frame(real, fake)
    radii = neighbour_radii(around, real, k)
    reached, held, alone = (np.zeros(size, "int64") for size in (len(fake), len(real), len(fake)))
    sets: list[list[np.ndarray]] = [[] for _ in SERIES]
    for block, squared in around.blocks(real, fake):
        inside = around.inside(squared, radii[block, None])
        reached += inside.sum(axis=0)
        held[block] = inside.sum(axis=1)
        alone += inside[held[block] == 1].sum(axis=0)
        for size, found in enumerate(sets, 1):
            _, samples = np.nonzero(inside[held[block] == size])
            found.append(samples.reshape(-1, size))
    return Neighbourhoods(reached, held, alone, tuple(pairs_alike(np.concatenate(each)) for each in sets), k)


def pairs_alike(sets: np.ndarray) -> int:
    """The pairs of equal rows, each row with itself too, of (rows, size)."""
    _, counts = np.unique(sets, axis=0, return_counts=True)
    return int(np.sum(counts**2))


def measure(compared: Compared) -> Sequence[Score]:
    """`density`, a mean over independent samples, and `coverage`."""
    real, fake = features_of(compared, SMALLEST)
    found = neighbourhoods(real, fake)
    deviation = float(np.std(found.reached / found.k, ddof=1) / np.sqrt(len(fake)))
    return [
        Score.normal("density", found.density, deviation, "higher", lowest=0.0),
        Score.normal("coverage", found.coverage, found.coverage_deviation, "higher", lowest=0.0, highest=1.0),
    ]


METRIC = Metric(
    needs=frozenset({"features"}),
    smallest=SMALLEST,
    settings={"neighbours": NEIGHBOURS},
    measure=measure,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
