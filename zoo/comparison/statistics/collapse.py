"""Whether a run collapsed: whether its last score is far worse than its best."""

import math

from zoo.evaluation.metrics.contract import Better

RATIO = 1.5  # the ratio of last to best score beyond which a run has collapsed
DEVIATIONS = 5  # standard deviations that a worsening must exceed, so that it is no noise


def collapsed(best: float, last: float, better: Better, noise: float = 0.0) -> bool:
    """Whether the last score of a run is far worse than its best: beyond 1.5 x best, or for `higher` best / 1.5.

    `noise` is the score's standard deviation; a worsening must also exceed five of them, since the best of many noisy
    scores is lucky: of 20 scores of an unchanging run the last is three deviations worse than the
    best in 15% of runs, five in 0.3% (simulated, normal and independent).

    Ratios mean nothing at or below zero, where an unbiased score such as KID can fall by noise alone. There, for
    `lower`, five deviations decide, and without `noise` |best| stands for one; for `higher`, half of |best| decides.
    A last score that is not finite has collapsed, and a best that is not finite had nothing to collapse from.
    """
    if not math.isfinite(best):
        return False
    if not math.isfinite(last):
        return True
    worsening = last - best if better == "lower" else best - last
    return worsening > max(_bearable(best, better, noise), DEVIATIONS * noise)


def _bearable(best: float, better: Better, noise: float) -> float:
    """The worsening that the ratio allows, or its substitute where the best score is zero or below."""
    if best > 0:
        return best * (RATIO - 1) if better == "lower" else best * (1 - 1 / RATIO)
    if better == "higher":
        return abs(best) * (RATIO - 1)
    return 0.0 if noise else DEVIATIONS * abs(best)
