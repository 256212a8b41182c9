"""Images of two domains, of which one becomes the field `source`: in a folder, or beside the other.

`A/` and `B/`, `trainA/` and `trainB/`, or `A/train/` and `B/train/`, as the authors of pix2pix and CycleGAN have them:
https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from zoo.data.options import OWN, PAIRS
from zoo.data.sources import layouts
from zoo.data.sources.contract import shortened
from zoo.data.sources.trees import Entry
from zoo.errors import ZooError, unknown

LEFT, RIGHT = "left", "right"
HALVES = (LEFT, RIGHT)
MOSTLY = 0.5  # share of the fewer images that have a pair, above which those without are taken for a mistake
OF_SPLIT = re.compile(rf"((?i:{'|'.join(layouts.SPLIT_NAMES)}))[ _-]?((?<=[ _-])\w+|[A-Z]\w*)\Z")  # trainA, test_photos
Folders = Mapping[Entry, tuple[str, ...]]


def half(pixels: np.ndarray, side: str) -> np.ndarray:
    """The left or right half of an image (H, W, C)."""
    width = pixels.shape[1] // 2
    return pixels[:, :width] if side == LEFT else pixels[:, pixels.shape[1] - width :]


def other_half(side: str) -> str:
    """The half that is not this one."""
    return RIGHT if side == LEFT else LEFT


@dataclass(frozen=True)
class Domains:
    """The folders of all images without those of the domains, and the images that are the field `source`."""

    folders: Folders
    source: frozenset[Entry]


def domains(folders: Folders, name: str, where: str) -> Domains:
    """The images in the folder of a domain, and those in the folder beside it.

    Raises ZooError where there is no such folder, or more than one beside it.
    """
    split_up = {entry: [divided(part) for part in parts] for entry, parts in folders.items()}
    levels = {
        level
        for parts in split_up.values()
        for level, (_, domain) in enumerate(parts)
        if domain.lower() == name.lower()
    }
    if not levels:
        raise unknown(
            f"folder in {where}", name, sorted({domain for parts in split_up.values() for _, domain in parts})
        )
    level = min(levels)
    outside = [entry.path for entry, parts in split_up.items() if len(parts) <= level]
    if outside:
        raise ZooError(f"{where}: {shortened(outside)} lie beside the folders of the domains. Move or remove them.")
    found = {entry: parts[level][1].lower() for entry, parts in split_up.items()}
    others = sorted(set(found.values()) - {name.lower()})
    if len(others) != 1:
        raise ZooError(
            f"{where} must hold a folder of samples beside '{name}', the folder of what they are made from. Found: "
            f"{', '.join(others) or 'none'}."
        )
    below = {
        entry: tuple(
            each for at, part in enumerate(folders[entry]) for each in (parts[level][0] if at == level else [part])
        )
        for entry, parts in split_up.items()
    }
    return Domains(below, frozenset(entry for entry, domain in found.items() if domain == name.lower()))


def divided(folder: str) -> tuple[list[str], str]:
    """The split in a folder's name, if any, and the domain: (["train"], "A") of `trainA`."""
    match = None if layouts.is_split(folder) else OF_SPLIT.match(folder)
    return ([match[1]], match[2]) if match else ([], folder)


def in_pairs(
    samples: Sequence[Entry], source: Sequence[Entry], folders: Folders, order: str | None, where: str
) -> dict[Entry, Entry] | None:
    """The source of each sample, by the file's name in the same folder; None where they don't belong in pairs.

    `order` is what was asked for, one of SOURCE_ORDERS. Raises ZooError where pairs were, and where most of the fewer
    images have one, if some image has none: it says which.
    """
    if order == OWN:
        return None
    by_name = [grouped(each, folders) for each in (samples, source)]
    pairs = {
        ours[0]: theirs[0]
        for name, ours in by_name[0].items()
        if len(ours) == len(theirs := by_name[1].get(name, [])) == 1
    }
    odd = sorted(entry.path for entry in {*samples, *source} - {*pairs.keys(), *pairs.values()})
    if not odd:
        return pairs
    if order == PAIRS or len(pairs) > MOSTLY * min(len(samples), len(source)):
        raise ZooError(
            f"{where}: {len(pairs):,} images of either folder have one of their name in the other, and {len(odd):,} "
            f"have none, or several: {shortened(odd)}. Of pairs, move or rename those; of two sets without pairs, say "
            f"--source-order {OWN}."
        )
    return None


def grouped(entries: Sequence[Entry], folders: Folders) -> dict[tuple[str, ...], list[Entry]]:
    """The images by what the two of a pair have in common."""
    found: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        found.setdefault(key(entry, folders), []).append(entry)
    return found


def key(entry: Entry, folders: Folders) -> tuple[str, ...]:
    """What the two images of a pair have in common."""
    return (*folders[entry], PurePosixPath(entry.path).stem)
