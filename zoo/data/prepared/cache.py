"""Opens prepared folders: samples and further fields by memory map, labels in memory, meta.json checked."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from zoo.base.plain_data import plain
from zoo.data.dataset import Dataset
from zoo.data.fields import Field
from zoo.data.prepared.directory import read_meta
from zoo.errors import ZooError

SAMPLES = "samples.npy"
LABELS = "labels.npy"
BLOCK = 2**24  # bytes hashed at once
NO_FIELDS: Mapping[str, np.ndarray] = {}
ReportCount = Callable[[int, int], None]  # receives (done, total) of long work


def folder_name(slug: str, identity: Mapping[str, Any]) -> str:
    """`mnist-3.0.1-train-28px-0a1b2c3d`: the slug and a hash of all that changes what is stored."""
    digest = hashlib.sha256(json.dumps(plain(identity), sort_keys=True).encode()).hexdigest()[:8]
    return f"{slug}-{digest}"


@contextmanager
def preparing(root: Path, name: str, note: Callable[[str], None] | None = None) -> Iterator[None]:
    """Holds the lock of the source `name`, and calls `note` with a line where another process holds it.

    Raises ZooError for a disk that is full or read-only.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / f".{name}.lock")  # one lock for all prepared folders of a source
        if note and not _free(lock):
            note(f"Another process is preparing {name}; waiting for it.")
        with lock:
            yield
    except OSError as error:
        raise ZooError(
            f"Cannot prepare data in {root}: {error.strerror or error}. "
            "Free some space or choose another folder with --data-dir DIR."
        ) from error


def _free(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    lock.release()
    return True


def read(folder: Path, name: str) -> Dataset:
    """The dataset in a prepared folder, called `name`; raises ZooError where files are missing or damaged."""
    try:
        meta = checked_meta(folder)
        samples, labels = arrays(folder, meta)
        return Dataset(
            name=name,
            split=meta["split"],
            samples=samples,
            labels=labels,
            classes=meta["classes"],
            class_names=tuple(meta["class_names"]),
            scale=meta["scale"],
            fingerprint=meta["fingerprint"],
            description=meta["description"],
            others={
                name: (Field.from_record(meta["fields"][name]), each) for name, each in fields(folder, meta).items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ZooError(
            f"The prepared data in {folder} is damaged ({error}). Delete that folder and run the same command again: "
            "it is prepared anew."
        ) from error


def arrays(folder: Path, meta: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """The samples as a memory map, and the labels in memory, or None where there are none."""
    samples = np.load(folder / SAMPLES, mmap_mode="r", allow_pickle=False)
    return samples, np.load(folder / LABELS, allow_pickle=False) if LABELS in meta["files"] else None


def fields(folder: Path, meta: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The rows of further fields by name, as memory maps; sets prepared before there were any have none."""
    names = sorted(meta.get("fields", {}))
    return {name: np.load(folder / field_file(name), mmap_mode="r", allow_pickle=False) for name in names}


def field_file(name: str) -> str:
    """The file of a further field."""
    return f"field-{name}.npy"


def checked_meta(folder: Path) -> dict[str, Any]:
    """The content of meta.json; raises ValueError where a file has another size than it records.

    Contents are not hashed here: `zoo data verify` does that.
    """
    meta = read_meta(folder)
    for file, size in meta["files"].items():
        if (found := (folder / file).stat().st_size) != size:
            raise ValueError(f"{file} holds {found} bytes, not {size}")
    return meta


def fingerprint(
    samples: np.ndarray,
    labels: np.ndarray | None,
    others: Mapping[str, np.ndarray] = NO_FIELDS,
    progress: ReportCount | None = None,
) -> str:
    """sha256 of dtype, shape, samples and labels, and of each further field, some megabytes at a time."""
    digest = fingerprint_start(samples.dtype, samples.shape)
    for done, block in blocks(samples):
        digest.update(block)
        if progress:
            progress(done, len(samples))
    if labels is not None:
        digest.update(labels.tobytes())
    for name in sorted(others):
        add_to(digest, name, others[name])
    return digest.hexdigest()


def add_to(digest: Any, name: str, rows: np.ndarray) -> None:
    """Feeds a fingerprint's hash object with a further field."""
    digest.update(f"{name} {rows.dtype.name}{rows.shape}".encode())
    for _, block in blocks(rows):
        digest.update(block)


def blocks(array: np.ndarray) -> Iterator[tuple[int, Any]]:
    """(rows until then, bytes) of an array, some megabytes at a time."""
    rows = max(1, BLOCK // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield min(start + rows, len(array)), np.ascontiguousarray(array[start : start + rows]).data


def fingerprint_start(dtype: Any, shape: tuple[int, ...]) -> Any:
    """The fingerprint's hash object, fed with dtype and shape; samples and labels are to follow."""
    return hashlib.sha256(f"{np.dtype(dtype).name}{tuple(shape)}".encode())
