"""The user's own arrays: .npy, or .npz with `samples`, `labels`, `test_samples` and `test_labels`.

Members of an .npz are read as a stream, compressed or not, so that memory is bounded whatever their size.
"""

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.data import images
from zoo.data.options import WITHOUT_LABELS, DataOptions
from zoo.data.sources.contract import Batches, Contents, Source
from zoo.data.sources.idx import check_end, check_length, exactly
from zoo.data.splits import Part, Selection, Splits
from zoo.errors import ZooError, unknown

ARRAYS = (".npy", ".npz")
NPY = ".npy"
ALONE = "samples"  # the name that the only array of an .npy file gets
BLOCK = 2**24  # bytes read at once
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# The names of samples and labels of each split, ours and those in Keras' own files such as mnist.npz.
NAMES = {
    "train": (("samples", "labels"), ("x_train", "y_train")),
    "test": (("test_samples", "test_labels"), ("x_test", "y_test")),
}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the compression methods that NumPy writes
UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class ArraySource(Source):
    """uint8 or uint16 images (N, H, W) or (N, H, W, C), or points (N, D), which are scaled into [-1, 1]."""

    path: Path
    options: DataOptions

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """The file with its size and modification time, so that a changed file is prepared anew."""
        status = self.path.stat()
        return {
            "source": f"file {self.path}",
            "bytes": status.st_size,
            "modified": status.st_mtime_ns,
            **self.options.preprocessing,
        }

    def splits(self) -> Splits:
        """`train`, and `test` where the file has such an array; raises ZooError without one for `train`."""
        found = {split: self._samples_name(split) for split in NAMES}
        if found["train"] is None:
            raise unknown(f"array in {self.path}", self.options.image_key or NAMES["train"][0][0], self.arrays)
        return Splits({split: self._header(name)[0][0] for split, name in found.items() if name}, str(self.path))

    def contents(self, selection: Selection) -> Contents:
        names = {part.split: self._samples_name(part.split) or "" for part in selection.parts}
        headers = [self._header(name) for name in names.values()]
        if len({(shape[1:], dtype) for shape, dtype in headers}) > 1:
            raise ZooError(f"The splits of {self.path} differ in shape or kind: {headers}.")
        shape, dtype = headers[0]
        if len(shape) == 2 and dtype.kind == "f":
            return self._points(selection, shape)
        if len(shape) in (3, 4) and dtype in (np.uint8, np.uint16):
            return self._images(selection, shape)
        raise ZooError(
            f"{self.path} must hold uint8 or uint16 images (N, H, W) or (N, H, W, C), or floating-point points (N, D). "
            f"Received: {dtype} {shape}."
        )

    @cached_property
    def arrays(self) -> list[str]:
        if self.path.suffix.lower() == NPY:
            return [ALONE]
        try:
            with zipfile.ZipFile(self.path) as archive:
                return [name.removesuffix(NPY) for name in archive.namelist() if name.endswith(NPY)]
        except UNREADABLE as error:
            raise self._unreadable(error) from error

    def _samples_name(self, split: str) -> str | None:
        if key := self.options.image_key:
            names = [key if split == "train" else f"test_{key}"]
        else:
            names = [samples for samples, _ in NAMES[split]]
        return next((name for name in names if name in self.arrays), None)

    def _labels_name(self, split: str, label: str | None) -> str | None:
        """The name of the array of a split's labels; `label` is the requested one, None for the default."""
        if label == WITHOUT_LABELS:
            return None
        if label is None:
            samples = self._samples_name(split)
            found = dict(NAMES[split]).get(samples or "", NAMES[split][0][1])
            return found if found in self.arrays else None
        wanted = label if split == "train" else f"test_{label}"
        if wanted not in self.arrays:
            raise unknown(f"array in {self.path}", wanted, self.arrays)
        return wanted

    def _labels(self, selection: Selection) -> dict[str, np.ndarray] | None:
        """int64 labels (N,) of all rows of each selected split; None where a split has none."""
        found = {}
        for part in selection.parts:
            name = self._labels_name(part.split, self.options.label)
            if name is None:
                return None
            count = self._header(self._samples_name(part.split) or "")[0][0]
            shape, dtype = self._header(name)
            if shape not in ((count,), (count, 1)) or dtype.kind not in "iub":
                raise ZooError(
                    f"The labels in {self.path} must be {count} whole numbers, one for each sample. "
                    f"Received: {dtype} {shape}."
                )
            labels = np.concatenate([block for _, block in self._blocks(name)]).reshape(-1).astype(np.int64)
            if labels.min(initial=0) < 0:
                raise ZooError(
                    f"'{name}' in {self.path} has labels below 0. Number the classes from 0, or --label none."
                )
            found[part.split] = labels
        return found

    def _label_names(self, selection: Selection, with_labels: bool) -> tuple[str | None, str | None]:
        """(default array of the selection's labels, array that they are read from); None for no labels."""
        names = [self._labels_name(part.split, None) for part in selection.parts]
        default = None if None in names else names[0]
        return default, (self.options.label or default) if with_labels else None

    def _points(self, selection: Selection, shape: tuple[int, ...]) -> Contents:
        self.options.refuse_images(f"{self.path} holds points")
        scale = 0.0
        for part, wanted, rows in self._selected(selection):
            bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
            if len(bad):
                raise ZooError(
                    f"{self.path}: {len(bad)} or more points are not finite, the first in row {wanted[bad[0]]} of "
                    f"'{part.split}'. Remove them."
                )
            scale = max(scale, float(np.abs(rows).max(initial=0)))
        labels = self._labels(selection)
        default_label, label = self._label_names(selection, labels is not None)
        scale = scale or 1.0

        def batches() -> Batches:
            for part, wanted, rows in self._selected(selection):
                precise = rows.astype(
                    np.result_type(rows, np.float32), copy=False
                )  # a float16 quotient would be rounded
                yield precise / scale, None if labels is None else labels[part.split][wanted]

        return Contents(
            shape=(selection.count, shape[1]),
            dtype=np.float32,
            batches=batches(),
            scale=scale,
            defaults={"label": default_label},
            resolved={"label": label},
            description={"scale": scale},
        )

    def _images(self, selection: Selection, shape: tuple[int, ...]) -> Contents:
        _, height, width, *rest = shape
        natural = rest[0] if rest else 1
        if height * width > images.MOST_PIXELS:
            raise images.bomb(str(self.path), f"{width} x {height}")
        if self.options.channels and natural not in (1, 3, 4):
            raise ZooError(f"{self.path} has images of {natural} channels, which can't become {self.options.channels}.")
        size, native = images.size_for(self.options, {(width, height)}, str(self.path))
        channels = self.options.channels or natural
        labels = self._labels(selection)
        default_label, label = self._label_names(selection, labels is not None)

        def batches() -> Batches:
            for part, wanted, rows in self._selected(selection):
                shaped = (images.array_with_channels(row.reshape(height, width, natural), channels) for row in rows)
                squares = np.stack([images.square(image, self.options.crop, size) for image in shaped])
                yield squares, None if labels is None else labels[part.split][wanted]

        return Contents(
            shape=(selection.count, size, size, channels),
            dtype=np.uint8,
            batches=batches(),
            defaults={"image_size": native, "channels": natural, "label": default_label},
            resolved={"image_size": size, "channels": channels, "label": label},
            description={"resize": images.RESIZE},
        )

    def _selected(self, selection: Selection) -> Iterator[tuple[Part, np.ndarray, np.ndarray]]:
        """(part, row numbers (B,), rows (B, ...)) of the selected rows, block by block."""
        for part in selection.parts:
            for start, block in self._blocks(self._samples_name(part.split) or ""):
                wanted = part.within(start, start + len(block))
                if len(wanted):
                    yield part, start + wanted, block[wanted]

    def _header(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        with self._opened(name) as (_, shape, dtype):
            return shape, dtype.newbyteorder("=")

    def _blocks(self, name: str) -> Iterator[tuple[int, np.ndarray]]:
        """(number of the first row, rows (B, ...)) of an array, BLOCK bytes at a time."""
        with self._opened(name) as (file, (count, *sample), dtype):
            bytes_a_row = math.prod(sample) * dtype.itemsize
            rows = max(1, BLOCK // bytes_a_row)
            for start in range(0, count, rows):
                length = min(rows, count - start)
                block = np.frombuffer(exactly(file, length * bytes_a_row), dtype)
                yield start, block.reshape(length, *sample).astype(dtype.newbyteorder("="), copy=False)
            check_end(file)

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
        """(file positioned behind the header, shape, dtype) of an array; any damage of the file becomes a ZooError."""
        try:
            with self._stream(name) as file:
                shape, fortran, dtype = array_header(file)
                if dtype.hasobject:
                    raise ValueError("arrays of Python objects are refused: reading them could run any program")
                if fortran and len(shape) > 1:
                    raise ValueError("it is in Fortran's order: save it again as np.ascontiguousarray(array)")
                if not shape:
                    raise ValueError("it holds a single number")
                if min(shape) < 0 or not math.prod(shape[1:]) * dtype.itemsize:
                    raise ValueError(f"its samples are empty: {dtype} {shape}")
                check_length(math.prod(shape) * dtype.itemsize, self.path, packed=self.path.suffix.lower() != NPY)
                yield file, shape, dtype
        except UNREADABLE as error:
            raise self._unreadable(error) from error

    @contextmanager
    def _stream(self, name: str) -> Iterator[IO[bytes]]:
        if self.path.suffix.lower() == NPY:
            with self.path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}{NPY}") as member:
            if archive.getinfo(f"{name}{NPY}").compress_type not in METHODS:
                raise ValueError("it is packed by a method that NumPy does not write: save it by np.savez_compressed")
            yield member

    def _unreadable(self, error: Exception) -> ZooError:
        return ZooError(f"Cannot read {self.path}: {error}.")


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether in Fortran's order, dtype) of the .npy that begins here; raises ValueError for anything else."""
    version = np.lib.format.read_magic(file)
    if version not in READERS:
        raise ValueError(f"format {version} of .npy")
    try:
        return READERS[version](file)
    except Exception as error:  # NumPy parses the header as Python, which raises many kinds of errors for what is none
        raise ValueError(f"its header is garbled: {error}") from error
