"""From images to features on disk: streamed, so that memory does not grow with their number, and kept for real ones."""

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from zoo import backend
from zoo.base.files import WRITING
from zoo.base.plain_data import plain
from zoo.base.progress import Progress
from zoo.data.prepared.directory import SHORT, features_root
from zoo.evaluation.arrays import new_array
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.metrics.contract import Side

NOTES = "meta.json"
FORMAT = 1
KINDS = ("features", "logits", "modes")
UNKEPT: dict[str, Path] = {}  # folders of this process alone, where no features can be kept


@backend.fixed()
def measured(images: np.ndarray, extractor: Extractor, folder: Path, progress: Progress, what: str) -> Side:
    """What an extractor says of uint8 images (N, H, W, C), written to `folder` batch by batch and mapped from there."""
    count = len(images)
    arrays: dict[str, np.memmap[Any, Any]] = {}
    for start in range(0, count, extractor.batch_size):
        batch = np.asarray(images[start : start + extractor.batch_size])
        found = extractor.features(batch)
        for kind in KINDS:
            values = getattr(found, kind)
            if values is None:
                continue
            if kind not in arrays:
                shape = (count, *values.shape[1:])
                arrays[kind] = new_array(folder / f"{kind}.npy", values.dtype, shape)
            arrays[kind][start : start + len(batch)] = values
        progress.counting(what, start + len(batch), count)
    for array in arrays.values():
        array.flush()
    return mapped(images, folder)


def mapped(images: np.ndarray, folder: Path) -> Side:
    """Images with the features that lie in a folder."""
    found = {kind: folder / f"{kind}.npy" for kind in KINDS}
    arrays = {kind: np.load(path, mmap_mode="r") for kind, path in found.items() if path.exists()}
    return Side(images, **arrays)


def real_side(
    images: np.ndarray, key: Mapping[str, Any], extractor: Extractor, data_dir: Path | None, progress: Progress
) -> Side:
    """The features of real images, from the cache where they were measured before; `key` is what they depend on."""
    folder = features_root(data_dir) / cache_name(key)
    if is_whole(folder, key):
        return mapped(images, folder)
    scratch = folder.with_name(f"{WRITING}{uuid4().hex}")  # no mkdtemp: others may read what is kept
    what = f"real images through {extractor.name}"
    try:
        scratch.mkdir(parents=True)
    except OSError as error:  # a data directory that others keep may be read-only
        if folder.name not in UNKEPT:
            progress.note(f"Features are measured anew each time: {folder.parent} can't be written ({error.strerror}).")
            unkept = Path(tempfile.mkdtemp())
            atexit.register(shutil.rmtree, unkept, ignore_errors=True)
            measured(images, extractor, unkept, progress, what)
            UNKEPT[folder.name] = unkept
        return mapped(images, UNKEPT[folder.name])
    try:
        measured(images, extractor, scratch, progress, what)
        (scratch / NOTES).write_text(json.dumps({"format": FORMAT, "key": plain(key)}))
        move(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return mapped(images, folder)


def cache_name(key: Mapping[str, Any]) -> str:
    """`9749bdd3ea64-10000-efficientnet-lite0-57934424-1a2b3c4d`: data, count, network, and a hash of the whole key."""
    whole = sha256(json.dumps(plain(key), sort_keys=True).encode()).hexdigest()
    extractor = key["extractor"]
    return "-".join(
        [key["fingerprint"][:SHORT], str(key["count"]), extractor["name"], extractor["sha256"][:8], whole[:8]]
    )


def is_whole(folder: Path, key: Mapping[str, Any]) -> bool:
    """Whether a folder holds what `key` names; a folder is moved into place only when it is whole."""
    try:
        notes = json.loads((folder / NOTES).read_text())
    except (OSError, ValueError):
        return False
    return bool(notes.get("format") == FORMAT and notes.get("key") == plain(key))


def move(scratch: Path, folder: Path) -> None:
    """Put a whole folder under its name; another process may have been faster, with the same content."""
    if folder.exists():
        shutil.rmtree(folder)  # damaged, or of another version
    try:
        os.replace(scratch, folder)  # noqa: PTH105  a folder onto a name
    except OSError:
        if not folder.exists():
            raise
