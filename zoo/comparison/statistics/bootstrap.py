"""95% intervals of means over few seeds: the percentile bootstrap, stretched to the width that few seeds need."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

import numpy as np
from scipy.stats import bootstrap, norm, t

RESAMPLES = 9999
SEED = 0  # seed of the resampling, fixed so that equal values have equal intervals
UPPER = 0.975  # the quantile that ends an interval of 95%


def interval(*samples: Sequence[float]) -> tuple[float, float] | None:
    """95% interval of one sample's mean, or of the first's mean less the second's; None for fewer than 2 values.

    The percentile bootstrap is too narrow for few values: it plugs in a variance that is (n - 1) / n of the unbiased
    one and, where that is estimated from few values, a normal tail in place of Student's (Hesterberg 2015,
    https://arxiv.org/abs/1411.5279). Its two ends are moved away from the mean by the ratio of both, which keeps its
    skewness. It may reach past what a score can be, such as below 0. Measured over 4,000 draws of means of n values,
    how often an interval of 95% holds the true mean (2026-11, each cell within .015):

        values                     n    percentile    BCa    bootstrap-t    stretched
        normal                     3    .74           .71    .81            .95
        normal                     5    .84           .84    .95            .94
        normal                     6    .86           .86    .95            .95
        normal                    10    .91           .91    .96            .96
        lognormal, skewness 1.8    3    .72           .70    .80            .93
        lognormal, skewness 1.8    5    .81           .82    .94            .92
        lognormal, skewness 1.8   10    .88           .88    .94            .93
        lognormal, skewness 6.2    3    .64           .62    .74            .85
        lognormal, skewness 6.2    5    .72           .73    .89            .82
        lognormal, skewness 6.2   10    .81           .83    .91            .86

    Bootstrap-t holds more of very skewed means but has no width for 2 values, and for 3 to 5 a width that leaps: at 5
    normal values the widest twentieth is twice as wide as here, at 4 eleven times. No interval knows a rare event that
    no run had: where one run in ten lies ten deviations off, this one holds .76 at n = 5 and .72 at n = 10.

    Differences of means of 3, 5, 6 and 10 against as many values are held in .95 to .96 of 2,000 draws (normal), .94 to
    .95 (spreads of 1 and 5), .96 to .97 (both of skewness 6.2), .90 to .93 (one of skewness 6.2, the other normal);
    of 3 against 10 in .93, .95, .91 and .83.
    """
    if min(map(len, samples)) < 2:
        return None
    means = [mean(sample) for sample in samples]
    middle = float(means[0] - sum(means[1:]))
    deviations = [stdev(sample) / math.sqrt(len(sample)) for sample in samples]  # standard errors of the means
    widest = max(deviations)
    if widest == 0:
        return middle, middle
    # In units of the widest deviation no square overflows, and scipy squares.
    scaled = [[(value - own) / widest for value in sample] for sample, own in zip(samples, means, strict=True)]
    found = bootstrap(scaled, contrast, vectorized=True, method="percentile", n_resamples=RESAMPLES, rng=SEED)
    low, high = found.confidence_interval
    factor = widest * stretch([each / widest for each in deviations], [len(sample) for sample in samples])
    return float(middle + factor * low), float(middle + factor * high)


def contrast(first: np.ndarray, *others: np.ndarray, axis: int) -> np.ndarray:
    """The first sample's mean less the sum of the others', along `axis`."""
    return first.mean(axis=axis) - sum(other.mean(axis=axis) for other in others)


def stretch(deviations: Sequence[float], counts: Sequence[int]) -> float:
    """How much wider Student's interval (Welch's of two samples) is than a bootstrap of normal values would be.

    `deviations` are those of each sample's mean, in any unit.
    """
    total = sum(each**2 for each in deviations)
    shares = [each**2 / total for each in deviations]
    freedom = 1 / sum(share**2 / (count - 1) for share, count in zip(shares, counts, strict=True))
    plugged_in = sum(share * (count - 1) / count for share, count in zip(shares, counts, strict=True))
    return float(t.ppf(UPPER, freedom) / norm.ppf(UPPER) / math.sqrt(plugged_in))
