"""The user's own images in a folder or zip: flat or one subfolder a class, optionally below `train` and `test`."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from zoo.data import images
from zoo.data.options import UNREADABLE_SHARE, WITHOUT_LABELS, DataOptions
from zoo.data.sources import dataset_json, domains, label_tables, layouts
from zoo.data.sources.contract import Contents, OtherField, Skipped, Source
from zoo.data.sources.image_files import ImageFiles
from zoo.data.sources.trees import DEAD_LINKS, Entry, Tree
from zoo.data.splits import Selection, Splits
from zoo.errors import ZooError

SUBFOLDER = "subfolder"  # the name of the labels in records
RULES = 2  # of reading; what was prepared by earlier ones is prepared anew
OTHER_FILES = "files of other kinds"


@dataclass(frozen=True)
class FolderSource(Source):
    """Images in the order of their names; a label is the index of the image's subfolder, or stands in a file."""

    tree: Tree
    options: DataOptions
    share: float = UNREADABLE_SHARE  # share of the images that may be unreadable

    @property
    def name(self) -> str:
        return self.tree.path.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """A hash of all files' names, sizes and modification times, so that a changed folder is prepared anew."""
        files = [*self.entries, *(each.entry for each in self.label_files), *self.tables.entries]
        status = [(entry.path, entry.size, entry.stamp) for entry in files]
        return {
            "source": f"{'folder' if self.tree.path.is_dir() else 'zip'} {self.tree.path}",
            "files": hashlib.sha256(json.dumps(status).encode()).hexdigest(),
            "rules": RULES,
            **self.options.preprocessing,
        }

    def splits(self) -> Splits:
        """`train` and `test` (or `validation`) where there are such subfolders, else `train` alone."""
        return Splits({name: len(entries) for name, entries in self.by_split.items()}, str(self.tree.path))

    def contents(self, selection: Selection) -> Contents:
        """The images, cropped to a centre square and resized; gray by default only where every image is."""
        where = str(self.tree.path)
        self.options.refuse(f"{where} holds images in files", "layout")
        chosen = [self.by_split[part.split][row] for part in selection.parts for row in part.rows]
        default, available = self._labels(chosen)
        wanted = default if self.options.label is None else self.options.label
        if wanted not in (None, WITHOUT_LABELS, *available):
            raise ZooError(f"The labels of {where} are {names_of(available)}. Leave out --label, or --label none.")
        labels = available.get(wanted or WITHOUT_LABELS)
        # Size and channels are decided by the images of all splits, so that the splits do not differ in them.
        every = ImageFiles(self.tree, self.entries, None, self.share)
        headers = every.headers()
        halves = 2 if self.half else 1
        sizes = Counter((each.size[0] // halves, each.size[1]) for each in headers.values())
        framing = images.framing(self.options, sizes, where)
        values = every.values(self.options, headers)
        natural = channels_of(each for entry, each in headers.items() if entry not in self.source_images)
        channels = self.options.channels or natural
        if self.options.source_size and not (self.half or self.source_images):
            raise ZooError(f"--source-size is that of the field source, which {where} has not: say --source-from.")
        if self.options.source_order and not self.source_images:
            raise ZooError(
                f"--source-order is for two folders of images, and {where} has "
                f"{'halves, which are pairs' if self.half else 'none: say --source-from FOLDER'}."
            )
        skipped = Skipped()
        source = self._source(chosen, selection.expression, skipped)
        files = ImageFiles(
            *(self.tree, chosen, labels, self.share, len(self.entries), skipped),
            half=self.half and domains.other_half(self.half),
            in_pairs=source is not None and source.in_pairs,
        )
        self._leave_out(skipped)
        others, said = {}, []
        if source is not None:
            of_source = channels_of(headers[entry] for entry in self.source_images or headers if entry in headers)
            size = self.options.source_size or framing.size
            batches = (rows for rows, _ in source.batches(of_source, self.options.crop, size, values))
            aligned = self.half is not None or source.in_pairs
            shape = (len(source.entries), size, size, of_source)
            others["source"] = OtherField("image", shape, batches, aligned)
            order = "in pairs with the samples" if aligned else "in an order of their own"
            sized = f" of {size} px" if self.options.source_size else ""
            said = [f"the field source is {self.options.source_from}: {len(source.entries):,} images{sized} {order}"]
        return Contents(
            shape=(len(chosen), framing.size, framing.size, channels),
            dtype=np.uint8,
            batches=files.batches(channels, self.options.crop, framing.size, values),
            class_names=() if labels is None else self._class_names(str(wanted)),
            defaults={"image_size": framing.native, "channels": natural, "label": default},
            resolved={"image_size": framing.size, "channels": channels, "label": None if labels is None else wanted},
            description={"resize": images.RESIZE},
            skipped=skipped,
            read=[
                *self.layout.said,
                *said,
                *([f"labels are the numbers in {dataset_json.NAME}"] if wanted == dataset_json.NAME else []),
                *([f"labels are the column '{wanted}' of a table"] if wanted in self.tables.columns else []),
                *filter(None, [framing.said]),
                *sorted({each.said for each in values.values()}),
            ],
            others=others,
            labels_from=list(available),
        )

    @property
    def half(self) -> str | None:
        """The half of each image that is the field `source`, if any."""
        return self.options.source_from if self.options.source_from in domains.HALVES else None

    def _source(self, chosen: list[Entry], expression: str, skipped: Skipped) -> ImageFiles | None:
        """The images of the field `source` for the chosen samples, None without such a field."""
        if self.half:  # of the same files, in which the samples have met what is left out
            return ImageFiles(self.tree, chosen, None, self.share, len(self.entries), half=self.half)
        if not self.source_images:
            return None
        folders = self._folders.folders
        samples = [entry for entry in self.entries if entry not in self.source_images]
        source = sorted(self.source_images, key=lambda entry: entry.path)
        pairs = domains.in_pairs(samples, source, folders, self.options.source_order, str(self.tree.path))
        if pairs is not None:
            return ImageFiles(self.tree, [pairs[entry] for entry in chosen], None, skipped=skipped, in_pairs=True)
        by_split: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry in self.source_images:
                by_split.setdefault(self.layout.places[entry].split, []).append(entry)
        counts = {split: len(entries) for split, entries in by_split.items()}
        own = Splits(counts, f"the source in {self.tree.path}", divides=len(self.by_split) == 1)
        rows = [by_split[part.split][row] for part in own.select(expression).parts for row in part.rows]
        return ImageFiles(self.tree, rows, None, self.share, len(self.entries), skipped)

    @cached_property
    def _folders(self) -> domains.Domains:
        """The folders of every image without those of domains and shards, and the images of the field `source`."""
        folders: layouts.Folders = {entry: entry.parts[:-1] for entry in self.entries}
        if self.options.source_from is not None and not self.half:
            return domains.domains(folders, self.options.source_from, str(self.tree.path))
        if self.options.label != SUBFOLDER and self.options.folders is None:
            labelled = [each.home for each in self.label_files if each.labels is not None]
            folders = layouts.without_shards(folders, labelled, [each.home for each in self.label_files])
        return domains.Domains(folders, frozenset())

    @property
    def source_images(self) -> frozenset[Entry]:
        """The images that lie in the folder of the field `source`."""
        return self._folders.source

    def _labels(self, chosen: list[Entry]) -> tuple[str | None, dict[str, list[int]]]:
        """The labels that are read by default, None where there are none, and all that there are by their names."""
        found = {}
        number = {name: index for index, name in enumerate(self.classes)}
        of_folders = [number[label] for entry in chosen if (label := self.layout.places[entry].label) is not None]
        if len(of_folders) == len(chosen):  # fewer where train has classes but test is flat
            found[SUBFOLDER] = of_folders
        if self.options.label != SUBFOLDER:
            in_file = dataset_json.class_numbers(self.label_files, chosen, str(self.tree.path))
            if in_file is not None:
                found[dataset_json.NAME] = in_file
        default = next((name for name in (dataset_json.NAME, SUBFOLDER) if name in found), self.tables.default)
        column = self.options.label or default
        if column in self.tables.columns:
            found[str(column)] = self.tables.labels(chosen, str(column))
        return default, {**{each: [] for each in self.tables.columns}, **found}

    def _class_names(self, label: str) -> tuple[str, ...]:
        """The names of the classes of labels."""
        return self.classes if label == SUBFOLDER else self.tables.class_names(label)

    def _leave_out(self, skipped: Skipped) -> None:
        """Counts what is no image, or leads to none."""
        known = {*self.entries, *(each.entry for each in self.label_files), *self.tables.entries}
        skipped.leave(OTHER_FILES, [entry.path for entry in self.tree.entries if entry not in known])
        skipped.leave(DEAD_LINKS, self.tree.dead_links)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every image file; raises ZooError where there are none."""
        found = [entry for entry in self.tree.entries if entry.path.lower().endswith(images.ENDINGS)]
        if not found:
            others = Counter(PurePosixPath(entry.path).suffix or "none" for entry in self.tree.entries)
            there = ", ".join(f"{count:,} of {ending}" for ending, count in others.most_common(5)) or "nothing"
            raise ZooError(
                f"There are no images in {self.tree.path}. Known endings: {', '.join(images.ENDINGS)}. "
                f"Found by ending: {there}."
            )
        return found

    @cached_property
    def label_files(self) -> list[dataset_json.LabelFile]:
        """NVlabs' files of labels; not read where no labels are wanted."""
        return dataset_json.label_files(self.tree, read=self.options.label != WITHOUT_LABELS)

    @cached_property
    def tables(self) -> label_tables.Tables:
        """Tables with labels; not read where no labels are wanted."""
        return label_tables.label_tables(self.tree, read=self.options.label not in (WITHOUT_LABELS, SUBFOLDER))

    @cached_property
    def layout(self) -> layouts.Layout:
        """The split and class of every image by its folders; raises ZooError for an unknown or ambiguous layout."""
        return layouts.layout(self._folders.folders, str(self.tree.path), self.options.folders)

    @cached_property
    def by_split(self) -> dict[str, list[Entry]]:
        """Each split's samples, in the order of their names."""
        splits: dict[str, list[Entry]] = {}
        for entry, place in self.layout.places.items():
            if entry in self.source_images:
                continue
            splits.setdefault(place.split, []).append(entry)
        return splits

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The sorted names of the class subfolders over all splits; () for a flat folder."""
        return tuple(sorted({place.label for place in self.layout.places.values() if place.label is not None}))


def names_of(available: Iterable[str]) -> str:
    """What labels may be read from, in words."""
    found = [f"its {SUBFOLDER}s" if each == SUBFOLDER else f"'{each}'" for each in available]
    return " or ".join(found) or f"its {SUBFOLDER}s, and it has none"


def channels_of(headers: Iterable[images.Header]) -> int:
    """1 where every image is gray, else 3."""
    return 1 if all(each.gray for each in headers) else 3
