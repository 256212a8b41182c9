"""One split of one dataset, read from disk by memory map."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from zoo.base.names import short_name
from zoo.base.pictures import from_pixels
from zoo.data.fields import Field, samples_field
from zoo.data.options import SQUARE, WHOLE, attributes_in
from zoo.errors import NoLabels, ZooError

SAMPLES, LABELS = "samples", "labels"
LABELS_FROM = "labels_from"  # of a description: what labels could be read from, where none were


@dataclass(frozen=True, eq=False)
class Dataset:
    """`samples`: uint8 (N, H, W, C) for images or scaled float32 (N, D) for points; `labels`: int64 (N,) or None.

    `others` are further fields by name, each with its rows: as many as there are samples where the field is aligned.
    """

    name: str
    split: str
    samples: np.ndarray
    labels: np.ndarray | None
    classes: int | None
    class_names: tuple[str, ...]
    scale: float
    """Original units are `samples * scale`; 1.0 for images."""
    fingerprint: str
    """sha256 of dtype, shape, samples and labels, and of further fields, recorded when prepared."""
    description: Mapping[str, Any]
    """How it was made: source, split, crop, image size, rows; for mixtures also centres and standard deviation."""
    others: Mapping[str, tuple[Field, np.ndarray]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """What each row holds, by name: `samples`, `labels` where there are any, and the others."""
        found = {SAMPLES: samples_field(self.sample_shape, self.scale)}
        if self.labels is not None and self.classes:
            shares = np.bincount(self.labels, minlength=self.classes) / max(1, len(self.labels))
            found[LABELS] = Field("label", (), 1.0, self.class_names, tuple(float(each) for each in shares))
        return {**found, **{name: spec for name, (spec, _) in self.others.items()}}

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The rows of each field; labels as int32."""
        found = {SAMPLES: self.samples}
        if LABELS in self.fields and self.labels is not None:
            found[LABELS] = self.labels.astype("int32")
        return {**found, **{name: array for name, (_, array) in self.others.items()}}

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(H, W, C) for images, (D,) for points."""
        return self.samples.shape[1:]

    @property
    def is_image(self) -> bool:
        """Whether the samples are pictures."""
        return self.fields[SAMPLES].is_image

    @property
    def count(self) -> int:
        return len(self.samples)

    @property
    def summary(self) -> str:
        """`celeba: 162,770 x (64, 64, 3), train of TFDS celeb_a/2.1.0, centre crop of 140 px`."""
        crop = self.description.get("crop")
        cropped = {SQUARE: "centre squares", WHOLE: "squeezed into squares"}.get(str(crop), f"centre crop of {crop} px")
        labels = self.description.get("label")
        attributes = ", ".join(each.rpartition("/")[2] for each in attributes_in(labels))
        read_from = f"attributes {attributes}" if attributes else f"labels from {labels}"
        return (
            f"{short_name(self.name)}: {self.count:,} x {self.sample_shape}, {self.split} of "
            f"{self.description['source']}"
            + (f", {cropped}" if crop else "")
            + (f", {read_from}" if labels and labels != "none" else "")
        )

    @property
    def account(self) -> str:
        """The summary, and below it what was read, cropped and left out, where it was prepared with such a record."""
        return "\n".join([self.summary, *(f"  {line}" for line in self.description.get("reading", ()))])

    @contextmanager
    def telling_labels(self) -> Iterator[None]:
        """Adds to the error of a stack that needs labels from what they could be read here, where that is known."""
        try:
            yield
        except NoLabels as error:
            names = self.description.get(LABELS_FROM)
            if not names:
                raise
            raise ZooError(
                f"{error} {short_name(self.name)} has labels to choose from: --label with one of {', '.join(names)}."
            ) from error

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """The samples at `indices` (B,), in that order, copied into memory."""
        return np.asarray(self.samples[indices])

    def spread(self, count: int) -> np.ndarray:
        """The numbers of at most `count` rows, evenly spread over all of them."""
        return np.linspace(0, self.count - 1, min(count, self.count)).astype(int)

    def scaled(self, indices: np.ndarray, dtype: str = "float32") -> np.ndarray:
        """The samples at `indices` as models are given them: images in [-1, 1], points as they are."""
        stored = self.batch(indices)
        return from_pixels(stored.astype(dtype)) if self.is_image else stored.astype(dtype)

    def original(self, stored: np.ndarray) -> np.ndarray:
        """Stored samples as a user knows them: images as they are, points in their original units."""
        return stored if self.is_image else stored * self.scale

    def rows(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Every field at `indices`, copied into memory; a field of fewer rows begins again at its first."""
        return {name: np.asarray(array[indices % len(array)]) for name, array in self.arrays.items()}
