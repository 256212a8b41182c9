"""Writes a prepared folder: samples as one .npy file, labels beside it, and meta.json, all of it or nothing."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.cache import FORMAT, LABELS, SAMPLES
from zoo.data.directory import META
from zoo.errors import ZooError

SPARE = 64 * 2**20  # bytes left free beside the array

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Contents:
    """What a source gives to be written: `batches` yields (samples, labels or None) in the order of the rows."""

    shape: tuple[int, ...]  # (N, H, W, C) or (N, D)
    dtype: type[np.generic]  # uint8 or float32
    batches: Iterator[tuple[np.ndarray, np.ndarray | None]]
    class_names: tuple[str, ...] = ()
    scale: float = 1.0
    native_size: bool = False  # whether images are as large as at their source
    description: Mapping[str, Any] = field(default_factory=dict)


def write(folder: Path, name: str, contents: Contents, progress: Progress | None = None) -> None:
    """Writes samples, labels and meta.json beside `folder`, then renames: a killed process leaves no `folder`."""
    _check_space(folder.parent, int(np.prod(contents.shape)) * np.dtype(contents.dtype).itemsize)
    partial = folder.parent / f".{folder.name}.partial"
    # What a killed process left: nobody else writes here while we hold the lock.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        meta = _write_files(partial, name, contents, progress)
        with (partial / META).open("w") as file:
            json.dump(meta, file, indent=2)
            _sync(file.fileno())
        _sync_folder(partial)
        partial.rename(folder)
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_files(folder: Path, name: str, contents: Contents, progress: Progress | None) -> dict[str, Any]:
    count = contents.shape[0]
    digest = hashlib.sha256(f"{np.dtype(contents.dtype).name}{contents.shape}".encode())
    labels = _write_samples(folder / SAMPLES, contents, digest.update, progress)
    if labels is not None:
        digest.update(labels.tobytes())
        with (folder / LABELS).open("wb") as file:
            np.save(file, labels)
            _sync(file.fileno())
    return {
        "format": FORMAT,
        "name": name,
        "count": count,
        "shape": list(contents.shape),
        "dtype": np.dtype(contents.dtype).name,
        "classes": _classes(contents.class_names, labels),
        "class_names": list(contents.class_names),
        "scale": contents.scale,
        "native_size": contents.native_size,
        "fingerprint": digest.hexdigest(),
        "description": dict(contents.description),
        "files": {file.name: file.stat().st_size for file in sorted(folder.iterdir())},
    }


def _write_samples(
    path: Path, contents: Contents, update: Callable[[bytes], None], progress: Progress | None
) -> np.ndarray | None:
    """Streams the samples into an .npy file and returns the labels, or None where a sample has none."""
    count, *sample_shape = contents.shape
    done = 0
    parts = []
    # Plain writes, not a writable memory map: on a full disk a map kills the process instead of raising.
    with path.open("wb") as file:
        header = {"descr": np.dtype(contents.dtype).str, "fortran_order": False, "shape": contents.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for samples, labels in contents.batches:
            stored = np.ascontiguousarray(samples, dtype=contents.dtype)
            if list(stored.shape[1:]) != sample_shape:
                raise ZooError(f"Samples from {done} on have shape {stored.shape[1:]}, not {tuple(sample_shape)}.")
            file.write(stored.data)
            update(stored.tobytes())
            parts.append(labels)
            done += len(stored)
            if progress:
                progress(done, count)
        _sync(file.fileno())
    if done != count:
        raise ZooError(f"The source announced {count} samples and gave {done}.")
    return _joined(parts)


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) != len(parts):
        return None
    labels = np.concatenate(known).astype(np.int64)
    # TFDS writes -1 into splits whose labels are secret.
    return None if (labels < 0).any() else labels


def _classes(class_names: tuple[str, ...], labels: np.ndarray | None) -> int | None:
    if labels is None:
        return None
    return len(class_names) or int(labels.max()) + 1


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise ZooError(
            f"The prepared data needs {needed / 1e6:.0f} MB in {folder}, where {free / 1e6:.0f} MB are free. "
            "Free some space or choose another folder with --data-dir DIR."
        )


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders, and keeps their entries in order itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
