"""The commands of `zoo data`, as functions that return JSON-ready data."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.progress import for_onlookers
from zoo.catalogue import Catalogue, read_catalogue
from zoo.data.fields import Field, kind_of_data, samples_field
from zoo.data.options import UNREADABLE_SHARE, DataOptions
from zoo.data.prepared.directory import (
    Prepared,
    data_directory,
    feature_folders,
    features_root,
    folder_bytes,
    interrupted_folders,
    prepared_root,
    prepared_sets,
    unreadable_folders,
)
from zoo.data.prepared.finding import is_of
from zoo.errors import ZooError, unknown

if TYPE_CHECKING:
    from zoo.data import Dataset

BOTH = ("train", "test")


def listing(catalogue: Catalogue, data_dir: Path | None) -> dict[str, Any]:
    """Every known and every prepared dataset, with sizes on disk; imports neither NumPy nor TensorFlow."""
    sets = prepared_sets(data_dir)
    known = []
    placed = set()
    for entry in catalogue.datasets.values():
        mine = [row(each) for each in sets if is_of(entry, each.meta)]
        placed |= {each["folder"] for each in mine}
        origin = f"{entry.kind} {entry.reference}"
        known.append({"name": entry.name, "origin": origin, "summary": entry.summary, "prepared": mine})
    return {
        "data_directory": str(data_directory(data_dir)),
        "known": known,
        "others": [row(each) for each in sets if str(each.folder) not in placed],
        "unreadable": [unprepared_row(folder) for folder in unreadable_folders(data_dir)],
        "interrupted": [unprepared_row(folder) for folder in interrupted_folders(data_dir)],
    }


def row(each: Prepared) -> dict[str, Any]:
    """A prepared set as JSON-ready data."""
    return {
        "name": each.meta["name"],
        "split": each.meta["split"],
        "shape": list(each.meta["shape"]),
        "summary": each.summary,
        "options": each.meta["options"],
        "bytes": each.bytes,
        "folder": str(each.folder),
    }


def unprepared_row(folder: Path) -> dict[str, Any]:
    """A folder that is no prepared set, with its bytes on disk."""
    return {"folder": str(folder), "bytes": folder_bytes(folder)}


def prepare(
    name: str,
    options: DataOptions,
    *,
    splits: Sequence[str] = (),
    files: Path | None = None,
    unreadable: float = UNREADABLE_SHARE,
    data_dir: Path | None = None,
) -> list[dict[str, Any]]:
    """Prepares the splits of a dataset (`train` and `test` where none is named); returns what each holds."""
    from zoo.data.opening import open_dataset
    from zoo.data.preparing import ProvidedFiles

    progress = for_onlookers()
    catalogue = read_catalogue()
    if files is not None and not files.expanduser().exists():
        raise ZooError(f"There is no {files}, from which '{name}' was to be prepared.")
    provided = ProvidedFiles(files.expanduser().resolve() if files else None, unreadable)
    try:
        opened = [
            open_dataset(
                name,
                catalogue,
                data_dir=data_dir,
                options=replace(options, split=split),
                progress=progress,
                provided=provided,
            )
            for split in splits or BOTH
        ]
    finally:
        progress.stop()
    return [described(each) for each in opened]


def described(dataset: "Dataset") -> dict[str, Any]:
    """A prepared split as JSON-ready data: counts, shape, fingerprint, folder, origin."""
    return {
        "name": dataset.name,
        "split": dataset.split,
        "count": dataset.count,
        "sample_shape": list(dataset.sample_shape),
        "kind": kind_of_data(dataset.fields),
        "classes": dataset.classes,
        "fingerprint": dataset.fingerprint,
        "folder": str(Path(str(dataset.samples.filename)).parent),  # type: ignore[attr-defined]  # a memory map's
        "summary": dataset.summary,
        "reading": list(dataset.description.get("reading", ())),
        "description": dict(dataset.description),
    }


def prepared_of(name: str, data_dir: Path | None) -> list[Prepared]:
    """Every prepared set of a dataset's name or path; raises ZooError, with how to prepare one, where none is."""
    from zoo.data.opening import entry_of

    entry = entry_of(name, read_catalogue())
    sets = prepared_sets(data_dir)
    found = [each for each in sets if is_of(entry, each.meta) or each.folder.name == name]
    if not found:
        known = sorted({each.meta["name"] for each in sets})
        raise ZooError(
            f"{unknown('prepared dataset', name, known)} To prepare it: zoo data prepare {name} "
            f"(looked in {prepared_root(data_dir)})"
        )
    return found


def verify(names: Sequence[str], data_dir: Path | None) -> list[dict[str, Any]]:
    """Hashes the prepared sets of the names, or all; `problem` is None where a set is as it was recorded."""
    from zoo.data.prepared.transfer import verified

    progress = for_onlookers()
    sets = [each for name in names for each in prepared_of(name, data_dir)] if names else prepared_sets(data_dir)
    found = []
    for each in sets:
        problem = verified(each, partial(progress.counting, each.folder.name))
        found.append({**row(each), "problem": problem})
    if not names:
        broken = "damaged, or of another version: zoo data remove --interrupted"
        found += [
            {**unprepared_row(each), "name": each.name, "problem": broken} for each in unreadable_folders(data_dir)
        ]
    return found


