"""Writes a prepared folder atomically: samples, labels and further fields as .npy files, and meta.json."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.plain_data import plain
from zoo.catalogue.registry import FILES
from zoo.data.dataset import LABELS_FROM
from zoo.data.fields import ATTRIBUTES, Field
from zoo.data.prepared.cache import (
    LABELS,
    SAMPLES,
    ReportCount,
    add_to,
    blocks,
    field_file,
    fingerprint,
    fingerprint_start,
)
from zoo.data.prepared.directory import CHECKSUM, FORMAT, META, PARTIAL, check_space, meta_checksum
from zoo.data.sources.contract import NAMED, Contents, OtherField, Skipped
from zoo.errors import ZooError

DARK = 16  # of 255: images without a larger value are nearly black
MOST_CLASSES = 2**16  # that may have no sample
DTYPES: Mapping[str, type[np.generic]] = {"image": np.uint8, "vector": np.float32}  # of further fields at rest


def write(folder: Path, head: Mapping[str, Any], contents: Contents, progress: ReportCount | None = None) -> None:
    """Writes samples, labels and meta.json; `head` holds those keys of meta.json that are known before writing."""
    arrays = [(contents.shape, contents.dtype), *((each.shape, DTYPES[each.kind]) for each in contents.others.values())]
    needed = sum(int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize for shape, dtype in arrays)
    check_space(folder.parent, needed, "The prepared data")
    with atomic_folder(folder) as partial:
        written = _write_files(partial, contents, progress)
        # Known only now, when everything was read.
        description = {**head["description"], "reading": reading(contents, darkness(partial, head))}
        if contents.labels_from and written["classes"] is None:
            description[LABELS_FROM] = list(contents.labels_from)
        write_meta(partial, {**head, **written, "description": description})


def reading(contents: Contents, darkness: Sequence[str] = ()) -> list[str]:
    """At most two lines for the user: what was read, cropped and taken for labels, and what was left out."""
    left_out = contents.skipped.text if contents.skipped else ""
    read = [*contents.read, *darkness]
    return [*(["; ".join(read)] if read else []), *([f"left out: {left_out}"] if left_out else [])]


def darkness(folder: Path, head: Mapping[str, Any]) -> list[str]:
    """A word on images that are nearly black, as masks with the values 0 and 1 are."""
    samples = np.load(folder / SAMPLES, mmap_mode="r", allow_pickle=False)
    if samples.dtype != np.uint8:
        return []
    brightest = 0
    for _, block in blocks(samples):
        brightest = max(brightest, int(np.frombuffer(block, np.uint8).max()))
        if brightest >= DARK:
            return []
    hint = f", unless read with --values 0:{max(1, brightest)}" if head.get("kind") == FILES else ""
    return [f"nearly black: no value lies above {brightest} of 255{hint}"]


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
    fields = dict(contents.others)
    if labels is not None and labels.ndim > 1:
        fields[ATTRIBUTES] = OtherField("vector", labels.shape, iter([labels]), names=contents.class_names)
        labels = None
    if labels is not None:
        digest.update(labels.tobytes())
        with (folder / LABELS).open("wb") as file:
            np.save(file, labels)
            _sync(file)
    others = {name: _write_field(folder, name, each, shape[0]) for name, each in sorted(fields.items())}
    stored = {name: np.load(folder / field_file(name), mmap_mode="r", allow_pickle=False) for name in others}
    if shape != contents.shape:  # some samples were skipped: the hash began with another count
        samples = np.load(folder / SAMPLES, mmap_mode="r", allow_pickle=False)
        found = fingerprint(samples, labels, stored)
    else:
        for name, array in stored.items():
            add_to(digest, name, array)
        found = digest.hexdigest()
    left_out = contents.skipped or Skipped()
    skipped = sorted(left_out.names)
    return {
        "count": shape[0],
        "shape": list(shape),
        "dtype": np.dtype(contents.dtype).name,
        "classes": _classes(contents.class_names, labels),
        "class_names": list(contents.class_names) if labels is not None else [],
        "scale": contents.scale,
        "skipped": {"count": len(skipped), "first": skipped[:NAMED]},
        "left_out": left_out.record,
        "fields": {name: each.record() for name, each in others.items()},
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


def _write_field(folder: Path, name: str, field: OtherField, count: int) -> Field:
    """Streams a further field into a file of its own; raises ZooError unless it has a row for each sample."""
    dtype = DTYPES[field.kind]
    done = 0
    with (folder / field_file(name)).open("wb") as file:
        _write_header(file, dtype, field.shape)
        for rows in field.batches:
            stored = np.ascontiguousarray(rows, dtype=dtype)
            if stored.shape[1:] != field.shape[1:]:
                raise ZooError(f"The field '{name}' has rows of shape {stored.shape[1:]}, not {field.shape[1:]}.")
            file.write(stored.data)
            done += len(stored)
        if not 0 < done <= field.shape[0] or (field.aligned and done != count):
            raise ZooError(f"The field '{name}' has {done} rows of {field.shape[0]}, for {count} samples.")
        file.seek(0)
        _write_header(file, dtype, (done, *field.shape[1:]))  # some rows may have been skipped
        _sync(file)
    return Field(field.kind, tuple(field.shape[1:]), class_names=field.names, aligned=field.aligned)


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
    found = len(class_names) or int(labels.max(initial=0)) + 1
    if found > max(MOST_CLASSES, len(labels)):
        raise ZooError(
            f"The labels go up to {found - 1:,} in {len(labels):,} samples: these are no numbers of classes. Number "
            "the classes from 0, or --label none"
        )
    return found


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
