"""What the folders that images lie in mean: classes, splits, both, or the shards that NVlabs' tools write.

What may be meant in two ways is refused with both readings, and `--folders` decides.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoo.data.options import FOLDERS
from zoo.data.sources.contract import shortened
from zoo.data.sources.trees import Entry
from zoo.data.splits import TEST_NAMES, TRAIN_NAMES
from zoo.errors import ZooError

SPLIT_NAMES = (*TRAIN_NAMES, *TEST_NAMES)
# Train, test_set, val2017.
SPLIT = re.compile(rf"({'|'.join(SPLIT_NAMES)})([ _-]?(sets?|images?|imgs?|data|\d{{4}}))?\Z")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
NONE, CLASSES, SPLITS, SPLITS_OF_CLASSES, CLASSES_OF_SPLITS = FOLDERS
SHARD = re.compile(r"\d{5}\Z")  # https://github.com/NVlabs/stylegan3/blob/main/dataset_tool.py
FILE_OF_SHARD = re.compile(r"img\d{8}\.\w+\Z")
Folders = Mapping[Entry, tuple[str, ...]]


@dataclass(frozen=True)
class Place:
    """An image's split and class (None without classes), from the folders that it lies in."""

    split: str
    label: str | None


@dataclass(frozen=True)
class Layout:
    """The place of each image, and what its folders are, one of FOLDERS."""

    places: Mapping[Entry, Place]
    folders: str

    @property
    def said(self) -> list[str]:
        """What the folders are taken for, in words."""
        splits = Counter(place.split for place in self.places.values())
        classes = sorted({place.label for place in self.places.values() if place.label is not None})
        of_splits = [f"folders are splits: {', '.join(splits)}"] if "splits" in self.folders else []
        return of_splits + ([f"subfolders are {len(classes)} classes: {shortened(classes)}"] if classes else [])


def layout(folders: Folders, where: str, requested: str | None = None) -> Layout:
    """The layout of images by the folders that each lies in; raises ZooError where it is unknown or ambiguous.

    Leading folders that all images share are ignored (most zips have one), unless they name a split.
    """
    least = min(map(len, folders.values()))
    wanted = 0 if requested in (None, NONE) else len(requested.split("/"))
    levels = zip(*folders.values(), strict=False)
    shared = itertools.takewhile(lambda names: len(set(names)) == 1 and not is_split(names[0]), levels)
    named = min(sum(1 for _ in shared), max(0, least - wanted))
    below = {entry: parts[named:] for entry, parts in folders.items()}
    kind = requested or found_kind(below, where)
    return Layout({entry: place(parts, kind, entry, where) for entry, parts in below.items()}, kind)


def place(parts: Sequence[str], kind: str, entry: Entry, where: str) -> Place:
    """The place of an image in these folders, read as a kind of FOLDERS says."""
    levels = [] if kind == NONE else kind.split("/")
    found = dict(zip(levels, parts, strict=False))
    if (levels and levels[0] not in found) or (kind == CLASSES_OF_SPLITS and SPLITS not in found):
        raise ZooError(f"{where}: {entry.path} lies in no folder of the {kind}. Move it into one, or remove it.")
    split = found.get(SPLITS, "train")
    return Place(split_of(split) or split.lower(), found.get(CLASSES))