def removable(names: Sequence[str], data_dir: Path | None, tfds: bool, interrupted: bool) -> list[dict[str, Any]]:
    """The folders that `remove` would delete for these options: prepared sets, features, TFDS' records, leftovers."""
    sets = [each for name in names for each in prepared_of(name, data_dir)]
    found = [unprepared_row(each.folder) for each in sets]
    fingerprints = dict.fromkeys(each.meta["fingerprint"] for each in sets)
    found += [unprepared_row(folder) for each in fingerprints for folder in feature_folders(each, data_dir)]
    if tfds:
        references = {each.meta["reference"] for each in sets if each.meta["kind"] == "tfds"}
        records = [data_directory(data_dir) / each for each in sorted(references)]
        found += [unprepared_row(each) for each in records if each.is_dir()]
    if interrupted:
        features = sorted(features_root(data_dir).glob(".*"))
        left = [*interrupted_folders(data_dir), *unreadable_folders(data_dir), *features]
        found += [unprepared_row(each) for each in left]
    return found


def remove(found: Sequence[Mapping[str, Any]], data_dir: Path | None) -> list[dict[str, Any]]:
    """Deletes the folders that `removable` found; raises ZooError where a source is being prepared."""
    root = prepared_root(data_dir)
    with all_locks(root):
        for each in found:
            folder = Path(each["folder"])
            meta = folder / "meta.json"
            meta.unlink(
                missing_ok=True
            )  # goes first: what an interrupted removal leaves is not taken for a prepared set
            shutil.rmtree(folder)
    return [dict(each) for each in found]


def all_locks(root: Path) -> Any:
    """A context that holds the locks of all sources, so that nothing is prepared meanwhile."""
    from contextlib import ExitStack

    from filelock import FileLock, Timeout

    stack = ExitStack()
    for path in sorted(root.glob(".*.lock")):
        try:
            stack.enter_context(FileLock(path, blocking=False))
        except Timeout as error:
            stack.close()
            raise ZooError(
                f"{path.name.strip('.').removesuffix('.lock')} is being prepared just now. Wait for it, or stop it."
            ) from error
    return stack


def exported(
    name: str, file: Path, options: DataOptions, splits: Sequence[str], data_dir: Path | None
) -> dict[str, Any]:
    """Writes a dataset's prepared sets, of the given splits (or all) and options, into one file.

    Raises ZooError, with the sets that there are, where one is not prepared with these options.
    """
    from zoo.data.opening import request_of
    from zoo.data.prepared.transfer import export

    request = request_of(name, read_catalogue(), options)
    of_name = prepared_of(name, data_dir)
    alike = [each for each in of_name if request.matches_options(each.meta) or each.folder.name == name]
    by_split = {each.meta["split"]: each for each in reversed(alike)}  # the last prepared one where there are several
    missing = [split for split in splits if split not in by_split]
    if missing or not by_split:
        there = "\n".join(f"  {each.summary}" for each in of_name)
        raise ZooError(f"'{name}' is not prepared so{f' for {missing}' if missing else ''}. Prepared are:\n{there}")
    chosen = [by_split[split] for split in splits or by_split]
    progress = for_onlookers()
    export(chosen, file, lambda done, total: progress.counting(f"writing {file.name}", done, total))
    return {"file": str(file), "bytes": file.stat().st_size, "sets": [each.summary for each in chosen]}


def exported_images(
    name: str, place: Path, options: DataOptions, splits: Sequence[str], data_dir: Path | None, kind: str
) -> dict[str, Any]:
    """Writes a split's images (the training split's where none is named) as another tool's files, a kind of FORMATS."""
    from zoo.data.formats import write_images
    from zoo.data.opening import open_dataset

    if len(splits) > 1:
        raise ZooError(f"--format {kind} writes one split: name it once, such as --split train+test for both together.")
    progress = for_onlookers()
    try:
        chosen = replace(options, split=splits[0] if splits else BOTH[0])
        opened = open_dataset(name, read_catalogue(), data_dir=data_dir, options=chosen, progress=progress)
        counting = partial(progress.counting, f"writing {place.name}")
        write_images(opened.samples, opened.labels, opened.class_names, place, kind, counting)
    finally:
        progress.stop()
    return {"file": str(place), "bytes": bytes_of(place), "sets": [opened.summary]}


def bytes_of(place: Path) -> int:
    """Of a file, or of all files in a folder."""
    return place.stat().st_size if place.is_file() else folder_bytes(place)


def imported(file: Path, name: str | None, data_dir: Path | None) -> list[dict[str, Any]]:
    """Imports the sets of an exported file; returns what each holds, and whether it was there before."""
    from zoo.data.prepared.directory import read_meta
    from zoo.data.prepared.transfer import import_sets

    progress = for_onlookers()
    folders = import_sets(
        file, name, data_dir, lambda done, total: progress.counting(f"reading {file.name}", done, total)
    )
    found = []
    for folder, new in folders:
        prepared = Prepared(folder, read_meta(folder))
        sample_shape = list(prepared.meta["shape"][1:])
        note = "" if new else " (was here already)"
        others = {name: Field.from_record(each) for name, each in prepared.meta.get("fields", {}).items()}
        kind = kind_of_data({"samples": samples_field(tuple(sample_shape)), **others})
        found.append(
            {**row(prepared), "shape": prepared.shape, "sample_shape": sample_shape, "kind": kind, "note": note}
        )
    return found
