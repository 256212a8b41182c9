"""Spoil real images in known ways, and see whether each score worsens as the harm grows.

    python -m benchmarks.evaluation.sanity --data-dir DIR --dataset fashion_mnist --dataset cifar10.npz=CIFAR-10

The real side is the test images of each dataset, the generated side its training images, as they are and spoiled.
Writes a report and a plot for each dataset. README.md in this folder says how to read them.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

from zoo.catalogue import read_catalogue
from zoo.evaluation.metrics.contract import Compared, Metric, Side
from zoo.evaluation.metrics.draws import some
from zoo.evaluation.metrics.selection import every_metric
from zoo.evaluation.protocol import Protocol
from zoo.evaluation.task import recorded

from .datasets import parser_of, report_on_each
from .plots import sanity_plot
from .samples import Measurer, Splits, rows_of, some_of
from .sanity_table import markdown
from .variants import variants

SAMPLES = 2000  # samples on each side
AVAILABLE = {"features", "logits", "images"}
SLOW = "swd"  # the metric that reads fewer samples
ROWS_SEED = 0  # seed of the rows that are read
KEPT = ("name", "value", "deviation", "interval", "better")


def main() -> None:
    """Measures each dataset, with a report of its own."""
    parser = parser_of(__doc__, "of what metrics draw")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of either side")
    parser.add_argument("--swd-samples", type=int, default=SAMPLES, help="of them for the slowest metric, of patches")
    report_on_each("sanity", parser.parse_args(), content, markdown, sanity_plot)


def content(splits: Splits, measurer: Measurer, arguments: argparse.Namespace) -> dict[str, Any]:
    """The report's data."""
    return {
        "samples": arguments.samples,
        "swd_samples": min(arguments.samples, arguments.swd_samples),
        "settings": {name: metric.settings for name, metric in chosen().items()},
        "variants": list(scored(splits, arguments, measurer)),
    }


def chosen() -> dict[str, Metric]:
    """The metrics that images, features and logits are enough for."""
    found = every_metric(read_catalogue())
    return {name: each for name, each in found.items() if each.default and each.needs <= AVAILABLE}


def scored(splits: Splits, arguments: argparse.Namespace, measurer: Measurer) -> Iterator[dict[str, Any]]:
    """Every variant of the generated side with all its scores."""
    real = measurer.side(some_of(splits.test, arguments.samples))
    for name, strength, fake in variants(splits, arguments.samples, measurer):
        began = time.monotonic()
        yield {"spoiling": name, "strength": strength, "scores": list(scores(real, fake, arguments, measurer))}
        print(f"{splits.title}, {name} {strength}: {time.monotonic() - began:.0f} s of metrics", flush=True)


def scores(real: Side, fake: Side, arguments: argparse.Namespace, measurer: Measurer) -> Iterator[dict[str, Any]]:
    """All scores under the names that `zoo evaluate` gives them; the protocol is the report's."""
    protocol = Protocol(measurer.record, {}, {}, arguments.seed)
    for name, metric in chosen().items():
        sides = (some_rows(side, arguments.swd_samples) if name == SLOW else side for side in (real, fake))
        for score in metric.measure(Compared(*sides, seed=arguments.seed)):
            made = recorded(score, metric, protocol)
            yield {field: made[field] for field in KEPT}


def some_rows(side: Side, count: int) -> Side:
    """A side of `count` rows, the same of every side of that size: with repeated images, too, the share is kept."""
    return rows_of(side, some(ROWS_SEED, "sanity", side.count, count))


if __name__ == "__main__":
    main()
