"""Writes a prepared folder atomically: samples as one .npy file, labels as another, and meta.json."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.plain_data import plain
from zoo.data.prepared.cache import LABELS, SAMPLES, ReportCount, fingerprint, fingerprint_start
from zoo.data.prepared.directory import CHECKSUM, FORMAT, META, PARTIAL, check_space, meta_checksum
from zoo.data.sources.contract import Contents
from zoo.errors import ZooError

NAMED = 5  # names of skipped samples that meta.json holds, at most


def write(folder: Path, head: Mapping[str, Any], contents: Contents, progress: ReportCount | None = None) -> None:
    """Writes samples, labels and meta.json; `head` holds those keys of meta.json that are known before writing."""
    needed = int(np.prod(contents.shape, dtype=np.int64)) * np.dtype(contents.dtype).itemsize
    check_space(folder.parent, needed, "The prepared data")
    with atomic_folder(folder) as partial:
        meta = {**head, **_write_files(partial, contents, progress)}
        write_meta(partial, meta)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder to write in, which is renamed to `folder` at the end: a killed process leaves no `folder`."""
    partial = folder.parent / f".{folder.name}{PARTIAL}"
    # A killed process left it: no other process writes here, since this one holds the lock.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        sync_folder(partial)
        partial.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    """Writes meta.json with its checksum."""
    content = plain({**meta, "format": FORMAT}, META)  # as JSON gives it back, since the checksum is of that
    with (folder / META).open("w", encoding="utf-8") as file:
        json.dump({**content, CHECKSUM: meta_checksum(content)}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())


def _write_files(folder: Path, contents: Contents, progress: ReportCount | None) -> dict[str, Any]:
    labels, shape, digest = _write_samples(folder / SAMPLES, contents, progress)
    if labels is not None:
        digest.update(labels.tobytes())
        with (folder / LABELS).open("wb") as file:
            np.save(file, labels)
            _sync(file)
    if shape != contents.shape:  # some samples were skipped: the hash began with another count
        stored = np.load(folder / SAMPLES, mmap_mode="r", allow_pickle=False)
        found = fingerprint(stored, labels)
    else:
        found = digest.hexdigest()
    skipped = sorted(contents.skipped.names) if contents.skipped else []
    return {
        "count": shape[0],
        "shape": list(shape),
        "dtype": np.dtype(contents.dtype).name,
        "classes": _classes(contents.class_names, labels),
        "class_names": list(contents.class_names) if labels is not None else [],
        "scale": contents.scale,
        "skipped": {"count": len(skipped), "first": skipped[:NAMED]},
        "fingerprint": found,
        "files": {file.name: file.stat().st_size for file in sorted(folder.iterdir())},
    }


def _write_samples(
    path: Path, contents: Contents, progress: ReportCount | None
) -> tuple[np.ndarray | None, tuple[int, ...], Any]:
    """Streams the samples into an .npy file; returns labels (None where a sample has none), shape and hash object."""
    count, *sample_shape = contents.shape
    digest = fingerprint_start(contents.dtype, contents.shape)
    done = 0
    parts = []
    # The file is not a writable memory map: on a full disk that would kill the process instead of raising.
    with path.open("wb") as file:
        _write_header(file, contents.dtype, contents.shape)
        length = file.tell()
        for samples, labels in contents.batches:
            stored = np.ascontiguousarray(samples, dtype=contents.dtype)
            if list(stored.shape[1:]) != sample_shape:
                raise ZooError(f"Samples from {done} on have shape {stored.shape[1:]}, not {tuple(sample_shape)}.")
            file.write(stored.data)
            digest.update(stored.data)
            parts.append(labels)
            done += len(stored)
            if progress:
                progress(done, count)
        skipped = len(contents.skipped.names) if contents.skipped else 0
        if done + skipped != count:
            raise ZooError(f"The source announced {count} samples and gave {done}.")
        shape = (done, *sample_shape)
        file.seek(0)
        _write_header(file, contents.dtype, shape)  # NumPy pads the header so that any count fits
        if file.tell() != length:
            raise ZooError(f"The header of {path} changed its length.")
        _sync(file)
    return _joined(parts), shape, digest


def _write_header(file: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, header)


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) != len(parts):
        return None
    labels = np.concatenate(known).astype(np.int64)
    # TFDS labels the samples of splits with secret labels -1.
    return None if (labels < 0).any() else labels


def _classes(class_names: tuple[str, ...], labels: np.ndarray | None) -> int | None:
    if labels is None:
        return None
    return len(class_names) or int(labels.max()) + 1


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flushes a folder's entries to disk."""
    if os.name == "nt":
        return  # Windows can't open folders, and flushes their entries itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
