"""Mann and Whitney's U test, Holm's correction, and the number of seeds that they need."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from zoo.errors import ZooError
from zoo.evaluation.metrics.contract import Better

ALPHA = 0.05  # family-wise error rate over all pairs of a metric


def goodness(values: Sequence[float | None], better: Better) -> list[float]:
    """The values as numbers of which higher ones are better; failed and diverged runs tie below all."""
    sign = 1 if better == "higher" else -1
    return [-math.inf if value is None or not math.isfinite(value) else sign * float(value) for value in values]


def win_share(one: Sequence[float], other: Sequence[float]) -> float:
    """The share of pairs of runs that `one` wins, a tie counting half: U / (n m); 0.5 where there is no pair."""
    wins = [(mine > theirs) + (mine == theirs) / 2 for mine in one for theirs in other]
    return sum(wins) / len(wins) if wins else 0.5


def p_value(one: Sequence[float], other: Sequence[float]) -> float:
    """Two-sided p of the U test (Mann and Whitney 1947): twice the smaller tail, at most 1.

    Exact with ties too, which failed runs make: it counts among all ways to deal these very ranks, ties sharing their
    mean rank, those as far out. What is tested is that runs of both come from one distribution. Where only their
    spreads differ it rejects a little too often: at 10 against 10 normal values with spreads of 1 and 3 in .063 of
    4,000 draws, of 1 and 10 in .084, in place of .05 (5 against 5: .042 and .058; equal spreads: .030).
    """
    if not one or not other:
        return 1.0
    ranks = rankdata([*one, *other])
    if len(set(ranks)) < len(ranks):
        return tied_p(ranks, len(one))
    return float(mannwhitneyu(ranks[: len(one)], ranks[len(one) :], method="exact").pvalue)


def tied_p(ranks: np.ndarray, size: int) -> float:
    """`p_value` of the first `size` of all runs' mean ranks (N,), counted by their sum."""
    doubled = np.rint(2 * ranks).astype(int)  # doubled, since mean ranks are multiples of a half
    ways = np.zeros((size + 1, doubled.sum() + 1))  # how many ways there are to choose so many runs with such a sum
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank]  # the right side is still the table without this run
    sums, seen = ways[size], doubled[:size].sum()
    tail = min(sums[: seen + 1].sum(), sums[seen:].sum())
    return min(1.0, float(2 * tail / sums.sum()))


def holm(values: Sequence[float]) -> list[float]:
    """Each p corrected for all of them (Holm 1979): one below alpha is then wrong in no more than alpha of families."""
    corrected, highest = [1.0] * len(values), 0.0
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - place) * values[index]))
        corrected[index] = highest
    return corrected


def smallest_p(one: int, other: int) -> float:
    """The least two-sided p that so many runs against so many can give: every one of one side beats the other's."""
    return min(1.0, 2 / math.comb(one + other, one))


def seeds_needed(pairs: int, alpha: float = ALPHA) -> int:
    """The least number of seeds of each variant with which the first of so many comparisons can be decided at all."""
    check_alpha(alpha)
    return next(seeds for seeds in itertools.count(1) if pairs * smallest_p(seeds, seeds) < alpha)


def check_alpha(alpha: float) -> None:
    """Raises ZooError unless alpha lies between 0 and 1."""
    if not 0 < alpha < 1:
        raise ZooError(f"alpha is a probability between 0 and 1, such as {ALPHA}. Received: {alpha}.")
