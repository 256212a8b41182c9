"""Samples of a run as files: a picture, or the arrays themselves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo import backend
from zoo.base.files import atomic_file
from zoo.base.pictures import save_picture
from zoo.data.formats import NVLABS, ZIP, write_images
from zoo.errors import ZooError
from zoo.training.run import Run

ARRAYS = (".npy", ".npz")
PICTURES = (".png", ".webp")
WALK_STEPS = 10  # columns of an interpolation
MOST_ROWS = 16  # of classes in a picture of all of them


@dataclass(frozen=True)
class Wanted:
    """Which samples are to be drawn."""

    count: int = 64
    seed: int = 0
    interpolate: bool = False
    classes: Sequence[str] = ()  # by name or number
    conditions: Mapping[str, Any] = field(default_factory=dict)  # other inputs of the generator by name
    truncation: float | None = None
    kind: str | None = None  # of zoo.data.formats, in place of the file's own


@dataclass(frozen=True)
class Drawn:
    """Samples as a user knows them, the columns of their picture, and the labels that they were made by, if any."""

    samples: np.ndarray
    columns: int | None = None
    labels: np.ndarray | None = None


@backend.fixed()
def write_samples(run: Run, wanted: Wanted, out: Path | None) -> Path:
    """Draw samples and write them as the file's ending says, below the run directory where no file is named."""
    kind = "walks" if wanted.interpolate else "samples"
    path = out or run.directory.outputs / "samples" / f"{kind}-seed-{wanted.seed}.png"
    tool = NVLABS if path.suffix == ZIP else wanted.kind
    if tool is None and path.suffix not in (*ARRAYS, *PICTURES):
        available = ", ".join((*PICTURES, *ARRAYS, ZIP))
        raise ZooError(f"Samples can't be written as '{path.name}'. Available: {available}.")
    with naming_the_way_out(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if tool:
        drawn = walks(run, wanted) if wanted.interpolate else samples(run, wanted, in_rows=False)
        with naming_the_way_out(path):
            write_images(drawn.samples, drawn.labels, run.fields["samples"].class_names, path, tool)
    elif path.suffix in PICTURES:
        drawn_picture = picture(run, wanted)
        with naming_the_way_out(path):
            save_picture(drawn_picture, path)
    else:
        drawn = walks(run, wanted) if wanted.interpolate else samples(run, wanted, in_rows=False)
        with naming_the_way_out(path):
            write_arrays(drawn, path)
    return path


@contextmanager
def naming_the_way_out(path: Path) -> Iterator[None]:
    """Raises ZooError where a file can't be written, as in a run that is read-only."""
    try:
        yield
    except OSError as error:
        raise ZooError(
            f"Can't write samples to {path}: {error.strerror or error}. Choose another file with --out FILE."
        ) from error


def write_arrays(drawn: Drawn, path: Path) -> None:
    """Samples as an .npy file, or with their labels as an .npz."""
    with atomic_file(path) as file:
        if path.suffix == ".npy":
            np.save(file, drawn.samples)
        else:
            labels = {} if drawn.labels is None else {"labels": drawn.labels}
            np.savez_compressed(file, samples=drawn.samples, **labels)  # type: ignore[arg-type]


def samples(run: Run, wanted: Wanted, in_rows: bool) -> Drawn:
    """Samples, those of a conditional generator by the wanted classes one after the other.

    Without a wanted class, a picture has a row for each of them (`in_rows`), and arrays the proportions of the data.
    """
    generating = run.sampler.generating
    conditions, columns = dict(wanted.conditions), None
    count = wanted.count
    if wanted.classes:
        numbers = run.class_numbers(wanted.classes)
        conditions["labels"] = np.arange(count, dtype="int32") * len(numbers) // count
        conditions["labels"] = np.asarray(numbers, "int32")[conditions["labels"]]
        columns = -(-count // len(numbers)) if len(numbers) > 1 else None
    elif generating.is_conditional and in_rows and not generating.reads_batch:
        rows = min(generating.classes or 1, MOST_ROWS)
        columns = -(-count // rows)
        count = rows * columns
        conditions["labels"] = run.sampler.labels_of_rows(rows, columns)
    inputs = run.sampler.latents(count, wanted.seed, conditions, wanted.truncation)
    made = run.presented(run.sampler.samples(inputs, wanted.seed))
    labels = np.asarray(inputs["labels"]) if generating.is_conditional else None
    return Drawn(made, columns, labels)


def walks(run: Run, wanted: Wanted) -> Drawn:
    """Walks between pairs of samples, a row for each."""
    rows = -(-wanted.count // WALK_STEPS)
    conditions = dict(wanted.conditions)
    if wanted.classes:
        numbers = run.class_numbers(wanted.classes)
        conditions["labels"] = np.repeat([numbers[row % len(numbers)] for row in range(rows)], WALK_STEPS)
    sampler = run.sampler
    inputs = sampler.interpolations(rows, WALK_STEPS, wanted.seed, conditions, wanted.truncation)
    return Drawn(run.presented(sampler.samples(inputs, wanted.seed)), WALK_STEPS)


def is_translation(run: Run) -> bool:
    """Whether samples are pictures that are made of data."""
    return run.sampler.generating.reads_batch and run.sampler.samples_field.is_image


def picture(run: Run, wanted: Wanted) -> Any:
    """A grid of images, what a translation made beside its sources, or points over the mixture's centres."""
    if wanted.interpolate:
        drawn = walks(run, wanted)
    elif is_translation(run) and not (wanted.classes or wanted.conditions):
        from zoo.training.sheets import translation_sheet

        return translation_sheet(run.sampler, wanted.count, wanted.seed)
    else:
        drawn = samples(run, wanted, in_rows=True)
    centres = run.record["dataset"]["description"].get("centres")
    real = np.array(centres) if centres else drawn.samples
    return run.fields["samples"].picture(drawn.samples, real, drawn.columns)
