"""Measure how FD and KID depend on the number of samples, between training and test images of one dataset.

    python -m benchmarks.evaluation.bias --data-dir DIR --dataset fashion_mnist --dataset cifar10.npz=CIFAR-10

Features of 10,000 images of either side are extracted once and divided into disjoint parts. Writes a report
and a plot for each dataset. README.md in this folder says how to read them.
"""

import argparse
import time
from statistics import mean, stdev
from typing import Any

import numpy as np

from zoo.evaluation.metrics.draws import generator
from zoo.evaluation.metrics.frechet import frechet_distance
from zoo.evaluation.metrics.kernel import SUBSET_SIZE, SUBSETS, kernel_distance

from .bias_table import PARTS, markdown
from .datasets import parser_of, report_on_each
from .plots import bias_plot
from .samples import Measurer, Splits, some_of

SIZES = (100, 200, 500, 1000, 2000, 5000, 10_000)  # samples on each side
MOST = max(SIZES)


def main() -> None:
    """Measures each dataset, with a report of its own."""
    arguments = parser_of(__doc__, "of the division into parts").parse_args()
    report_on_each("bias", arguments, content, markdown, bias_plot)


def content(splits: Splits, measurer: Measurer, arguments: argparse.Namespace) -> dict[str, Any]:
    """The report's data."""
    return {"sizes": measured(splits, measurer, arguments.seed)}


def measured(splits: Splits, measurer: Measurer, seed: int) -> list[dict[str, Any]]:
    """For each size the values of every part, and their mean and deviation."""
    sides = [np.asarray(measurer.side(some_of(half, MOST)).features) for half in (splits.test, splits.train)]
    found = []
    for count in SIZES:
        began = time.monotonic()
        parts = [disjoint(len(side), count, whose, seed) for side, whose in zip(sides, ("test", "train"), strict=True)]
        values = [
            of_parts(*(side[rows] for side, rows in zip(sides, pair, strict=True)), seed)
            for pair in zip(*parts, strict=True)
        ]
        found.append(
            {"count": count} | summary("fd", [fd for fd, _ in values]) | summary("kid", [kid for _, kid in values])
        )
        print(f"{splits.title}, {count} samples, {len(values)} parts: {time.monotonic() - began:.0f} s", flush=True)
    return found


def disjoint(whole: int, count: int, whose: str, seed: int) -> list[np.ndarray]:
    """Rows of up to 10 disjoint parts of `count` rows each."""
    order = generator(seed, f"parts of {whose}").permutation(whole)
    return [np.sort(order[start : start + count]) for start in range(0, whole - count + 1, count)][:PARTS]


def of_parts(real: np.ndarray, fake: np.ndarray, seed: int) -> tuple[float, float]:
    """FD and KID as the zoo's metrics have them; where a subset is all there is, one says what a hundred would."""
    subsets = SUBSETS if len(real) > SUBSET_SIZE else 1
    return frechet_distance(real, fake), kernel_distance(real, fake, seed, subsets).value


def summary(name: str, values: list[float]) -> dict[str, Any]:
    """The values, their mean, and the standard deviation of one of them."""
    deviation = stdev(values) if len(values) > 1 else None
    return {name: values, f"{name}_mean": mean(values), f"{name}_deviation": deviation}


if __name__ == "__main__":
    main()
