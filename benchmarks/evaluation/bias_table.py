"""The report of bias: FD and KID at every number of samples, and how FD's bias falls."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.common.tables import table

from .report import described, digits, heading

FITTED = 1000  # samples; the fit uses sizes from here on
PARTS = 10  # parts of each size, at most
Size = Mapping[str, Any]  # count, and of fd and kid the values, their mean and deviation


def markdown(report: Mapping[str, Any]) -> str:
    """The whole report."""
    dataset, sizes = report["dataset"], report["sizes"]
    text = (
        f"Training images of {dataset['title']} (fingerprint {dataset['train']['fingerprint'][:12]}) against test "
        f"images ({dataset['test']['fingerprint'][:12]}), n of either side, in up to {PARTS} disjoint parts of 10,000; "
        f"seed {report['seed']}. {described(report['extractor'])} Values are means over the parts, ± the standard "
        "deviation of one part's value."
    )
    limit, slope = fit(sizes)
    header = ["n", "parts", "FD", f"(FD - {digits(limit)}) × n", "KID"]
    rows = [row(size, limit) for size in sizes]
    parts = [heading(f"Bias: {dataset['title']}", report), text, table(header, rows), statement(sizes, limit, slope)]
    return "\n\n".join(parts) + "\n"


def statement(sizes: Sequence[Size], limit: float, slope: float) -> str:
    """Sentences on the numbers."""
    first, last = sizes[0], sizes[-1]
    falls = all(after["fd_mean"] < before["fd_mean"] for before, after in pairwise(sizes))
    smaller = [size for size in sizes if len(size["kid"]) > 1]
    near = sum(abs(size["kid_mean"] - last["kid_mean"]) <= reach(size) for size in smaller)
    return (
        f"FD {'falls' if falls else 'does not fall'} with every larger n, from {digits(first['fd_mean'])} at "
        f"{first['count']:,} to {digits(last['fd_mean'])} at {last['count']:,}. Least squares from n = {FITTED:,} on "
        f"give {digits(limit)} + {digits(slope)} / n; where the bias falls as 1 / n, (FD - {digits(limit)}) × n stays "
        f"the same. KID's mean is within two of its standard errors of {digits(last['kid_mean'])}, the value at "
        f"{last['count']:,}, at {near} of the {len(smaller)} smaller n."
    )


def reach(size: Size) -> float:
    """Two standard errors of KID's mean over the parts."""
    return 2 * size["kid_deviation"] / math.sqrt(len(size["kid"]))


def row(size: Size, limit: float) -> list[str]:
    """The row of one number of samples."""
    return [
        f"{size['count']:,}",
        str(len(size["fd"])),
        with_deviation(size["fd_mean"], size["fd_deviation"]),
        digits((size["fd_mean"] - limit) * size["count"]),
        with_deviation(size["kid_mean"], size["kid_deviation"]),
    ]


def with_deviation(value: float, deviation: float | None) -> str:
    """`12.3 ± 0.4`; the value alone where there is one part."""
    return digits(value) if deviation is None else f"{digits(value)} ± {digits(deviation)}"


def fit(sizes: Sequence[Size]) -> tuple[float, float]:
    """FD at infinitely many samples and its slope in 1 / n (Chong and Forsyth 2020, https://arxiv.org/abs/1911.07023).

    Least squares over the means at n of FITTED and more: below the number of features a covariance lacks rank.
    """
    fitted = [size for size in sizes if size["count"] >= FITTED]
    inverse = [1 / size["count"] for size in fitted]
    slope, limit = np.polyfit(inverse, [size["fd_mean"] for size in fitted], 1)
    return float(limit), float(slope)
