"""Exports prepared sets into one file, an uncompressed zip, and imports them again.

An imported file is not trusted: only the names that an export writes are read, nothing is unpacked beyond its recorded
size, arrays of Python objects are refused, and the samples must have the hash that meta.json records.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.data.prepared import cache, writer
from zoo.data.prepared.directory import META, Prepared, check_space, prepared_root
from zoo.errors import ZooError

FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}\Z")
NAME = re.compile(r"[\w][\w .+-]{0,100}\Z")
FILE = re.compile(rf"{META}|{cache.SAMPLES}|{cache.LABELS}|{cache.field_file('[A-Za-z_][A-Za-z0-9_]*')}")
FIELD_AXES = {"image": ("uint8", 4), "vector": ("float32", 2)}  # dtype of a further field, and how many axes
LARGEST_META = 2**24  # bytes
BLOCK = 2**22  # bytes copied at once
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every member, so that equal data make equal files
AXES = {"uint8": (4,), "float32": (2,)}  # the dtypes of samples, and how many axes each may have


@dataclass
class Count:
    """Counts the bytes that are copied, and reports them."""

    total: int
    progress: cache.ReportCount
    done: int = 0

    def copy(self, source: IO[bytes], target: IO[bytes]) -> None:
        """Copies a file to its end."""
        while block := source.read(BLOCK):
            target.write(block)
            self.done += len(block)
            self.progress(self.done, self.total)


def export(sets: Sequence[Prepared], file: Path, progress: cache.ReportCount) -> None:
    """Writes the sets into one file, whole or not at all; raises ZooError where the disk is full."""
    total = sum(each.bytes for each in sets)
    file.parent.mkdir(parents=True, exist_ok=True)
    check_space(file.parent, total, f"The file {file.name}")
    temporary = file.with_name(f".{file.name}.partial")
    count = Count(total, progress)
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for each in sets:
                for name in (META, *sorted(each.meta["files"])):
                    info = zipfile.ZipInfo(f"{each.folder.name}/{name}", EPOCH)
                    with (each.folder / name).open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                        count.copy(source, target)
        temporary.replace(file)
        writer.sync_folder(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


def import_sets(
    file: Path, name: str | None, data_dir: Path | None, progress: cache.ReportCount
) -> list[tuple[Path, bool]]:
    """Unpacks a file's sets below `data_dir`; returns the folder of each, and whether it is new.

    Raises ZooError for a file that is damaged or that no export wrote.
    """
    root = prepared_root(data_dir)
    if name is not None and not NAME.match(name):
        raise ZooError(f"'{name}' can't be a dataset's name: letters, digits, spaces, '.', '_', '+' and '-' only.")
    with _archive(file) as archive:
        members = _members(archive, file)
        total = sum(info.file_size for each in members.values() for info in each.values())
        with cache.preparing(root, "import"):
            check_space(root, total, f"What {file.name} holds")
            found = []
            count = Count(total, progress)
            for folder, each in members.items():
                target = root / (folder if name is None else f"{folder}-{cache.folder_name('as', {'name': name})}")
                new = not target.is_dir()
                if new:
                    with writer.atomic_folder(target) as partial:
                        _unpack(archive, each, partial, count)
                        _check(partial, file, name)
                found.append((target, new))
            return found


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ZooError(f"{file} is damaged or was not made by `zoo data export`: {error}. Copy it again.") from error


def _members(archive: zipfile.ZipFile, file: Path) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """The archive's members by folder and name; raises ZooError for any that an export does not write."""
    found: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for info in archive.infolist():
        folder, _, name = info.filename.partition("/")
        stored = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
        if not FOLDER.match(folder) or not FILE.fullmatch(name) or not stored or name in found.get(folder, {}):
            raise ZooError(f"{file} holds '{info.filename}', which `zoo data export` does not write. It is refused.")
        if name == META and info.file_size > LARGEST_META:
            raise ZooError(f"{file}: {info.filename} has {info.file_size:,} bytes, too many. It is refused.")
        found.setdefault(folder, {})[name] = info
    if not found or any(META not in each or cache.SAMPLES not in each for each in found.values()):
        raise ZooError(f"{file} holds no whole dataset. Export it again.")
    return found


def _unpack(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], folder: Path, count: Count) -> None:
    for name, info in members.items():
        with archive.open(info) as source, (folder / name).open("wb") as target:
            count.copy(source, target)


def _check(folder: Path, file: Path, name: str | None) -> None:
    """Raises ZooError unless the unpacked set is complete; then records the import, and its new name if any."""
    try:
        meta = cache.checked_meta(folder)
        _check_arrays(folder, meta)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ZooError(f"{file} is damaged ({error}). Nothing was imported of it; copy it again.") from error
    writer.write_meta(folder, {**meta, "imported": file.name, "name": name or imported_name(meta["name"])})


def imported_name(name: str) -> str:
    """What a dataset is called once it is imported: without the ending of an array file, which names a path."""
    return name.removesuffix(".npz").removesuffix(".npy") or name


def _check_arrays(folder: Path, meta: Mapping[str, Any]) -> None:
    samples, labels = cache.arrays(folder, meta)
    kind = str(samples.dtype)
    if samples.ndim not in AXES.get(kind, ()) or list(samples.shape) != meta["shape"] or meta["dtype"] != kind:
        raise ValueError(f"samples are {kind} {samples.shape}, not {meta['dtype']} {meta['shape']}")
    if labels is not None and (labels.dtype != np.int64 or labels.shape != samples.shape[:1]):
        raise ValueError(f"labels are {labels.dtype} {labels.shape}")
    fields = _checked_fields(folder, meta, len(samples))
    if set(meta["files"]) - {cache.SAMPLES, cache.LABELS, *map(cache.field_file, fields)}:
        raise ValueError(f"it names the files {', '.join(meta['files'])}")
    # A name may have a path before it and a config or version behind it: `huggingface:owner/name:config`.
    if not isinstance(meta["name"], str) or not NAME.match(Path(meta["name"]).name.replace(":", " ")):
        raise ValueError(f"its name is {meta['name']!r}")
    if not all(isinstance(each, str) for each in meta["class_names"]):
        raise ValueError("its classes have no names")
    if (found := cache.fingerprint(samples, labels, fields)) != meta["fingerprint"]:
        raise ValueError(f"the samples' sha256 is {found}, not {meta['fingerprint']}")


def _checked_fields(folder: Path, meta: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """The further fields by name; raises ValueError where one is not as it is recorded."""
    names = meta.get("fields", {})
    if not all(FILE.fullmatch(cache.field_file(name)) for name in names):  # before a file of that name is opened
        raise ValueError(f"its fields are called {', '.join(names)}")
    fields = cache.fields(folder, meta)
    for name, rows in fields.items():
        kind, shape = names[name]["kind"], tuple(names[name]["shape"])
        wanted = (count if names[name]["aligned"] else len(rows), *shape)
        if FIELD_AXES.get(kind) != (str(rows.dtype), rows.ndim) or rows.shape != wanted:
            raise ValueError(f"the field '{name}' is {rows.dtype} {rows.shape}, not {kind} {shape}")
    return fields


def verified(prepared: Prepared, progress: cache.ReportCount) -> str | None:
    """Hashes a prepared set; returns what is wrong with it, None where nothing is."""
    try:
        meta = cache.checked_meta(prepared.folder)
        found = cache.fingerprint(*cache.arrays(prepared.folder, meta), cache.fields(prepared.folder, meta), progress)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return str(error)
    return None if found == meta["fingerprint"] else f"its sha256 is {found}, not {meta['fingerprint']}"
