"""One split of one dataset, read from disk by memory map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """`samples`: uint8 (N, H, W, C) for images or scaled float32 (N, D) for points; `labels`: int64 (N,) or None."""

    name: str
    split: str
    samples: np.ndarray
    labels: np.ndarray | None
    classes: int | None
    class_names: tuple[str, ...]
    scale: float
    """Original units are `samples * scale`; 1.0 for images."""
    fingerprint: str
    """sha256 of dtype, shape, samples and labels, recorded when prepared."""
    description: Mapping[str, Any]
    """How it was made: source, split, crop, image size, rows; for mixtures also centres and standard deviation."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(H, W, C) for images, (D,) for points."""
        return self.samples.shape[1:]

    @property
    def count(self) -> int:
        return len(self.samples)

    @property
    def summary(self) -> str:
        """`celeba: 162,770 x (64, 64, 3), train of TFDS celeb_a/2.1.0, centre crop of 140 px`."""
        crop = self.description.get("crop")
        labels = self.description.get("label")
        return (
            f"{self.name}: {self.count:,} x {self.sample_shape}, {self.split} of {self.description['source']}"
            + (f", centre crop of {crop} px" if crop else "")
            + (f", labels from {labels}" if labels and labels != "none" else "")
        )

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """The samples at `indices` (B,), in that order, copied into memory."""
        return np.asarray(self.samples[indices])

    def batch_labels(self, indices: np.ndarray) -> np.ndarray | None:
        """The int64 labels (B,) at `indices` (B,), in that order; None for an unlabelled dataset."""
        return None if self.labels is None else np.asarray(self.labels[indices])
