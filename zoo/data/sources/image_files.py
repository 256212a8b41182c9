"""Decodes image files in parallel into batches of equal images, in order; a share of broken files may be skipped."""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from zoo.data import images
from zoo.data.options import UNREADABLE_SHARE, DataOptions
from zoo.data.sources import domains
from zoo.data.sources.contract import Batches, Skipped, shortened
from zoo.data.sources.trees import Entry, Tree
from zoo.data.values import DEPTHS, Values, of_integers
from zoo.errors import ZooError

BATCH = 256  # images
PAGES = "pages or frames after the first"
HEADER = 2**16  # bytes in which nearly every image file says its size and kind
AT_ONCE = 8  # images that a thread gets
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class ImageFiles:
    """Image files of a tree in a given order, with their labels or None."""

    tree: Tree
    entries: Sequence[Entry]
    labels: Sequence[Any] | None  # numbers, or lists of attributes
    share: float = UNREADABLE_SHARE
    total: int = 0  # images in all splits, which `share` refers to; 0 for the number of entries
    skipped: Skipped = field(default_factory=Skipped)
    half: str | None = None  # the half of each image that is read, None for all of it
    in_pairs: bool = False  # whether each image belongs to another one, so that none may be left out

    def headers(self) -> dict[Entry, images.Header]:
        """Size and kind of every readable image; raises ZooError where more than `share` are unreadable, or all."""
        pairs = zip(self.entries, in_order(self._header, self.entries), strict=True)
        found = {entry: each for entry, each in pairs if each is not None}
        self._check(len(self.entries) - len(found))
        if not found:
            raise self._refused()
        self.skipped.names.clear()  # decoding meets the unreadable ones again
        return found

    def values(self, options: DataOptions, headers: Mapping[Entry, images.Header]) -> dict[Entry, Values]:
        """What is black and white: as the options say of all images, else of those of 16 bits by their largest value.

        Images are decoded for it until one uses the 16 bits.
        """
        if options.values is not None:
            return dict.fromkeys(headers, Values.parsed(options.values))
        deep = [entry for entry, each in headers.items() if each.deep]
        least, largest, where = 0, 0, ""
        for entry, found in zip(deep, in_order(self._ends, deep), strict=False):
            low, high = found or (0, 0)
            if high > largest or low < least or not where:
                least, largest, where = min(least, low), max(largest, high), self._name(entry)
            if largest >= 2 ** DEPTHS[-2]:
                break
        if not deep:
            return {}
        values = of_integers(largest, where, least)
        if values.white < 2 ** DEPTHS[-2] and any(headers[entry].upper for entry in deep):
            raise ZooError(
                f"{self.tree.path} holds colours or transparency of 16 bits with values up to about {largest:,}, of "
                "which only the upper 8 bits are read: nearly all contrast would be lost. Store them with 8 bits a "
                f"channel, or have them as they are: --values 0:65535, or with few levels: --values {values}"
            )
        return dict.fromkeys(deep, values)

    def batches(self, channels: int, crop: int | str | None, size: int, values: Mapping[Entry, Values]) -> Batches:
        """Yields uint8 images (B, size, size, channels) and int64 labels (B,) or attributes (B, K), or None."""

        def row(index: int) -> tuple[np.ndarray, Any] | None:
            pixels = self._pixels(self.entries[index], channels, values.get(self.entries[index]))
            label = -1 if self.labels is None else self.labels[index]
            return None if pixels is None else (images.square(pixels, crop, size), label)

        rows = (each for each in in_order(row, range(len(self.entries))) if each is not None)
        while batch := list(islice(rows, BATCH)):
            labels = None if self.labels is None else np.array([label for _, label in batch], np.int64)
            yield np.stack([pixels for pixels, _ in batch]), labels
        if len(self.skipped.names) == len(self.entries):
            raise self._refused()

    def _header(self, entry: Entry) -> images.Header | None:
        try:
            try:
                return images.header(self.tree.read(entry, HEADER), self._name(entry))
            except images.UNREADABLE:  # a large comment or a thumbnail may precede the size
                return images.header(self.tree.read(entry), self._name(entry))
        except images.UNREADABLE:
            self.skipped.names.append(entry.path)
            return None

    def _ends(self, entry: Entry) -> tuple[int, int] | None:
        try:
            return images.ends(self.tree.read(entry), self._name(entry))
        except images.UNREADABLE:  # which decoding meets again
            return None

    def _pixels(self, entry: Entry, channels: int, values: Values | None) -> np.ndarray | None:
        try:
            pixels, pages = images.decoded(self.tree.read(entry), self._name(entry), channels, values)
            if pages > 1:
                self.skipped.leave(PAGES, [entry.path], pages - 1)
            return pixels if self.half is None else domains.half(pixels, self.half)
        except images.UNREADABLE:
            self.skipped.names.append(entry.path)
            self._check(len(self.skipped.names))
            return None

    def _name(self, entry: Entry) -> str:
        return f"{self.tree.path}: {entry.path}"

    @property
    def _all(self) -> int:
        return max(self.total, len(self.entries))

    def _check(self, unreadable: int) -> None:
        if unreadable > (0 if self.in_pairs else self.share * self._all):
            raise self._refused()

    def _refused(self) -> ZooError:
        names = sorted(self.skipped.names)
        if self.in_pairs:
            raise ZooError(
                f"{self.tree.path}: {len(names)} or more images of pairs are unreadable or cut off: {shortened(names)}"
                ". Remove both of such a pair, or replace them."
            )
        return ZooError(
            f"{self.tree.path}: {len(names)} or more of {self._all} images are unreadable or cut off: "
            f"{shortened(names)}. At most {self.share:.0%} are left out. Remove or replace them, or allow more: "
            "zoo data prepare ... --allow-unreadable 0.5"
        )


def in_order(function: Callable[[Given], Made], given: Sequence[Given]) -> Iterator[Made]:
    """Yields function(each) in order, computed in one thread a core, at most 16 results a thread ahead.

    A thread gets several at once: of small images handing them over would take as long as reading them.
    """
    workers = os.cpu_count() or 1
    pending: deque[Future[list[Made]]] = deque()
    executor = ThreadPoolExecutor(workers, thread_name_prefix="images")
    with warnings.catch_warnings():  # set here and not in the threads, which share one list of filters
        warnings.simplefilter("ignore")  # Pillow warns of oddities in metadata; it raises for what it can't read
        try:
            for start in range(0, len(given), AT_ONCE):
                pending.append(executor.submit(lambda some: [*map(function, some)], given[start : start + AT_ONCE]))
                if len(pending) > 16 // AT_ONCE * workers:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            executor.shutdown(cancel_futures=True)
