"""Comparisons of pairs of variants, as text for tables."""

from dataclasses import dataclass

from zoo.comparison.report.reading import Comparison, ranking_of
from zoo.comparison.report.words import MOST_DECIMALS, VERDICTS, decimals_of, finite, number, probability, spread

NOTHING = 1e-9  # the width below which an interval is a rounding error


@dataclass(frozen=True)
class Pair:
    """A comparison of two variants as text, with the numbers that its table is sorted by."""

    stage: str
    one: str
    other: str
    difference: str
    difference_value: float | None
    p: str
    p_value: float | None
    corrected: str
    corrected_value: float | None
    verdict: str
    sentence: str

    @property
    def words(self) -> str:
        """`better than`: the verdict, to be read between the two names."""
        return VERDICTS.get(self.verdict, self.verdict)

    @property
    def decided(self) -> bool:
        """Whether the difference is significant."""
        return self.verdict in ("better", "worse")


def pairs_of(comparison: Comparison, dataset: str, score: str, stage: str) -> list[Pair]:
    """The comparisons of all pairs in the order of the ranking."""
    made = []
    for each in ranking_of(comparison, dataset, score, stage).get("differences", []):
        apart, interval = finite(each.get("difference")), each.get("interval")
        decimals = difference_decimals(apart, interval)
        p, corrected = finite(each.get("p")), finite(each.get("corrected_p"))
        made.append(
            Pair(
                stage,
                each["one"],
                each["other"],
                f"{number(apart, decimals)} {spread(None, interval, decimals)}".strip(),
                apart,
                probability(p),
                p,
                probability(corrected),
                corrected,
                each["verdict"],
                each.get("sentence") or "",
            )
        )
    return made


def difference_decimals(apart: float | None, interval: list[float] | None) -> int:
    """The decimals that show two digits of the interval's width, and at most four of the difference."""
    most = decimals_of(apart, 4) if apart else MOST_DECIMALS
    if interval is None or None in interval:
        return min(most, decimals_of(apart or 0.0, 3))
    width = interval[1] - interval[0]
    return min(most, decimals_of(width, 2) if width > NOTHING else 0)
