"""NVlabs' dataset.json: the class numbers of images, by their paths below the folder that it lies in.

https://github.com/NVlabs/stylegan3/blob/main/dataset_tool.py writes it beside shards such as 00000/img00000000.png.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data.sources.contract import shortened
from zoo.data.sources.trees import LARGEST_FILE, Entry, Tree
from zoo.errors import ZooError

NAME = "dataset.json"
LABELS = "labels"
LARGEST_LABEL = 2**31


@dataclass(frozen=True)
class LabelFile:
    """One dataset.json."""

    entry: Entry
    home: tuple[str, ...]  # the folders that it lies in
    labels: Mapping[str, Any] | None  # by the image's path below them; None where there are none

    def label_of(self, image: Entry) -> Any:
        """The label of an image below the file's folder, None where it has none."""
        return None if self.labels is None else self.labels.get("/".join(image.parts[len(self.home) :]))


def label_files(tree: Tree, read: bool = True) -> list[LabelFile]:
    """Every dataset.json that NVlabs' tools may have written; raises ZooError for one that can't be read.

    Unless they are to be `read`, they count as having no labels.
    """
    found = []
    for entry in tree.entries:
        if entry.parts[-1] == NAME:
            content = content_of(tree, entry) if read else {LABELS: None}
            if isinstance(content, dict) and LABELS in content:
                found.append(LabelFile(entry, entry.parts[:-1], by_path(content[LABELS], f"{tree.path}: {entry.path}")))
    return found


def content_of(tree: Tree, entry: Entry) -> Any:
    """The content of a JSON file."""
    try:
        if entry.size > LARGEST_FILE:
            raise ValueError(f"it has {entry.size:,} bytes")
        return json.loads(tree.read(entry))
    except (OSError, ValueError, RecursionError) as error:
        raise ZooError(
            f"{tree.path}: {entry.path}, which may hold labels, can't be read: {error}. Mend it, or --label none"
        ) from error


def by_path(labels: Any, where: str) -> dict[str, Any] | None:
    """The labels by path of a list of [path, label]; raises ZooError for anything else but null."""
    if labels is None or labels == []:
        return None
    try:
        return {str(path).replace("\\", "/"): label for path, label in labels}
    except (TypeError, ValueError) as error:
        raise ZooError(f"{where}: '{LABELS}' must be null or a list of [file, label]: {error}.") from error


def class_numbers(files: list[LabelFile], images: list[Entry], where: str) -> list[int] | None:
    """The class number of each image; None where the files have no labels.

    Raises ZooError, with their names, where images have no label or one that is no class number.
    """
    with_labels = [each for each in files if each.labels is not None]
    if not with_labels:
        return None
    by_home = {each.home: each for each in files}
    homes = sorted(by_home, key=len, reverse=True)

    def label_of(image: Entry) -> Any:
        home = next((each for each in homes if image.parts[: len(each)] == each), None)
        return None if home is None else by_home[home].label_of(image)

    found = [label_of(image) for image in images]
    wrong = [
        f"{image.path} ({label})"
        for image, label in zip(images, found, strict=True)
        if type(label) is not int or not 0 <= label < LARGEST_LABEL
    ]
    if wrong:
        raise ZooError(
            f"{where}: {len(wrong):,} of {len(images):,} images have no class number in {with_labels[0].entry.path}: "
            f"{shortened(wrong)}. Number the classes from 0, or --label none"
        )
    return found
