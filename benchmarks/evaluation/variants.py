"""The generated side of a sanity check: training images as they are, and spoiled in every way and strength."""

from collections.abc import Iterator

import numpy as np

from zoo.evaluation.metrics.contract import Side

from .samples import Measurer, Splits, rows_of, some_of
from .spoiling import BLUR, CLASSES, COPIES, NOISE, SPOILINGS, blurred, copied_rows, noisy, rows_of_classes

REFERENCE = "unharmed"


def variants(splits: Splits, count: int, measurer: Measurer) -> Iterator[tuple[str, float | None, Side]]:
    """Name, strength and side of each; all that are unharmed are one, which comes first."""
    reference = measurer.side(some_of(splits.train, count))
    yield REFERENCE, None, reference
    for name, spoiling in SPOILINGS.items():
        for strength in spoiling.strengths:
            yield name, strength, spoiled(name, strength, splits, reference, measurer)


def spoiled(name: str, strength: float, splits: Splits, reference: Side, measurer: Measurer) -> Side:
    """As many images as the reference has; repeated ones keep their features."""
    images = reference.samples
    if name == COPIES:
        return rows_of(reference, copied_rows(len(images), strength))
    if name == CLASSES:
        labels = np.asarray(splits.train.labels)
        return measurer.side(splits.train.batch(rows_of_classes(labels, int(strength), len(images))))
    return measurer.side({BLUR: blurred, NOISE: noisy}[name](images, strength))
