"""What the commands of `zoo data` do, and what they found as plain data."""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalogue import Catalogue, read_catalogue
from zoo.data.options import DataOptions
from zoo.data.prepared.directory import (
    Prepared,
    data_directory,
    folder_bytes,
    interrupted_folders,
    prepared_root,
    prepared_sets,
    unreadable_folders,
)
from zoo.data.prepared.finding import Wanted
from zoo.errors import ZooError, unknown
from zoo.progress import for_stderr

if TYPE_CHECKING:
    import numpy as np

    from zoo.data import Dataset

BOTH = ("train", "test")
NO_OPTIONS = DataOptions()
SHEET_ROWS, SHEET_COLUMNS = 8, 8  # of a contact sheet
MOST_CLASSES = 16  # that have a row of their own in it
MEASURED = 10_000  # samples for the mean and deviation
SHEET_ENDINGS = (".png", ".webp")


def listing(catalogue: Catalogue, data_dir: Path | None) -> dict[str, Any]:
    """Every known and every prepared dataset; nothing heavy is imported for it."""
    sets = prepared_sets(data_dir)
    known = []
    placed = set()
    for entry in catalogue.datasets.values():
        mine = [row(each) for each in sets if Wanted(entry, NO_OPTIONS).is_of(each.meta)]
        placed |= {each["folder"] for each in mine}
        origin = f"{entry.kind} {entry.reference}"
        known.append({"name": entry.name, "origin": origin, "summary": entry.summary, "prepared": mine})
    return {
        "data_directory": str(data_directory(data_dir)),
        "known": known,
        "others": [row(each) for each in sets if str(each.folder) not in placed],
        "unreadable": [loose(folder) for folder in unreadable_folders(data_dir)],
        "interrupted": [loose(folder) for folder in interrupted_folders(data_dir)],
    }


def row(each: Prepared) -> dict[str, Any]:
    """One prepared set."""
    return {
        "name": each.meta["name"],
        "split": each.meta["split"],
        "shape": list(each.meta["shape"]),
        "summary": each.summary,
        "options": each.meta["options"],
        "bytes": each.bytes,
        "folder": str(each.folder),
    }


def loose(folder: Path) -> dict[str, Any]:
    """A folder that is no prepared set."""
    return {"folder": str(folder), "bytes": folder_bytes(folder)}


def prepare(
    name: str,
    options: DataOptions,
    *,
    splits: Sequence[str] = (),
    files: Path | None = None,
    unreadable: float = 0.01,
    data_dir: Path | None = None,
) -> list[dict[str, Any]]:
    """Prepares the splits of a dataset (`train` and `test` where none is named) and says what they hold."""
    from dataclasses import replace

    from zoo.data.opening import Supply, open_dataset

    told = for_stderr()
    catalogue = read_catalogue()
    if files is not None and not files.expanduser().exists():
        raise ZooError(f"There is no {files}, from which '{name}' was to be prepared.")
    supply = Supply(files.expanduser().resolve() if files else None, unreadable)
    try:
        opened = [
            open_dataset(
                name,
                catalogue,
                data_dir=data_dir,
                options=replace(options, split=split),
                told=told,
                supply=supply,
            )
            for split in splits or BOTH
        ]
    finally:
        told.stop()
    return [described(each) for each in opened]


def described(dataset: "Dataset") -> dict[str, Any]:
    """What a prepared split holds."""
    return {
        "name": dataset.name,
        "split": dataset.split,
        "count": dataset.count,
        "sample_shape": list(dataset.sample_shape),
        "classes": dataset.classes,
        "fingerprint": dataset.fingerprint,
        "folder": str(Path(str(dataset.samples.filename)).parent),  # type: ignore[attr-defined]  # a memory map's
        "summary": dataset.summary,
        "description": dict(dataset.description),
    }


