"""The embedded emoji: pictures in two styles, of which one is the field `source`, with categories of what they show."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.base.files import file_hash
from zoo.data import images
from zoo.data.options import WITHOUT_LABELS, DataOptions
from zoo.data.sources.contract import Batches, Contents, OtherField, Source
from zoo.data.splits import TEST_NAMES, Selection, Splits
from zoo.errors import ZooError, unknown

STYLES = ("twemoji", "noto")
PAIRS = "pairs.csv"
CATEGORY = "category"
SIZE = 32  # pixels, as they are stored
COLOURS = 3  # channels
BATCH = 256  # images
TEST = TEST_NAMES[0]


@dataclass(frozen=True)
class EmojiSource(Source):
    """Colour images in the order of pairs.csv, with ten categories.

    Where they are not `paired`, training draws the source in an order of its own; the test split is in pairs always,
    so that translations can be measured.
    """

    folder: Path
    options: DataOptions
    embedded: str  # the dataset's name
    paired: bool

    @property
    def name(self) -> str:
        return self.embedded

    @property
    def identity(self) -> Mapping[str, Any]:
        """The hashes of the three files."""
        files = [self.folder / PAIRS, *(self.folder / f"{style}.webp" for style in STYLES)]
        hashes = [file_hash(file) for file in files]
        return {"source": f"embedded {self.embedded}", "files": hashes, **self.options.preprocessing}

    def splits(self) -> Splits:
        """`train` and `test`, as they are recorded."""
        return Splits({split: len(rows) for split, rows in self.rows.items()}, self.name)

    def contents(self, selection: Selection) -> Contents:
        self.options.refuse(f"{self.name} holds square colour images", "layout", "values", "folders", "source_order")
        if self.options.label not in (None, WITHOUT_LABELS, CATEGORY):
            raise ZooError(f"{self.name} has one kind of labels, '{CATEGORY}'. Leave out --label, or --label none.")
        numbers = np.concatenate([self.rows[part.split][part.rows] for part in selection.parts])
        framing = images.framing(self.options, {(SIZE, SIZE): len(numbers)}, self.name)
        channels = self.options.channels or COLOURS
        with_labels = self.options.label != WITHOUT_LABELS
        shape = (len(numbers), framing.size, framing.size, channels)
        labels = np.array([self.categories.index(self.pairs[each][1]) for each in numbers], np.int64)
        source, target = self.styles
        aligned = self.paired or all(part.split == TEST for part in selection.parts)

        def batches() -> Batches:
            start = 0
            for made in self._pictures(target, numbers, framing.size, channels):
                yield made, labels[start : start + len(made)] if with_labels else None
                start += len(made)

        source_size = self.options.source_size or framing.size
        pictures = self._pictures(source, numbers, source_size, channels)
        order = "in pairs with the samples" if aligned else "in an order of their own"
        return Contents(
            shape=shape,
            dtype=np.uint8,
            batches=batches(),
            class_names=self.categories if with_labels else (),
            defaults={"image_size": SIZE, "channels": COLOURS, "label": CATEGORY},
            resolved={"image_size": framing.size, "channels": channels, "label": CATEGORY if with_labels else None},
            description={"resize": images.RESIZE},
            read=[f"samples are {target}, the field source is {source}: {len(numbers):,} images {order}"],
            others={
                "source": OtherField("image", (len(numbers), source_size, source_size, channels), pictures, aligned)
            },
        )

    @property
    def styles(self) -> tuple[str, str]:
        """(the style of the field `source`, that of the samples); raises ZooError for a style that is none."""
        source = self.options.source_from or STYLES[0]
        if source not in STYLES:
            raise unknown(f"style in {self.name}", source, STYLES)
        return source, next(each for each in STYLES if each != source)

    @cached_property
    def pairs(self) -> list[tuple[str, str, str]]:
        """(code, category, split) of each pair."""
        with (self.folder / PAIRS).open(newline="", encoding="utf-8") as file:
            return [(row["code"], row[CATEGORY], row["split"]) for row in csv.DictReader(file)]

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """In the order of the alphabet."""
        return tuple(sorted({category for _, category, _ in self.pairs}))

    @cached_property
    def rows(self) -> dict[str, np.ndarray]:
        """The numbers of the pairs in each split."""
        return {
            split: np.array([number for number, (_, _, own) in enumerate(self.pairs) if own == split])
            for split in ("train", TEST)
        }

    def _pictures(self, style: str, numbers: np.ndarray, size: int, channels: int) -> Iterator[np.ndarray]:
        """uint8 (B, size, size, channels) of the pairs of these numbers."""
        with Image.open(self.folder / f"{style}.webp") as file:
            sheet = np.asarray(file.convert("RGB"))
        rows, columns = (length // SIZE for length in sheet.shape[:2])
        cut = sheet.reshape(rows, SIZE, columns, SIZE, COLOURS).swapaxes(1, 2).reshape(-1, SIZE, SIZE, COLOURS)
        for start in range(0, len(numbers), BATCH):
            chosen = cut[numbers[start : start + BATCH]]
            shaped = (images.array_with_channels(each, channels) for each in chosen)
            yield np.stack([images.square(each, self.options.crop, size) for each in shaped])
