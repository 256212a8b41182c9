"""The user's own images in a folder or zip: flat or one subfolder a class, optionally below `train` and `test`."""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zoo.data import images
from zoo.data.options import UNREADABLE_SHARE, WITHOUT_LABELS, DataOptions
from zoo.data.sources.contract import Contents, Source
from zoo.data.sources.image_files import ImageFiles
from zoo.data.sources.trees import Entry, Tree
from zoo.data.splits import TEST_NAMES, Selection, Splits
from zoo.errors import ZooError

SPLIT_FOLDERS = ("train", *TEST_NAMES)
SUBFOLDER = "subfolder"  # the name of the labels in records


@dataclass(frozen=True)
class FolderSource(Source):
    """Images in the order of their names; a label is the index of the image's subfolder."""

    tree: Tree
    options: DataOptions
    share: float = UNREADABLE_SHARE  # share of the images that may be unreadable

    @property
    def name(self) -> str:
        return self.tree.path.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """A hash of all files' names, sizes and modification times, so that a changed folder is prepared anew."""
        status = [(entry.path, entry.size, entry.stamp) for entry in self.entries]
        return {
            "source": f"{'folder' if self.tree.path.is_dir() else 'zip'} {self.tree.path}",
            "files": hashlib.sha256(json.dumps(status).encode()).hexdigest(),
            **self.options.preprocessing,
        }

    def splits(self) -> Splits:
        """`train` and `test` (or `validation`) where there are such subfolders, else `train` alone."""
        return Splits({name: len(entries) for name, entries in self.by_split.items()}, str(self.tree.path))

    def contents(self, selection: Selection) -> Contents:
        """The images, cropped to a centre square and resized; gray by default only where every image is."""
        if self.options.label not in (None, WITHOUT_LABELS, SUBFOLDER):
            raise ZooError(f"The labels of {self.tree.path} are its subfolders. Leave out --label, or --label none.")
        chosen = [self.by_split[part.split][row] for part in selection.parts for row in part.rows]
        number = {name: index for index, name in enumerate(self.classes)}
        found = [number[label] for entry in chosen if (label := self.places[entry].label) is not None]
        labelled = len(found) == len(chosen)  # false where train has classes but test is flat
        labels = found if labelled and self.options.label != WITHOUT_LABELS else None
        files = ImageFiles(self.tree, chosen, labels, self.share, len(self.entries))
        # Size and channels are decided by the images of all splits, so that the splits do not differ in them.
        headers = ImageFiles(self.tree, self.entries, None, self.share).headers()
        size, native = images.size_for(self.options, {each.size for each in headers}, str(self.tree.path))
        natural = 1 if all(each.gray for each in headers) else 3
        channels = self.options.channels or natural
        return Contents(
            shape=(len(chosen), size, size, channels),
            dtype=np.uint8,
            batches=files.batches(channels, self.options.crop, size),
            class_names=() if labels is None else self.classes,
            defaults={"image_size": native, "channels": natural, "label": SUBFOLDER if labelled else None},
            resolved={"image_size": size, "channels": channels, "label": None if labels is None else SUBFOLDER},
            description={"resize": images.RESIZE},
            skipped=files.skipped,
        )

    @cached_property
    def entries(self) -> list[Entry]:
        """Every image file; raises ZooError where there are none."""
        found = [entry for entry in self.tree.entries if entry.path.lower().endswith(images.ENDINGS)]
        if not found:
            raise ZooError(f"There are no images in {self.tree.path}. Known endings: {', '.join(images.ENDINGS)}")
        return found

    @cached_property
    def places(self) -> dict[Entry, "Place"]:
        """The split and class of every image by its folders; raises ZooError for an unknown layout."""
        found = places(self.entries)
        if found is None:
            raise ZooError(
                f"{self.tree.path} must hold either images alone or one subfolder for each class with images in it, "
                "not both and nothing deeper; subfolders train and test may each hold either."
            )
        return found

    @cached_property
    def by_split(self) -> dict[str, list[Entry]]:
        """Each split's images, in the order of their names."""
        splits: dict[str, list[Entry]] = {}
        for entry, place in self.places.items():
            splits.setdefault(place.split, []).append(entry)
        return splits

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The sorted names of the class subfolders over all splits; () for a flat folder."""
        return tuple(sorted({place.label for place in self.places.values() if place.label is not None}))


@dataclass(frozen=True)
class Place:
    """An image's split and class (None in a flat folder), from the folders that it lies in."""

    split: str
    label: str | None


def places(entries: Sequence[Entry]) -> dict[Entry, Place] | None:
    """The place of each image, or None where the folders follow no known layout.

    Leading folders that all images share are ignored (most zips have one), unless they name a split.
    """
    folders = {entry: entry.parts[:-1] for entry in entries}
    levels = zip(*folders.values(), strict=False)
    shared = itertools.takewhile(lambda names: len(set(names)) == 1 and names[0] not in SPLIT_FOLDERS, levels)
    named = sum(1 for _ in shared)
    below = {entry: parts[named:] for entry, parts in folders.items()}
    divided = all(parts and parts[0] in SPLIT_FOLDERS for parts in below.values())
    classes = {entry: parts[divided:] for entry, parts in below.items()}
    found = {
        entry: Place(below[entry][0] if divided else "train", parts[0] if parts else None)
        for entry, parts in classes.items()
    }
    kinds = {(place.split, place.label is None) for place in found.values()}
    mixed = len(kinds) > len({split for split, _ in kinds})
    return None if mixed or any(len(parts) > 1 for parts in classes.values()) else found
