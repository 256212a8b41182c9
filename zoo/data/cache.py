"""Where prepared arrays lie and how they are opened: each folder is whole or not there, and is read by memory map."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from zoo.data.dataset import Dataset
from zoo.data.directory import META
from zoo.errors import ZooError

FORMAT = 1
SAMPLES = "samples.npy"
LABELS = "labels.npy"


def folder_name(slug: str, identity: Mapping[str, Any]) -> str:
    """`mnist-3.0.1-train-28px-0a1b2c3d`: readable, and different for everything that changes what is stored."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
    return f"{slug}-{digest}"


@contextmanager
def preparing(root: Path, slug: str) -> Iterator[None]:
    """Lets one process at a time prepare this source; a disk that is full or read-only becomes a ZooError."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{slug}.lock"):
            yield
    except OSError as error:
        raise ZooError(
            f"Cannot prepare data in {root}: {error.strerror or error}. "
            "Free some space or choose another folder with --data-dir DIR."
        ) from error


def read(folder: Path, name: str, split: str) -> Dataset:
    """Opens a prepared folder; raises ZooError when a file is missing, truncated or not ours."""
    try:
        meta = _checked_meta(folder)
        return Dataset(
            name=name,
            split=split,
            samples=np.load(folder / SAMPLES, mmap_mode="r", allow_pickle=False),
            labels=np.load(folder / LABELS, allow_pickle=False) if LABELS in meta["files"] else None,
            classes=meta["classes"],
            class_names=tuple(meta["class_names"]),
            scale=meta["scale"],
            fingerprint=meta["fingerprint"],
            description=meta["description"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ZooError(
            f"The prepared data in {folder} is damaged ({error}). Delete that folder and run the same command again: "
            "it is prepared anew."
        ) from error


def _checked_meta(folder: Path) -> dict[str, Any]:
    """What meta.json says, once the files have the sizes that it says; contents are not hashed again, for speed."""
    meta = json.loads((folder / META).read_text())
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}, this version reads {FORMAT}")
    for file, size in meta["files"].items():
        if (found := (folder / file).stat().st_size) != size:
            raise ValueError(f"{file} holds {found} bytes, not {size}")
    return meta
