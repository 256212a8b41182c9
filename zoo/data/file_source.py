"""The user's own arrays: .npy, or .npz with `samples`, `labels`, `test_samples` and `test_labels`."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.folder_source import FolderSource
from zoo.data.images import centre_square
from zoo.data.local_source import LocalSource
from zoo.data.writer import Contents
from zoo.errors import ZooError, unknown

BATCH = 1024  # rows
PREFIXES = {"train": "", "test": "test_"}


def file_source(path: Path, image_size: int | None, split: str) -> "ArraySource | FolderSource":
    """A folder of images, or an array file."""
    if path.is_dir():
        return FolderSource(path.resolve(), image_size, split)
    if not path.exists():
        raise ZooError(f"There is no file or folder {path}.")
    if path.suffix not in (".npy", ".npz"):
        raise ZooError(f"{path} is no dataset: give a folder of images, a .npy or a .npz file.")
    return ArraySource(path.resolve(), image_size, split)


@dataclass(frozen=True)
class ArraySource(LocalSource):
    """uint8 images (N, H, W) or (N, H, W, C), or floating-point points (N, D), which are scaled into [-1, 1]."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """The file with its size and time: a changed file is prepared anew."""
        status = self.path.stat()
        return {
            "source": f"file {self.path}",
            "split": self.split,
            "image_size": self.image_size,
            "bytes": status.st_size,
            "modified": status.st_mtime_ns,
        }

    def contents(self) -> Contents:
        """The file's samples of this split, checked."""
        samples, labels = self._arrays()
        if not len(samples):
            raise ZooError(f"{self.path} holds no samples.")
        if labels is not None and (labels.shape != samples.shape[:1] or labels.dtype.kind not in "iu"):
            raise ZooError(
                f"The labels in {self.path} must be {len(samples)} whole numbers, one for each sample. "
                f"Received: {labels.dtype} {labels.shape}."
            )
        if samples.ndim == 2 and samples.dtype.kind == "f":
            return self._points(samples, labels)
        if samples.ndim in (3, 4) and samples.dtype == np.uint8:
            return self._images(samples if samples.ndim == 4 else samples[..., np.newaxis], labels)
        raise ZooError(
            f"{self.path} must hold uint8 images (N, H, W) or (N, H, W, C), or floating-point points (N, D). "
            f"Received: {samples.dtype} {samples.shape}."
        )

    def _arrays(self) -> tuple[np.ndarray, np.ndarray | None]:
        try:
            loaded = np.load(self.path, mmap_mode="r", allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return self._only_train(loaded), None
            with loaded:
                return self._member(loaded)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ZooError(f"Cannot read {self.path}: {error} (arrays of Python objects are refused)") from error

    def _only_train(self, samples: np.ndarray) -> np.ndarray:
        if self.split != "train":
            raise ZooError(f"{self.path} has no test split: put `samples` and `test_samples` into one .npz file.")
        return samples

    def _member(self, arrays: Any) -> tuple[np.ndarray, np.ndarray | None]:
        wanted, labels = f"{PREFIXES[self.split]}samples", f"{PREFIXES[self.split]}labels"
        if wanted not in arrays:
            raise unknown(f"array in {self.path}", wanted, arrays.files)
        return arrays[wanted], arrays.get(labels)

    def _points(self, points: np.ndarray, labels: np.ndarray | None) -> Contents:
        bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
        if len(bad):
            raise ZooError(f"{self.path}: {len(bad)} points are not finite, the first in row {bad[0]}. Remove them.")
        scale = float(np.abs(points).max()) or 1.0
        batches = ((rows / scale, part) for rows, part in _slices(points, labels))
        description = {**self.identity, "scale": scale, "count": len(points)}
        return Contents(points.shape, np.float32, batches, scale=scale, description=description)

    def _images(self, images: np.ndarray, labels: np.ndarray | None) -> Contents:
        count, height, width, channels = images.shape
        size = self.image_size or min(height, width)
        batches = (
            (np.stack([centre_square(image, None, size) for image in rows]), part)
            for rows, part in _slices(images, labels)
        )
        return Contents((count, size, size, channels), np.uint8, batches, description={**self.identity, "count": count})


def _slices(samples: np.ndarray, labels: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for first in range(0, len(samples), BATCH):
        rows = slice(first, first + BATCH)
        yield samples[rows], None if labels is None else labels[rows]
