"""The user's own arrays: .npy, or .npz with `samples`, `labels`, `test_samples` and so on, and further fields."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import images
from zoo.data.options import CHANNELS, SOURCE, WITHOUT_LABELS, DataOptions
from zoo.data.sources import axes
from zoo.data.sources.array_file import ArrayFile
from zoo.data.sources.contract import Batches, Contents, OtherField, Skipped, Source
from zoo.data.splits import Part, Selection, Splits
from zoo.data.values import Values, of_blocks
from zoo.errors import ZooError, unknown

RULES = 2  # of reading; what was prepared by earlier ones is prepared anew
# The names of samples and labels of each split: ours, those in Keras' own files such as mnist.npz, those of MedMNIST,
# and those that np.savez gives to arrays without a name.
NAMES = {
    "train": (
        ("samples", "labels"),
        ("x_train", "y_train"),
        ("train_images", "train_labels"),
        ("images", "labels"),
        ("arr_0", "arr_1"),
    ),
    "test": (("test_samples", "test_labels"), ("x_test", "y_test"), ("test_images", "test_labels")),
    "validation": (("validation_samples", "validation_labels"), ("x_val", "y_val"), ("val_images", "val_labels")),
}
PREFIXES = {"train": "", "test": "test_", "validation": "validation_"}  # of arrays that the user names
RESERVED = ("latents", "truncation")  # what a network's inputs of these names receive
OTHER_ARRAYS = "arrays"
CLASS_NAMES = "class_names"  # an array of text (K,)
NUMBERS = "biuf"  # kinds of dtype


@dataclass(frozen=True)
class Pictures:
    """How the rows of an array of images become squares."""

    axes: axes.Axes
    values: Values | None  # of black and white; None where they are uint8 already
    framing: images.Framing
    channels: int

    def squares(self, rows: np.ndarray, crop: int | str | None) -> np.ndarray:
        """uint8 (B, size, size, channels) of rows as they are stored."""
        upright = self.axes.channels_last(rows)
        stored = upright if self.values is None else self.values.eight_bits(upright)
        shaped = (images.array_with_channels(each, self.channels) for each in stored)
        return np.stack([images.square(each, crop, self.framing.size) for each in shaped])

    @property
    def said(self) -> list[str]:
        """What of this is to be said."""
        return [*filter(None, [self.axes.said, self.framing.said, self.values.said if self.values else ""])]


@dataclass(frozen=True)
class ArraySource(Source):
    """Images (N, H, W), (N, H, W, C) or (N, C, H, W), or points (N, D), which are scaled into [-1, 1]."""

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
            "rules": RULES,
            **({"named": True} if CLASS_NAMES in self.file.names else {}),  # names were not read before
            **self.options.preprocessing,
        }

    @cached_property
    def file(self) -> ArrayFile:
        """The file's arrays by name."""
        return ArrayFile(self.path)

    def splits(self) -> Splits:
        """`train`, and `test` where the file has such an array; raises ZooError without one for `train`."""
        found = {split: self._samples_name(split) for split in NAMES}
        if found["train"] is None:
            raise unknown(f"array in {self.path}", self.options.image_key or NAMES["train"][0][0], self.file.names)
        return Splits({split: self.file.header(name)[0][0] for split, name in found.items() if name}, str(self.path))

    def contents(self, selection: Selection) -> Contents:
        self.options.refuse(f"{self.path} holds arrays", "folders", *SOURCE)
        names = {part.split: self._samples_name(part.split) or "" for part in selection.parts}
        shape, dtype = self._common_header(names.values())
        if len(shape) == 2 and dtype.kind == "f":
            return self._points(selection, names)
        if len(shape) in (3, 4) and dtype.kind in NUMBERS:
            return self._images(selection, names)
        raise ZooError(
            f"{self.path} must hold uint8 or uint16 images (N, H, W), (N, H, W, C) or (N, C, H, W), other numbers of "
            f"such shapes, or floating-point points (N, D). Received: {dtype} {shape}."
        )

    def _samples_name(self, split: str) -> str | None:
        if key := self.options.image_key:
            names = [self._in_split(key, split)]
        else:
            names = [samples for samples, _ in NAMES[split]]
        return next((name for name in names if name in self.file.names), None)

    def _in_split(self, name: str, split: str) -> str:
        """What a split calls an array that training calls `name`: its partner in NAMES, `test_` before it elsewhere."""
        for of_training, of_split in zip(NAMES["train"], NAMES[split], strict=False):
            partners = dict(zip(of_training, of_split, strict=True))
            if name in partners and partners[name] in self.file.names:
                return partners[name]
        return f"{PREFIXES[split]}{name}"

    def _labels_name(self, split: str, label: str | None) -> str | None:
        """The name of the array of a split's labels; `label` is the requested one, None for the default."""
        if label == WITHOUT_LABELS:
            return None
        if label is None:
            samples = self._samples_name(split)
            found = dict(NAMES[split]).get(samples or "", NAMES[split][0][1])
            named = found in self.file.names and (found != NAMES["train"][-1][1] or self._are_labels(found))
            return found if named else None
        wanted = self._in_split(label, split)
        if wanted not in self.file.names:
            raise unknown(f"array in {self.path}", wanted, self.file.names)
        return wanted

    def _labels(self, selection: Selection) -> dict[str, np.ndarray] | None:
        """int64 labels (N,) of all rows of each selected split; None where a split has none."""
        found = {}
        for part in selection.parts:
            name = self._labels_name(part.split, self.options.label)
            if name is None:
                return None
            count = self.file.header(self._samples_name(part.split) or "")[0][0]
            shape, dtype = self.file.header(name)
            if shape not in ((count,), (count, 1)) or dtype.kind not in "iub":
                raise ZooError(
                    f"The labels in {self.path} must be {count} whole numbers, one for each sample. "
                    f"Received: {dtype} {shape}."
                )
            labels = np.concatenate([block for _, block in self.file.blocks(name)]).reshape(-1).astype(np.int64)
            if labels.min(initial=0) < 0:
                raise ZooError(
                    f"'{name}' in {self.path} has labels below 0. Number the classes from 0, or --label none."
                )
            found[part.split] = labels
        return found

    def _class_names(self, labels: Mapping[str, np.ndarray] | None, label: str | None) -> tuple[str, ...]:
        """The file's names of the classes, where its own `labels` are read; none where it names none as text."""
        if not labels or label != NAMES["train"][0][1] or CLASS_NAMES not in self.file.names:
            return ()
        shape, dtype = self.file.header(CLASS_NAMES)
        if dtype.kind != "U" or len(shape) != 1:
            return ()
        found = tuple(str(name) for _, block in self.file.blocks(CLASS_NAMES) for name in block)
        largest = max(int(each.max(initial=0)) for each in labels.values())
        if largest >= len(found):
            raise ZooError(
                f"'{CLASS_NAMES}' in {self.path} names {len(found)} classes, and its labels go up to {largest}. Name "
                "all of them, in the order of their numbers."
            )
        return found

    def _common_header(self, names: Iterable[str]) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and dtype of arrays that differ in their number of rows alone; raises ZooError where they differ."""
        headers = [self.file.header(name) for name in names]
        if len({(shape[1:], dtype) for shape, dtype in headers}) > 1:
            raise ZooError(f"The splits of {self.path} differ in shape or kind: {headers}.")
        return headers[0]

    def _are_labels(self, name: str) -> bool:
        """Whether an array without a name of its own looks like labels."""
        shape, dtype = self.file.header(name)
        return dtype.kind in "iub" and shape[1:] in ((), (1,))

    def _could_be_labels(self) -> list[str]:
        """The arrays that hold a whole number for each training sample."""
        count = self.file.header(self._samples_name("train") or "")[0][0]
        found = []
        for name in self.file.names:
            with suppress(ZooError):  # of an array that can't be read
                found += [name] if self._are_labels(name) and self.file.header(name)[0][:1] == (count,) else []
        return found

    def _label_names(self, selection: Selection, with_labels: bool) -> tuple[str | None, str | None]:
        """(default array of the selection's labels, array that they are read from); None for no labels."""
        names = [self._labels_name(part.split, None) for part in selection.parts]
        default = None if None in names else names[0]
        return default, (self.options.label or default) if with_labels else None

    def _points(self, selection: Selection, names: Mapping[str, str]) -> Contents:
        self.options.refuse_images(f"{self.path} holds points")
        shape, _ = self._common_header(names.values())
        others = self._others(selection)
        scale = 0.0
        for part, wanted, rows in self._selected(selection, names):
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
            for part, wanted, rows in self._selected(selection, names):
                # a float16 quotient would be rounded
                precise = rows.astype(np.result_type(rows, np.float32), copy=False)
                yield precise / scale, None if labels is None else labels[part.split][wanted]

        return Contents(
            shape=(selection.count, shape[1]),
            dtype=np.float32,
            batches=batches(),
            class_names=self._class_names(labels, label),
            scale=scale,
            defaults={"label": default_label},
            resolved={"label": label},
            description={"scale": scale},
            skipped=self._left_out(others),
            read=said_of(others),
            others={name: field for name, (field, _) in others.items()},
            labels_from=[] if labels else self._could_be_labels(),
        )

    def _images(self, selection: Selection, names: Mapping[str, str]) -> Contents:
        every = [name for split in NAMES if (name := self._samples_name(split))]
        pictures = self._pictures(names, every, self.options.channels)
        labels = self._labels(selection)
        default_label, label = self._label_names(selection, labels is not None)
        others = self._others(selection)

        def batches() -> Batches:
            for part, wanted, rows in self._selected(selection, names):
                squares = pictures.squares(rows, self.options.crop)
                yield squares, None if labels is None else labels[part.split][wanted]

        found = {"layout": pictures.axes.layout, "values": pictures.values and str(pictures.values)}
        size = pictures.framing.size
        return Contents(
            shape=(selection.count, size, size, pictures.channels),
            dtype=np.uint8,
            batches=batches(),
            class_names=self._class_names(labels, label),
            defaults={
                "image_size": pictures.framing.native,
                "channels": pictures.axes.channels,
                "label": default_label,
                **found,
            },
            resolved={"image_size": size, "channels": pictures.channels, "label": label, **found},
            description={"resize": images.RESIZE},
            skipped=self._left_out(others),
            read=[*pictures.said, *said_of(others)],
            others={name: field for name, (field, _) in others.items()},
            labels_from=[] if labels else self._could_be_labels(),
        )

    def _pictures(self, names: Mapping[str, str], every: Iterable[str], channels: int | None = None) -> Pictures:
        """How the arrays `names` of the selected splits are read; black and white are found in `every` split's.

        The options are about the samples, and about fields that are stored in the same way.
        """
        shape, dtype = self._common_header(names.values())
        where = f"{self.path}: '{next(iter(names.values()))}'"
        samples = self.file.header(self._samples_name(next(iter(names))) or "")
        order = axes.axes_of(shape, where, self.options.layout if len(shape) == len(samples[0]) else None)
        if order.height * order.width > images.MOST_PIXELS:
            raise images.bomb(str(self.path), f"{order.width} x {order.height}")
        if channels and order.channels not in CHANNELS:
            raise ZooError(f"{self.path} has images of {order.channels} channels, which can't become {channels}.")
        values = None
        if self.options.values is not None and dtype == samples[1]:
            values = Values.parsed(self.options.values)
        elif dtype != np.uint8:
            values = of_blocks((block for name in every for _, block in self.file.blocks(name)), where)
        framing = images.framing(self.options, {(order.width, order.height): 1}, where)
        return Pictures(order, values, framing, channels or order.channels)

    def _others(self, selection: Selection) -> dict[str, tuple[OtherField, list[str]]]:
        """Further fields, each with what is to be said of it.

        They are arrays of as many rows as the samples with two axes or more, and, with an order of their own, arrays of
        another number of images of the samples' kind.
        """
        found: dict[str, tuple[OtherField, list[str]]] = {}
        for field in self._field_names([part.split for part in selection.parts]):
            names = {part.split: f"{PREFIXES[part.split]}{field}" for part in selection.parts}
            every = [name for split in NAMES if (name := f"{PREFIXES[split]}{field}") in self.file.names]
            aligned = all(self._is_aligned(name, split) for split, name in names.items())
            rows = selection if aligned else self._own_rows(names, selection.expression)
            shape, _ = self._common_header(names.values())
            if len(shape) == 2:
                vectors = map(partial(finite, where=f"{self.path}: '{field}'"), self._rows(rows, names))
                found[field] = OtherField("vector", (rows.count, shape[1]), vectors), []
                continue
            pictures = self._pictures(names, every)
            squares = map(partial(pictures.squares, crop=self.options.crop), self._rows(rows, names))
            size = pictures.framing.size
            said = [*pictures.said, *([] if aligned else [f"{rows.count:,} rows in an order of their own"])]
            found[field] = OtherField("image", (rows.count, size, size, pictures.channels), squares, aligned), said
        return found

    def _own_rows(self, names: Mapping[str, str], expression: str) -> Selection:
        """The rows of a field with an order of its own that the split's expression selects."""
        counts = {split: self.file.header(name)[0][0] for split, name in names.items()}
        if len(self.splits().counts) > 1:  # a field of one split only is not divided where the samples are not
            return Splits(counts, str(self.path), divides=False).select(expression)
        return Splits(counts, str(self.path)).select(expression)

    def _field_names(self, splits: Iterable[str]) -> list[str]:
        """The names of further fields that all of these splits have, in training's spelling."""
        taken = {*(name for names in NAMES.values() for pair in names for name in pair), self.options.label}
        taken |= {self.options.image_key, *RESERVED}
        return [
            name
            for name in self.file.names
            if name.isidentifier()
            and name not in taken
            and not name.startswith(tuple(filter(None, PREFIXES.values())))
            and all(self._is_field(f"{PREFIXES[split]}{name}", split) for split in splits)
        ]

    def _is_field(self, name: str, split: str) -> bool:
        """Whether an array holds rows that belong to the samples', or images of the same kind."""
        if name not in self.file.names:
            return False
        try:
            shape, dtype = self.file.header(name)
        except ZooError:  # text, objects, a single number: nothing to train on
            return False
        of_samples, dtype_of_samples = self.file.header(self._samples_name(split) or "")
        alike = len(shape) > 2 and (shape[1:], dtype) == (of_samples[1:], dtype_of_samples)
        return alike or (shape[0] == of_samples[0] and len(shape) in (2, 3, 4) and dtype.kind in NUMBERS)

    def _is_aligned(self, name: str, split: str) -> bool:
        """Whether an array has a row for each sample."""
        return self.file.header(name)[0][0] == self.file.header(self._samples_name(split) or "")[0][0]

    def _left_out(self, others: Iterable[str]) -> Skipped:
        """The arrays of the file that are neither samples nor labels nor further fields."""
        used = {f"{prefix}{field}" for field in others for prefix in PREFIXES.values()}
        for split in NAMES:
            if samples := self._samples_name(split):
                labels = self._labels_name(split, None if self._lacks_label(split) else self.options.label)
                used |= {samples, labels or samples}
        skipped = Skipped()
        skipped.leave(OTHER_ARRAYS, [name for name in self.file.names if name not in used])
        return skipped

    def _lacks_label(self, split: str) -> bool:
        """Whether a split has no array of the requested labels."""
        return self._in_split(self.options.label or "", split) not in self.file.names

    def _rows(self, selection: Selection, names: Mapping[str, str]) -> Iterator[np.ndarray]:
        return (rows for _, _, rows in self._selected(selection, names))

    def _selected(
        self, selection: Selection, names: Mapping[str, str]
    ) -> Iterator[tuple[Part, np.ndarray, np.ndarray]]:
        """(part, row numbers (B,), rows (B, ...)) of the selected rows, block by block, of each split's array."""
        for part in selection.parts:
            for start, block in self.file.blocks(names[part.split]):
                wanted = part.within(start, start + len(block))
                if len(wanted):
                    yield part, start + wanted, block[wanted]


def said_of(others: Mapping[str, tuple[OtherField, list[str]]]) -> list[str]:
    """What the further fields are, in words."""
    return [f"further field {name}" + (f": {', '.join(said)}" if said else "") for name, (_, said) in others.items()]


def finite(rows: np.ndarray, where: str) -> np.ndarray:
    """float32 of the rows; raises ZooError where one is not finite."""
    if not np.isfinite(rows).all():
        raise ZooError(f"{where} holds values that are not finite. Remove them.")
    return rows.astype(np.float32)