def prepared_of(name: str, data_dir: Path | None) -> list[Prepared]:
    """Every prepared set of a name or path; raises ZooError where there is none, with how to prepare it."""
    from zoo.data.opening import entry_of

    wanted = Wanted(entry_of(name, read_catalogue()), NO_OPTIONS)
    sets = prepared_sets(data_dir)
    found = [each for each in sets if wanted.is_of(each.meta) or each.folder.name == name]
    if not found:
        known = sorted({each.meta["name"] for each in sets})
        raise ZooError(
            f"{unknown('prepared dataset', name, known)} To prepare it: zoo data prepare {name} "
            f"(looked in {prepared_root(data_dir)})"
        )
    return found


def info(name: str, data_dir: Path | None, out: Path | None) -> list[dict[str, Any]]:
    """Counts, classes, moments and origin of every prepared set of a name, each with a contact sheet."""
    from zoo.data.prepared import cache

    if out is not None and out.suffix not in SHEET_ENDINGS:
        raise ZooError(f"A contact sheet can't be written as '{out.name}'. Available: {', '.join(SHEET_ENDINGS)}.")
    sets = prepared_of(name, data_dir)
    sheets = sheet_paths(sets, out)
    found = []
    for each, path in zip(sets, sheets, strict=True):
        dataset = cache.read(each.folder, each.meta["name"])
        draw_sheet(dataset, path)
        found.append(
            {
                **described(dataset),
                "bytes": each.bytes,
                "options": each.meta["options"],
                "skipped": each.meta["skipped"],
                "imported": each.meta["imported"],
                "class_counts": class_counts(dataset),
                **moments(dataset),
                "contact_sheet": str(path),
            }
        )
    return found


def sheet_paths(sets: Sequence[Prepared], out: Path | None) -> list[Path]:
    """A file for each set's contact sheet: `mnist-train.png`, a number behind where two would have the same name."""
    if out is not None and len(sets) == 1:
        return [out]
    paths: list[Path] = []
    for each in sets:
        split = "".join(letter if letter.isalnum() else "_" for letter in each.meta["split"])
        base = out or Path(f"{Path(each.meta['name']).name.replace('/', '-').replace(':', '-')}.png")
        number, path = 2, base.with_name(f"{base.stem}-{split}{base.suffix}")
        while path in paths:
            path = base.with_name(f"{base.stem}-{split}-{number}{base.suffix}")
            number += 1
        paths.append(path)
    return paths


def draw_sheet(dataset: "Dataset", path: Path) -> None:
    """Writes a grid of images, a row for each class where there are few, or a scatter plot of points."""
    from zoo.pictures import grid, save_picture, scatter_real

    path.parent.mkdir(parents=True, exist_ok=True)
    if len(dataset.sample_shape) == 1:
        save_picture(scatter_real(dataset.samples * dataset.scale), path)
        return
    rows, columns = sheet_rows(dataset)
    save_picture(grid(dataset.batch(rows), columns), path)


def sheet_rows(dataset: "Dataset") -> tuple["np.ndarray", int]:
    """The samples that a contact sheet shows, and in how many columns."""
    import numpy as np

    if dataset.labels is None or not dataset.classes or dataset.classes > MOST_CLASSES:
        count = min(SHEET_ROWS * SHEET_COLUMNS, dataset.count)
        return np.linspace(0, dataset.count - 1, count).astype(int), SHEET_COLUMNS
    of_class = [np.flatnonzero(dataset.labels == label) for label in range(dataset.classes)]
    columns = min(SHEET_COLUMNS, min((len(rows) for rows in of_class if len(rows)), default=1))
    return np.concatenate([rows[:columns] for rows in of_class]), columns


def class_counts(dataset: "Dataset") -> dict[str, int] | None:
    """How many samples each class has, by its name or number."""
    if dataset.labels is None or not dataset.classes:
        return None
    import numpy as np

    counts = np.bincount(dataset.labels, minlength=dataset.classes)
    names = dataset.class_names or tuple(str(label) for label in range(dataset.classes))
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


