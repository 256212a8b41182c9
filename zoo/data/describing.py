"""`zoo data info`: a prepared dataset's counts, classes and moments, and a contact sheet of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.fields import Field, kind_of_data, samples_field
from zoo.data.managing import described, prepared_of
from zoo.data.prepared.directory import Prepared
from zoo.errors import ZooError

if TYPE_CHECKING:
    import numpy as np

    from zoo.data import Dataset

SHEET_ROWS, SHEET_COLUMNS = 8, 8  # images down and across a contact sheet
MOST_CLASSES = 16  # with more classes than that, a contact sheet has no row for each class
MEASURED = 10_000  # samples that mean and deviation are computed over, at most
SHEET_ENDINGS = (".png", ".webp")


def info(name: str, data_dir: Path | None, out: Path | None) -> list[dict[str, Any]]:
    """A JSON-ready dictionary for each prepared set of a dataset; a contact sheet of each is written to disk."""
    from zoo.data.prepared import cache

    if out is not None and out.suffix not in SHEET_ENDINGS:
        raise ZooError(f"A contact sheet can't be written as '{out.name}'. Available: {', '.join(SHEET_ENDINGS)}.")
    if (unprepared := looked_at(name, data_dir)) is not None:
        return [unprepared]
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


def looked_at(name: str, data_dir: Path | None) -> dict[str, Any] | None:
    """What lies at a path and how it would be read, nothing of which is prepared yet; None for everything else.

    Raises ZooError where it can't be read as it is, with the option that decides.
    """
    from zoo.catalogue import read_catalogue
    from zoo.data.opening import request_of
    from zoo.data.options import DataOptions
    from zoo.data.prepared.directory import prepared_sets
    from zoo.data.prepared.finding import is_of
    from zoo.data.sources.local import local_source

    request = request_of(name, read_catalogue(), DataOptions())
    path = request.entry.path
    if path is None or not path.exists() or any(is_of(request.entry, each.meta) for each in prepared_sets(data_dir)):
        return None
    source = local_source(path, request.options)
    splits = source.splits()
    first = splits.select(next(iter(splits.counts)))
    contents = source.contents(first)
    return {
        "name": str(path),
        "prepared": False,
        "splits": dict(splits.counts),
        "sample_shape": list(contents.shape[1:]),
        "kind": kind_of_data(
            {
                "samples": samples_field(tuple(contents.shape[1:])),
                **{
                    each: Field("image", other.shape[1:], aligned=other.aligned)
                    for each, other in contents.others.items()
                },
            }
        ),
        "label": contents.resolved.get("label"),
        "class_names": list(contents.class_names),
        "reading": list(contents.read),
        "source": source.identity["source"],
    }


def sheet_paths(sets: Sequence[Prepared], out: Path | None) -> list[Path]:
    """A path for each set's contact sheet: `mnist-train.png`, numbered where two would have the same name."""
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
    from zoo.base.pictures import grid, save_picture, scatter_real

    path.parent.mkdir(parents=True, exist_ok=True)
    if not dataset.is_image:
        save_picture(scatter_real(dataset.original(dataset.samples)), path)
        return
    rows, columns = sheet_rows(dataset)
    save_picture(grid(dataset.batch(rows), columns), path)


def sheet_rows(dataset: "Dataset") -> tuple["np.ndarray", int]:
    """The indices (N,) of the samples on a contact sheet, and its number of columns."""
    import numpy as np

    if dataset.labels is None or not dataset.classes or dataset.classes > MOST_CLASSES:
        return dataset.spread(SHEET_ROWS * SHEET_COLUMNS), SHEET_COLUMNS
    of_class = [np.flatnonzero(dataset.labels == label) for label in range(dataset.classes)]
    columns = min(SHEET_COLUMNS, min((len(rows) for rows in of_class if len(rows)), default=1))
    return np.concatenate([rows[:columns] for rows in of_class]), columns


def class_counts(dataset: "Dataset") -> dict[str, int] | None:
    """The number of samples by class name (or number); None for an unlabelled dataset."""
    if dataset.labels is None or not dataset.classes:
        return None
    import numpy as np

    counts = np.bincount(dataset.labels, minlength=dataset.classes)
    names = dataset.class_names or tuple(str(label) for label in range(dataset.classes))
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


def moments(dataset: "Dataset") -> dict[str, list[float]]:
    """Mean and deviation of each channel or coordinate, in original units, over at most 10,000 samples."""
    import numpy as np

    stored = dataset.batch(dataset.spread(MEASURED)).reshape(-1, dataset.sample_shape[-1])
    values = dataset.original(stored.astype(np.float64))
    return {
        "mean": [round(float(each), 4) for each in values.mean(axis=0)],
        "deviation": [round(float(each), 4) for each in values.std(axis=0)],
    }
