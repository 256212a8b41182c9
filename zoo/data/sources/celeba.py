"""CelebA from unofficial copies: re-zipped or unpacked images beside lists as .csv or .txt.

TFDS accepts the five original files alone, by their checksums. A copy has the same faces, but is not verified: its
differences from the original are recorded. Liu et al. 2015, https://arxiv.org/abs/1411.7766.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zoo.data import images
from zoo.data.options import SOURCE, UNREADABLE_SHARE, WITHOUT_LABELS, DataOptions, attributes_in
from zoo.data.sources.contract import Contents, Source
from zoo.data.sources.image_files import ImageFiles
from zoo.data.sources.trees import Entry, Tree, ZipTree
from zoo.data.splits import Selection, Splits
from zoo.errors import ZooError, unknown

IMAGES_ZIP = "img_align_celeba.zip"
LISTS = {"partition": "list_eval_partition", "attributes": "list_attr_celeba"}
LIST_ENDINGS = (".csv", ".txt")
PREFIX = "attributes/"  # of attributes' names, as TFDS has them
SPLITS = ("train", "validation", "test")  # the meanings of 0, 1 and 2 in the list of splits
ORIGINAL_COUNTS = {"train": 162_770, "validation": 19_867, "test": 19_962}


@dataclass(frozen=True)
class CelebaCopy(Source):
    """Faces in the order of their file names; an attribute may be their label."""

    tree: Tree
    options: DataOptions
    share: float = UNREADABLE_SHARE

    @staticmethod
    def recognises(tree: Tree) -> bool:
        """Whether the tree holds the list of CelebA's splits."""
        return find_list(tree, "partition") is not None

    @property
    def name(self) -> str:
        return self.tree.path.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """The lists and images with their sizes and modification times or checksums."""
        lists = [find_list(self.tree, kind) for kind in LISTS]
        stamps = [[each.path, each.size, each.stamp] for each in lists if each]
        faces = sum(entry.stamp for entry in self.faces.values()) % 2**64
        return {
            "source": f"a copy of CelebA, {self.tree.path}",
            "lists": stamps,
            "faces": faces,
            **self.options.preprocessing,
        }

    def splits(self) -> Splits:
        """CelebA's three splits, counting the images that the copy holds."""
        return Splits({split: len(names) for split, names in self.by_split.items()}, f"the CelebA in {self.tree.path}")

    def contents(self, selection: Selection) -> Contents:
        names = [self.by_split[part.split][row] for part in selection.parts for row in part.rows]
        attribute, labels = self._labels(names)
        self.options.refuse(f"{self.tree.path} is a copy of CelebA", "layout", "folders", *SOURCE)
        files = ImageFiles(self.image_tree, [self.faces[name] for name in names], labels, self.share)
        headers = files.headers()
        sizes = Counter(each.size for each in headers.values())
        framing = images.framing(self.options, sizes, str(self.tree.path))
        size, native = framing.size, framing.native
        channels = self.options.channels or 3
        return Contents(
            shape=(len(names), size, size, channels),
            dtype=np.uint8,
            batches=files.batches(channels, self.options.crop, size, files.values(self.options, headers)),
            class_names=names_of(attribute),
            defaults={"image_size": native, "channels": 3, "label": None},
            resolved={"image_size": size, "channels": channels, "label": attribute},
            description={"resize": images.RESIZE, "differences": self.differences},
            skipped=files.skipped,
            read=[framing.said] if framing.said else [],
            labels_from=[] if find_list(self.tree, "attributes") is None else self._table("attributes")[0],
        )

    @property
    def differences(self) -> list[str]:
        """The known differences of this copy from the original, in words."""
        partition = find_list(self.tree, "partition")
        found = ["not checked against the original's checksums", "rows in the order of the file names, not of TFDS"]
        if partition and partition.path.endswith(".csv"):
            found.append("lists as .csv")
        if not any(entry.parts[-1] == "identity_CelebA.txt" for entry in self.tree.entries):
            found.append("no list of identities")
        for split, names in self.by_split.items():
            if len(names) != ORIGINAL_COUNTS[split]:
                found.append(f"{len(names):,} images of '{split}' instead of {ORIGINAL_COUNTS[split]:,}")
        return found

    @cached_property
    def by_split(self) -> dict[str, list[str]]:
        """The sorted names of each split's images; raises ZooError for an unknown split, or without training images."""
        found: dict[str, list[str]] = {split: [] for split in SPLITS}
        for name, number in self._table("partition")[1]:
            if number not in ("0", "1", "2"):
                raise ZooError(f"{self.tree.path}: the list of splits has '{number}' for {name}, not 0, 1 or 2.")
            if name in self.faces:
                found[SPLITS[int(number)]].append(name)
        if not found["train"]:
            raise ZooError(f"{self.tree.path} has CelebA's lists, but none of the images that they name.")
        return {split: sorted(names) for split, names in found.items() if names}

    @cached_property
    def image_tree(self) -> Tree:
        """The tree that holds the images: the lists' own, or img_align_celeba.zip in it."""
        inner = self.tree.path / IMAGES_ZIP
        return ZipTree(inner) if self.tree.path.is_dir() and inner.is_file() else self.tree

    @cached_property
    def faces(self) -> dict[str, Entry]:
        """Every image by its file's name; of two files with one name the more deeply nested one."""
        found = [entry for entry in self.image_tree.entries if entry.path.lower().endswith(images.ENDINGS)]
        return {entry.parts[-1]: entry for entry in sorted(found, key=lambda entry: len(entry.parts))}

    def _labels(self, names: list[str]) -> tuple[str | None, list[Any] | None]:
        """What labels are read from, and of each image one, or a list of several attributes."""
        if self.options.label in (None, WITHOUT_LABELS):
            return None, None
        wanted = [each.removeprefix(PREFIX) for each in self.options.attributes or (str(self.options.label),)]
        if find_list(self.tree, "attributes") is None:
            raise ZooError(f"{self.tree.path} has no list of attributes ({LISTS['attributes']}.csv or .txt).")
        headings, rows = self._table("attributes")
        for each in wanted:
            if each not in headings:
                raise unknown("attribute of CelebA", each, headings)
        columns = [headings.index(each) + 1 for each in wanted]
        values = {row[0]: [int(row[column] == "1") for column in columns] for row in rows}
        found = [values[name] if len(wanted) > 1 else values[name][0] for name in names]
        return ",".join(f"{PREFIX}{each}" for each in wanted), found

    def _table(self, kind: str) -> tuple[list[str], list[list[str]]]:
        """The headings of a list but the first, and its rows, each beginning with an image's name."""
        entry = find_list(self.tree, kind)
        if entry is None:
            raise ZooError(f"{self.tree.path} has no {LISTS[kind]}.csv or .txt.")
        try:
            text = self.tree.read(entry).decode()
            if entry.path.endswith(".csv"):
                headings, *rows = list(csv.reader(io.StringIO(text)))
                return headings[1:], [row for row in rows if row]
            lines = [line.split() for line in text.splitlines() if line.strip()]
            if kind == "partition":
                return [], lines
            _, names, *rows = lines  # the first line is the number of images
            return names, rows
        except (OSError, ValueError, csv.Error) as error:
            raise ZooError(f"Cannot read {self.tree.path}: {entry.path}: {error}.") from error


def find_list(tree: Tree, kind: str) -> Entry | None:
    """The file of one of CelebA's lists, .csv or .txt, in any folder of the tree; None where there is none."""
    names = [LISTS[kind] + ending for ending in LIST_ENDINGS]
    return next((entry for name in names for entry in tree.entries if entry.parts[-1] == name), None)


def names_of(label: str | None) -> tuple[str, ...]:
    """The classes of an attribute, or the names of several; none without one."""
    several = tuple(each.rpartition("/")[2] for each in attributes_in(label))
    return several or (class_names(label) if label else ())


def class_names(attribute: str) -> tuple[str, str]:
    """`("not Smiling", "Smiling")`: class 0 is the absence of the attribute."""
    name = attribute.rpartition("/")[2]
    return f"not {name}", name
