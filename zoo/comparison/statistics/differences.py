"""Differences of pairs of variants, with tests of whether one is better than the other."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

from zoo.comparison.statistics.bootstrap import interval
from zoo.comparison.statistics.rank_tests import goodness, holm, p_value, smallest_p, win_share
from zoo.comparison.statistics.summaries import finite
from zoo.evaluation.metrics.contract import Better

Verdict = Literal["better", "worse", "undecided", "too few seeds"]
Values = Sequence[float | None]


@dataclass(frozen=True)
class Difference:
    """`one` against `other`. Means are of finite values alone; p and the verdict rank failed runs below all others.

    So a variant with a better mean can be the worse one: where it fails more often, or where a few runs made the mean.
    """

    one: str
    other: str
    difference: float | None  # mean of `one` less mean of `other`
    interval: tuple[float, float] | None  # 95% of the difference, over the seeds of both; None below 2 values of either
    p: float  # two-sided p of the U test
    corrected_p: float  # p after Holm's correction over all pairs of this metric
    smallest_p: float  # the least p that these two numbers of runs can give, before correction
    verdict: Verdict  # the verdict on `one`; "too few seeds" where even `smallest_p` of `comparisons` would not decide
    runs: tuple[int, int]  # started runs of `one` and of `other`
    comparisons: int  # the number of pairs that p was corrected for

    @property
    def sentence(self) -> str:
        """The verdict in words, with its p: `wgan is better than vanilla (p = 0.0043 corrected)`."""
        many = self.comparisons > 1
        if self.verdict == "too few seeds":
            least = min(1.0, self.smallest_p * self.comparisons)
            after = f" after correction for {self.comparisons} comparisons" if many else ""
            against = f"{self.runs[0]} against {self.runs[1]}"
            verdict = f"too few seeds to tell {self.one} from {self.other}"
            return f"{verdict}: {against} cannot go below {in_words(least)}{after}"
        p = in_words(self.corrected_p) + (" corrected" if many else "")
        if self.verdict == "undecided":
            return f"{self.one} and {self.other} can't be told apart ({p})"
        return f"{self.one} is {self.verdict} than {self.other} ({p})"


def in_words(p: float) -> str:
    """`p = 0.0043`, or `p < 0.0001`."""
    return f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"


def differences(groups: Mapping[str, Values], better: Better, alpha: float) -> tuple[Difference, ...]:
    """Every pair once, in the order of `groups`."""
    pairs = list(itertools.combinations(groups, 2))
    ranked = {name: goodness(values, better) for name, values in groups.items()}
    found = [p_value(ranked[one], ranked[other]) for one, other in pairs]
    result = []
    for (one, other), p, corrected in zip(pairs, found, holm(found), strict=True):
        runs = len(groups[one]), len(groups[other])
        least, share = smallest_p(*runs), win_share(ranked[one], ranked[other])
        verdict = _verdict(corrected, least * len(pairs), share, alpha)
        means = _means(finite(groups[one]), finite(groups[other]))
        result.append(Difference(one, other, *means, p, corrected, least, verdict, runs, len(pairs)))
    return tuple(result)


def _means(one: Sequence[float], other: Sequence[float]) -> tuple[float | None, tuple[float, float] | None]:
    """The difference of means and its 95% interval; None for either where a side has no value."""
    return (mean(one) - mean(other), interval(one, other)) if one and other else (None, None)


def _verdict(corrected: float, least: float, share: float, alpha: float) -> Verdict:
    """The verdict from the corrected p, the least p under the harshest correction, and the share of wins.

    The corrected p goes first: where pairs differ in seeds, Holm may correct a pair less than in the harshest case.
    """
    if corrected < alpha:
        return "better" if share > 0.5 else "worse"
    return "undecided" if least < alpha else "too few seeds"
