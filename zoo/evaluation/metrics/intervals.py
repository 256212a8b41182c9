"""Scores with intervals that hold 95%: of deviations that ten values gave, and of shares."""

import math

from zoo.evaluation.metrics.contract import NORMAL_95, Better, Score

STUDENT_95 = 2.2621571628  # Student's t with 9 degrees of freedom: half-samples and splits are ten


def of_ten(
    name: str,
    value: float,
    deviation: float,
    better: Better | None,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> Score:
    """A score whose deviation was estimated from ten values; `lowest` and `highest` are the ends of its range."""
    return Score.within(name, value, deviation, STUDENT_95 * deviation, better, lowest, highest)


def of_share(name: str, share: float, count: int, better: Better | None) -> Score:
    """A share of `count` independent samples with Wilson's interval (1927), which is right near 0 and 1 too."""
    squared = NORMAL_95**2
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    reach = NORMAL_95 / (1 + squared / count) * math.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    deviation = math.sqrt(share * (1 - share) / count)
    low = 0.0 if share == 0 else middle - reach  # which are equal but for rounding
    high = 1.0 if share == 1 else middle + reach
    return Score(name, share, deviation, (low, high), better)
