"""Images in MNIST's format: four IDX files, gzipped or not; the embedded `fashion_mini` is stored so."""

import gzip
import math
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zoo.base.files import file_hash
from zoo.data import images
from zoo.data.options import READING, WITHOUT_LABELS, DataOptions
from zoo.data.sources.contract import Batches, Contents, Source
from zoo.data.splits import Selection, Splits
from zoo.errors import ZooError

PREFIXES = {"train": "train", "test": "t10k"}
KINDS = {"images": ("images-idx3-ubyte", 0x803), "labels": ("labels-idx1-ubyte", 0x801)}
CLASS_NAMES = "classes.txt"  # optional file of class names, one a line
BATCH = 1024  # images
MOST_PACKED = 1032  # bytes that one byte of a deflated file can expand to


class Readable(Protocol):
    """An open file, gzipped or not."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class IdxSource(Source):
    """Gray images (N, H, W) with labels, in the order of the files."""

    folder: Path
    options: DataOptions
    embedded: str | None = None  # the name of a dataset that is part of the package

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a folder holds the training images in this format."""
        return find(folder, "train", "images") is not None

    @property
    def name(self) -> str:
        return self.embedded or self.folder.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """The hashes of all files, which are small."""
        files = [find(self.folder, split, kind) for split in PREFIXES for kind in KINDS]
        hashes = [file_hash(file) for file in files if file]
        source = f"embedded {self.embedded}" if self.embedded else f"folder {self.folder}"
        return {"source": source, "files": hashes, **self.options.preprocessing}

    def splits(self) -> Splits:
        """`train`, and `test` where its images are there."""
        counts = {split: self._header(split)[0] for split in PREFIXES if find(self.folder, split, "images")}
        return Splits(counts, self.name if self.embedded else str(self.folder))

    def contents(self, selection: Selection) -> Contents:
        self.options.refuse(f"{self.folder} holds MNIST's files", *READING)
        shapes = Counter(self._header(part.split)[:0:-1] for part in selection.parts)
        framing = images.framing(self.options, shapes, str(self.folder))
        size, native = framing.size, framing.native
        channels = self.options.channels or 1
        labelled = all(find(self.folder, part.split, "labels") for part in selection.parts)
        if self.options.label not in (None, WITHOUT_LABELS, "labels"):
            raise ZooError(f"{self.name} has one kind of labels. Leave out --label, or --label none.")
        with_labels = labelled and self.options.label != WITHOUT_LABELS
        names = self.folder / CLASS_NAMES
        return Contents(
            shape=(selection.count, size, size, channels),
            dtype=np.uint8,
            batches=self._batches(selection, channels, size, with_labels),
            class_names=tuple(names.read_text("utf-8").splitlines()) if names.exists() and with_labels else (),
            defaults={"image_size": native, "channels": 1, "label": "labels" if labelled else None},
            resolved={"image_size": size, "channels": channels, "label": "labels" if with_labels else None},
            description={"resize": images.RESIZE},
            read=[framing.said] if framing.said else [],
        )

    def _batches(self, selection: Selection, channels: int, size: int, with_labels: bool) -> Batches:
        for part in selection.parts:
            count, height, width = self._header(part.split)
            labels = self._labels(part.split, count) if with_labels else None
            with self._opened(part.split, "images") as (file, _):
                for start in range(0, count, BATCH):
                    rows = min(BATCH, count - start)
                    block = np.frombuffer(exactly(file, rows * height * width), np.uint8)
                    wanted = part.within(start, start + rows)
                    chosen = block.reshape(rows, height, width, 1)[wanted]
                    if len(chosen):
                        yield (
                            self._preprocessed(chosen, channels, size),
                            None if labels is None else labels[start + wanted],
                        )
                check_end(file)

    def _preprocessed(self, chosen: np.ndarray, channels: int, size: int) -> np.ndarray:
        shaped = (images.array_with_channels(image, channels) for image in chosen)
        return np.stack([images.square(image, self.options.crop, size) for image in shaped])

    def _labels(self, split: str, count: int) -> np.ndarray:
        with self._opened(split, "labels") as (file, (length,)):
            if length != count:
                raise ZooError(f"{self.folder} has {count} images and {length} labels of '{split}'.")
            labels = np.frombuffer(exactly(file, count), np.uint8).astype(np.int64)
            check_end(file)
            return labels

    def _header(self, split: str) -> tuple[int, int, int]:
        with self._opened(split, "images") as (_, (count, height, width)):
            if height * width > images.MOST_PIXELS:
                raise images.bomb(f"{self.folder}: {split}", f"{height} x {width}")
            return count, height, width

    @contextmanager
    def _opened(self, split: str, kind: str) -> Iterator[tuple[Readable, tuple[int, ...]]]:
        """(file positioned behind its header, lengths in the header); a damaged file becomes a ZooError."""
        path = find(self.folder, split, kind)
        if path is None:
            raise ZooError(f"{self.folder} has no {kind} of the split '{split}'.")
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                magic = struct.unpack(">I", exactly(file, 4))[0]
                if magic != KINDS[kind][1]:
                    raise ValueError(f"it begins with {magic:#x}, not {KINDS[kind][1]:#x}")
                axes = magic & 0xFF
                lengths = struct.unpack(f">{axes}I", exactly(file, 4 * axes))
                if not math.prod(lengths):
                    raise ValueError("it is empty")
                check_length(math.prod(lengths), path, packed=path.suffix == ".gz")
                yield file, lengths
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise ZooError(f"{path} is damaged: {error}. Replace it by the original.") from error


def find(folder: Path, split: str, kind: str) -> Path | None:
    """The file of a split's images or labels, under either of its names, gzipped or not; None where missing."""
    stem = f"{PREFIXES[split]}-{KINDS[kind][0]}"
    names = [name + ending for name in (stem, stem.replace("-idx", ".idx")) for ending in (".gz", "")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def exactly(file: Readable, count: int) -> bytes:
    """The next `count` bytes of a file; raises EOFError where it has fewer."""
    found = file.read(count)
    if len(found) != count:
        raise EOFError(f"it ends {count - len(found):,} bytes too early")
    return found


def check_end(file: Readable) -> None:
    """Raises ValueError where a file has more bytes; at its end, gzip and zip files verify their checksums."""
    if file.read(1):
        raise ValueError("it is longer than its header says")


def check_length(needed: int, path: Path, packed: bool) -> None:
    """Raises EOFError where a header promises more bytes than its file can hold, before they are allocated."""
    size = path.stat().st_size
    if needed > size * (MOST_PACKED if packed else 1):
        raise EOFError(f"its header promises {needed:,} bytes, more than a file of {size:,} bytes can hold")
