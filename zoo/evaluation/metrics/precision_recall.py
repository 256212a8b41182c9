"""Improved precision and recall (Kynkäänniemi et al. 2019), https://arxiv.org/abs/1904.06991"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics.checks import check_both, features_of
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.distances import Frame, frame, kth_smallest, neighbour_radii, without_self
from zoo.evaluation.metrics.halves import HALVES, half_samples, spread
from zoo.evaluation.metrics.intervals import of_share, of_ten
from zoo.hookspecs import hookimpl

NEIGHBOURS = 3
SMALLEST = 10


@dataclass(frozen=True)
class Coverings:
    """Which samples lie within the other side's neighbourhoods."""

    precise: np.ndarray  # bool (M,), generated samples within a real one's reach
    recalled: np.ndarray  # bool (N,), real samples within a generated one's reach
    recalled_by_halves: np.ndarray  # bool (halves, N), the same with half of the generated samples

    @property
    def precision(self) -> float:
        """The share of generated samples that are realistic."""
        return float(self.precise.mean())

    @property
    def recall(self) -> float:
        """The share of real samples that the generator could have made."""
        return float(self.recalled.mean())


def coverings(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBOURS, halves: Sequence[np.ndarray] = ()) -> Coverings:
    """Equation 2 for features (N, F) and (M, F): within the distance of a sample to its k-th nearest other of its side.

    The distance itself counts as within, as in the paper. `halves` are indices of generated samples.
    """
    check_both(real, fake, smallest=k + 1)
    around = frame(real, fake)
    real_radii = neighbour_radii(around, real, k)
    subsets = [np.arange(len(fake)), *halves]
    fake_radii = subset_radii(around, fake, k, subsets)
    precise, recalled = np.zeros(len(fake), bool), np.zeros((len(subsets), len(real)), bool)
    for block, squared in around.blocks(real, fake):
        precise |= around.within(squared, real_radii[block, None]).any(axis=0)
        for index, (subset, radii) in enumerate(zip(subsets, fake_radii, strict=True)):
            chosen = squared if index == 0 else squared[:, subset]
            recalled[index, block] = around.within(chosen, radii).any(axis=1)
    return Coverings(precise, recalled[0], recalled[1:])


def subset_radii(around: Frame, vectors: np.ndarray, k: int, subsets: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each subset (sorted indices), the squared distance of its members to their k-th nearest other member."""
    radii = [np.empty(len(subset)) for subset in subsets]
    for block, squared in around.blocks(vectors, vectors):
        without_self(squared, block)
        for subset, found in zip(subsets, radii, strict=True):
            first, last = np.searchsorted(subset, (block.start, block.stop))
            members = squared[subset[first:last] - block.start]
            found[first:last] = kth_smallest(members if len(subset) == len(vectors) else members[:, subset], k)
    return radii


def measure(compared: Compared) -> Sequence[Score]:
    """`precision`, a share of independent samples, and `recall`, whose neighbourhoods move with every sample."""
    real, fake = features_of(compared, SMALLEST)
    found = coverings(real, fake, halves=half_samples(len(fake), compared.seed))
    deviation = float(spread(found.recalled_by_halves.mean(axis=1)))
    recall = of_ten("recall", found.recall, deviation, "higher", lowest=0.0, highest=1.0)
    return [of_share("precision", found.precision, len(fake), "higher"), recall]


METRIC = Metric(
    needs=frozenset({"features"}),
    smallest=SMALLEST,
    settings={"neighbours": NEIGHBOURS, "halves": HALVES},
    measure=measure,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
