"""Labels in a table among images: metadata.csv and metadata.jsonl as Hugging Face has them, labels.csv, labels.json.

photos.csv, .jsonl or .json beside the folder photos or photos.zip counts as well, where it names images in there.
https://huggingface.co/docs/datasets/image_dataset: a row for each image, `file_name` relative to the table, and any
other columns. labels.json may also map files to labels, or be a list of [file, label].
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from zoo.data.sources.contract import shortened
from zoo.data.sources.trees import LARGEST_FILE, Entry, FolderTree, Tree
from zoo.errors import ZooError

NAMES = ("metadata.csv", "metadata.jsonl", "labels.csv", "labels.jsonl", "labels.json")
BESIDE = (".csv", ".jsonl", ".json")
FILES = ("file_name", "filename", "file", "path", "image")  # the columns that may name the image
DEFAULTS = ("label", "labels", "class", "category", "target")  # the columns that are taken for labels unasked
LARGEST_LABEL = 2**31
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """One table: for each column the value of each image, by the image's path below the table's folder."""

    entry: Entry
    columns: Mapping[str, Mapping[str, Any]]
    home: tuple[str, ...]  # the folders that it lies in


@dataclass(frozen=True)
class Tables:
    """All tables of a tree."""

    tables: Sequence[Table]
    where: str

    @property
    def entries(self) -> list[Entry]:
        """The files of the tables."""
        return [each.entry for each in self.tables]

    @property
    def columns(self) -> list[str]:
        """Everything that labels can be read from."""
        return list(dict.fromkeys(name for each in self.tables for name in each.columns))

    @property
    def default(self) -> str | None:
        """The column that is taken for labels unasked."""
        return next((name for name in DEFAULTS if name in self.columns), None)

    @cached_property
    def _by_home(self) -> dict[tuple[str, ...], Table]:
        return {each.home: each for each in sorted(self.tables, key=lambda table: len(table.home), reverse=True)}

    def value_of(self, image: Entry, column: str) -> Any:
        """What the nearest table says of an image; None where it says nothing."""
        for home, table in self._by_home.items():
            if image.parts[: len(home)] == home:
                return table.columns.get(column, {}).get("/".join(image.parts[len(home) :]))
        return None

    def class_names(self, column: str) -> tuple[str, ...]:
        """The sorted names of the classes of a column, () where it holds numbers."""
        values = {value for each in self.tables for value in each.columns.get(column, {}).values()}
        return () if all(number_of(value) is not None for value in values) else tuple(sorted(map(str, values)))

    def labels(self, images: Sequence[Entry], column: str) -> list[int]:
        """The class number of each image; raises ZooError, with their names, where images have none."""
        names = {name: number for number, name in enumerate(self.class_names(column))}
        values = [self.value_of(image, column) for image in images]
        found = [None if value is None else names.get(str(value), number_of(value)) for value in values]
        wrong = [image.path for image, label in zip(images, found, strict=True) if label is None]
        if wrong:
            raise ZooError(
                f"{self.where}: {len(wrong):,} of {len(images):,} images have no '{column}' in "
                f"{self.tables[0].entry.path}: {shortened(wrong)}. Complete it, or --label none"
            )
        return [label for label in found if label is not None]


def number_of(value: Any) -> int | None:
    """The class number that a value is, or is the text of; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    whole = type(value) is int and 0 <= value < LARGEST_LABEL
    return value if whole else None


def label_tables(tree: Tree, read: bool = True) -> Tables:
    """Every table of labels in a tree, and the one beside it; none unless they are to be `read`.

    Raises ZooError for a table in the tree that can't be read.
    """
    found = []
    for entry in tree.entries if read else ():
        if entry.parts[-1].lower() in NAMES and (columns := columns_of(tree, entry)):
            found.append(Table(entry, columns, entry.parts[:-1]))
    return Tables([*found, *(table_beside(tree) if read else [])], str(tree.path))


def table_beside(tree: Tree) -> list[Table]:
    """The table that is called like the folder or zip and names images in it; another program's files are no tables."""
    images = {entry.path for entry in tree.entries}
    for path in (tree.path.with_name(f"{tree.path.stem}{ending}") for ending in BESIDE):
        try:
            status = path.stat()
            entry = Entry(path.name, status.st_size, status.st_mtime_ns)
            columns = columns_of(FolderTree(path.parent), entry)
        except (OSError, ZooError):
            continue
        own = f"{tree.path.stem}/"
        inside = {name: {file.removeprefix(own): each for file, each in of.items()} for name, of in columns.items()}
        if any(images & of.keys() for of in inside.values()):
            return [Table(entry, inside, ())]
    return []


def columns_of(tree: Tree, entry: Entry) -> dict[str, dict[str, Any]]:
    """The values by column and image of a table; {} for a file that names no images."""
    try:
        if entry.size > LARGEST_FILE:
            raise ValueError(f"it has {entry.size:,} bytes")
        rows = rows_of(tree.read(entry).decode("utf-8-sig"), PurePosixPath(entry.path).suffix.lower())
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise ZooError(
            f"{tree.path}: {entry.path}, which may hold labels, can't be read: {error}. Mend it, or --label none"
        ) from error
    columns: dict[str, dict[str, Any]] = {}
    for row in rows:
        lower = {str(name).lower(): value for name, value in row.items()}
        name = next((each for each in FILES if each in lower), None)
        if name is None:
            return {}
        file = str(lower.pop(name)).replace("\\", "/").removeprefix("./")
        for column, value in lower.items():
            if value is not None and isinstance(value, str | int | bool | float):
                columns.setdefault(column, {})[file] = value
    return columns


def rows_of(text: str, ending: str) -> list[Row]:
    """The rows of a table as dictionaries by column."""
    if ending == ".csv":
        return list(csv.DictReader(io.StringIO(text), restkey="", strict=True))
    if ending == ".jsonl":
        content: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
    else:
        content = json.loads(text)
    if isinstance(content, dict):
        nested = content.get("labels")
        content = nested if isinstance(nested, dict | list) else content
    if isinstance(content, dict):
        content = list(content.items())
    if not isinstance(content, list):
        raise ValueError("expected a mapping of files to labels, or a list of rows")
    return [each if isinstance(each, dict) else {"file_name": each[0], "label": each[1]} for each in content if each]