def moments(dataset: "Dataset") -> dict[str, list[float]]:
    """Mean and deviation of each channel or coordinate, in original units, over at most 10,000 samples."""
    import numpy as np

    rows = np.linspace(0, dataset.count - 1, min(MEASURED, dataset.count)).astype(int)
    values = dataset.batch(rows).reshape(-1, dataset.sample_shape[-1]).astype(np.float64) * dataset.scale
    return {
        "mean": [round(float(each), 4) for each in values.mean(axis=0)],
        "deviation": [round(float(each), 4) for each in values.std(axis=0)],
    }


def verify(names: Sequence[str], data_dir: Path | None) -> list[dict[str, Any]]:
    """Hashes the prepared sets; `problem` is None where a set is as it was recorded."""
    from zoo.data.prepared.transfer import verified

    told = for_stderr()
    sets = [each for name in names for each in prepared_of(name, data_dir)] if names else prepared_sets(data_dir)
    found = []
    for each in sets:
        problem = verified(each, partial(told.counting, each.folder.name))
        found.append({**row(each), "problem": problem})
    if not names:
        broken = "damaged, or of another version: zoo data remove --interrupted"
        found += [{**loose(each), "name": each.name, "problem": broken} for each in unreadable_folders(data_dir)]
    return found


def removable(names: Sequence[str], data_dir: Path | None, tfds: bool, interrupted: bool) -> list[dict[str, Any]]:
    """The folders that would go."""
    sets = [each for name in names for each in prepared_of(name, data_dir)]
    found = [loose(each.folder) for each in sets]
    if tfds:
        references = {each.meta["reference"] for each in sets if each.meta["kind"] == "tfds"}
        records = [data_directory(data_dir) / each for each in sorted(references)]
        found += [loose(each) for each in records if each.is_dir()]
    if interrupted:
        left = [*interrupted_folders(data_dir), *unreadable_folders(data_dir)]
        found += [loose(each) for each in left]
    return found


def remove(found: Sequence[Mapping[str, Any]], data_dir: Path | None) -> list[dict[str, Any]]:
    """Removes the folders; raises ZooError where one is being written."""
    root = prepared_root(data_dir)
    with all_locks(root):
        for each in found:
            folder = Path(each["folder"])
            meta = folder / "meta.json"
            meta.unlink(missing_ok=True)  # first: what is left of a removal that was cut off does not look prepared
            shutil.rmtree(folder)
    return [dict(each) for each in found]


def all_locks(root: Path) -> Any:
    """Holds the locks of all sources, so that nothing is prepared meanwhile."""
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
    """Writes the prepared sets of a name that look as asked into one file."""
    from zoo.data.opening import wanted_of
    from zoo.data.prepared.transfer import export

    wanted = wanted_of(name, read_catalogue(), options)
    of_name = prepared_of(name, data_dir)
    alike = [each for each in of_name if wanted.looks_like(each.meta) or each.folder.name == name]
    by_split = {each.meta["split"]: each for each in reversed(alike)}  # of several the last prepared one
    missing = [split for split in splits if split not in by_split]
    if missing or not by_split:
        there = "\n".join(f"  {each.summary}" for each in of_name)
        raise ZooError(f"'{name}' is not prepared so{f' for {missing}' if missing else ''}. Prepared are:\n{there}")
    chosen = [by_split[split] for split in splits or by_split]
    told = for_stderr()
    export(chosen, file, lambda done, total: told.counting(f"writing {file.name}", done, total))
    return {"file": str(file), "bytes": file.stat().st_size, "sets": [each.summary for each in chosen]}


def imported(file: Path, name: str | None, data_dir: Path | None) -> list[dict[str, Any]]:
    """Brings in the sets of an exported file."""
    from zoo.data.prepared.directory import read_meta
    from zoo.data.prepared.transfer import bring_in

    told = for_stderr()
    folders = bring_in(file, name, data_dir, lambda done, total: told.counting(f"reading {file.name}", done, total))
    found = []
    for folder, new in folders:
        prepared = Prepared(folder, read_meta(folder))
        found.append({**row(prepared), "shape": prepared.shape, "note": "" if new else " (was here already)"})
    return found