def found_kind(below: Folders, where: str) -> str:
    """What the folders are without being told; raises ZooError where that isn't plain."""
    first = {parts[0] for parts in below.values() if parts}
    splits = {name for name in first if is_split(name)}
    flat = [entry for entry, parts in below.items() if not parts]
    if splits and (splits < first or flat):
        others = shortened(sorted(first - splits) or [entry.path for entry in flat])
        raise ZooError(
            f"{where}: {shortened(sorted(splits))} may be splits, to be kept apart, or classes as {others} may be. "
            f"Say which: --folders {SPLITS} or --folders {CLASSES}; or move out what belongs to neither."
        )
    if splits:
        inner = {entry: parts[1:] for entry, parts in below.items()}
        with_classes = [each for each in splits if inner_kind(inner, below, where, each)]
        return SPLITS_OF_CLASSES if with_classes else SPLITS
    second = [parts[1:2] for parts in below.values()]
    if all(len(parts) == 2 for parts in below.values()) and all(is_split(names[0]) for names in second):
        return CLASSES_OF_SPLITS
    if first and not flat and all(hints_at_split(name) for name in first):
        raise ZooError(
            f"{where}: the folders {shortened(sorted(first))} may be splits, to be kept apart, or classes. Say which: "
            f"--folders {SPLITS} or --folders {CLASSES}; or, of two domains, the folder of the source: --source-from A"
        )
    if all(SHARD.match(name) for name in first) and first and not flat:
        raise ZooError(
            f"{where}: the folders {shortened(sorted(first))} may be classes, or parts of one set as NVlabs' tools "
            f"write them. Say which: --folders {CLASSES} or --folders {NONE}"
        )
    check_level(below, where)
    return CLASSES if first else NONE


def inner_kind(inner: Folders, below: Folders, where: str, split: str) -> bool:
    """Whether a split's folder has classes; raises ZooError where its folders are no plain classes."""
    mine = {entry: parts for entry, parts in inner.items() if below[entry][0] == split}
    names = {parts[0] for parts in mine.values() if parts}
    if names and all(is_split(name) for name in names):
        raise ZooError(
            f"{where}: the folders {shortened(sorted(names))} in {split} may be splits or classes. Say which folders "
            f"are meant: --folders {SPLITS_OF_CLASSES}, {CLASSES_OF_SPLITS} or {SPLITS}"
        )
    check_level(mine, where)
    return bool(names)


def check_level(below: Folders, where: str) -> None:
    """Raises ZooError, with the odd ones by name, unless all images lie in no folder or all in one."""
    by_depth: dict[int, list[str]] = {}
    for entry, parts in below.items():
        by_depth.setdefault(len(parts), []).append(entry.path)
    if len(by_depth) == 1 and max(by_depth) <= 1:
        return
    odd = min(by_depth, key=lambda depth: (depth <= 1, len(by_depth[depth])))
    place_of_odd = ("outside the subfolders", "in a subfolder")[odd] if odd <= 1 else "deeper"
    raise ZooError(
        f"{where} must hold either images alone or one subfolder for each class with images in it, not both and "
        "nothing deeper; subfolders train and test may each hold either. "
        f"{len(by_depth[odd]):,} of {len(below):,} lie {place_of_odd}: {shortened(sorted(by_depth[odd]))}. Move or "
        f"remove what is astray, or say what the folders are: --folders {', '.join(FOLDERS)}"
    )


def without_shards(folders: Folders, labelled: Iterable[tuple[str, ...]], homes: Iterable[tuple[str, ...]]) -> Folders:
    """The folders without NVlabs' shards.

    These are told by the names of the files in them, or lie below a dataset.json: `homes` are the folders that hold
    one, and `labelled` those in which it names every image's label, so that no folder below can be a class.
    """

    def below(parts: tuple[str, ...], all_homes: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
        return max((each for each in all_homes if parts[: len(each)] == each), key=len, default=None)

    found = {}
    for entry, parts in folders.items():
        home = below(parts, labelled)
        of_shard = parts and SHARD.match(parts[-1])
        known = of_shard and (FILE_OF_SHARD.match(entry.parts[-1]) or below(parts[:-1], homes) is not None)
        found[entry] = home if home is not None else parts[:-1] if known else parts
    return found


def split_of(name: str) -> str | None:
    """The split that a folder's name is plainly that of, in any case: `val` of `Val2017`."""
    found = SPLIT.match(name.lower())
    return found[1] if found else None


def is_split(name: str) -> bool:
    """Whether a folder's name is plainly that of a split."""
    return split_of(name) is not None


def hints_at_split(name: str) -> bool:
    """Whether a folder's name has that of a split in it, as trainA or seg_train."""
    return any(word.lower() in SPLIT_NAMES for word in WORD.findall(name))
