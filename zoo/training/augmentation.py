"""Labelled training sets that a conditional run makes: so many images, or as many as a class lacks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import backend
from zoo.backend.versions import installed_versions
from zoo.base.files import atomic_file, file_hash, whole_folder, write_json
from zoo.base.names import readable
from zoo.base.progress import Progress
from zoo.catalogue import read_catalogue
from zoo.data.images import as_png
from zoo.data.tfrecords import Write, record_file
from zoo.errors import ZooError
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.training.data_of_run import DataOfRun
from zoo.training.names import LABELS
from zoo.training.run import Run

if TYPE_CHECKING:
    from zoo.data import Dataset

MANIFEST = "manifest.json"
NPZ, TFRECORD = ".npz", ".tfrecord"
FORMATS = {NPZ: "npz", TFRECORD: "TFRecord", "": "folder"}


@dataclass(frozen=True)
class Augmentation:
    """How many images of which classes are made.

    `count` in all, in the proportions of the training data; or `per_class` of each; or as many as each class of the
    training data lacks to have `balance`, 0 for as many as the largest has.
    """

    count: int | None = None
    per_class: int | None = None
    balance: int | None = None
    with_real: bool = False  # the training data is written too
    seed: int = 0
    truncation: float | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or two things."""
        if [self.count, self.per_class, self.balance].count(None) != 2:
            raise ZooError("Say how many images are to be made, in one way: --count, --per-class or --balance.")

    def labels(self, frequencies: np.ndarray, real: np.ndarray) -> np.ndarray:
        """The classes (N,) int32 to make, one class after the other.

        `frequencies` are the shares of the classes in the training data, `real` how many of each it has.
        """
        if self.count is not None:
            exact = frequencies * self.count
            counts = np.floor(exact).astype(int)
            largest_remainders = np.argsort(counts - exact, kind="stable")[: self.count - counts.sum()]
            counts[largest_remainders] += 1
        elif self.per_class is not None:
            counts = np.full(len(frequencies), self.per_class)
        else:
            counts = np.maximum((self.balance or int(real.max())) - real, 0)
        return np.repeat(np.arange(len(counts), dtype="int32"), counts)


@backend.fixed()
def augment(
    run: Run, out: Path, wanted: Augmentation, progress: Progress, data_dir: Path | None = None
) -> dict[str, Any]:
    """Write a labelled training set to `out`, a folder, an .npz or a .tfrecord; returns its manifest.

    A folder has one subfolder a class, so that `--dataset` reads it, and the manifest inside; a file has it beside it.
    Raises ZooError for a run that is not conditional, and where something lies at `out`.
    """
    sampler = run.sampler
    if not sampler.generating.is_conditional or sampler.needs_rows:
        raise ZooError(
            f"The generator of '{run.record['stack']}' makes no images of classes: a labelled training set needs a "
            "conditional run. zoo list variants says which are."
        )
    check_place(out)
    field = run.fields[LABELS]
    names = field.all_names
    training = None
    if wanted.with_real or wanted.balance is not None:
        data = DataOfRun(run.record["dataset"], run.path, read_catalogue(), data_dir, named=run.dataset)
        training = data.training()
    real = real_counts(training, len(names))
    labels = wanted.labels(np.array(field.frequencies), real)
    if not len(labels):
        raise ZooError("Every class has as many images as are wanted already: nothing is to be made. Raise --balance.")
    inputs = sampler.latents(len(labels), wanted.seed, {LABELS: labels}, wanted.truncation)
    with writing(out, names, sampler.samples_field.shape) as write:
        if wanted.with_real and training is not None and training.labels is not None:
            for image, label in zip(training.samples, training.labels, strict=True):
                write(np.asarray(image), int(label), names[label], False)
        done = 0
        for chunk in sampler.chunks(inputs, wanted.seed):
            for image in run.presented(chunk):
                write(image, int(labels[done]), names[labels[done]], True)
                done += 1
            progress.counting("generating", done, len(labels))
    manifest = described(run, out, wanted, names, labels, real if wanted.with_real else np.zeros_like(real))
    write_json(out / MANIFEST if out.is_dir() else out.with_name(f"{out.name}.{MANIFEST}"), manifest)
    return manifest


def check_place(out: Path) -> None:
    """Raises ZooError for an ending that means no format, and where something lies there."""
    if out.suffix not in FORMATS:
        raise ZooError(f"--out {out}: expected a folder, a file.npz or a file.tfrecord.")
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise ZooError(f"{out} exists: choose another place with --out, or remove it.")


def real_counts(training: "Dataset | None", classes: int) -> np.ndarray:
    """How many images of each class the training data has, (classes,)."""
    if training is None or training.labels is None:
        return np.zeros(classes, int)
    return np.bincount(training.labels, minlength=classes)


@contextmanager
def writing(out: Path, names: list[str], shape: tuple[int, ...]) -> Iterator[Write]:
    """What writes one image after the other in the format of the place's ending."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == TFRECORD:
        with record_file(out) as write:
            yield write
    elif out.suffix == NPZ:
        rows: list[tuple[np.ndarray, int, bool]] = []
        yield lambda image, label, _, generated: rows.append((image, label, generated))
        images, labels, generated = (list(column) for column in zip(*rows, strict=True))
        arrays = {"samples": np.stack(images), "labels": np.array(labels), "generated": np.array(generated)}
        with atomic_file(out) as file:
            np.savez_compressed(file, class_names=np.array(names), **arrays)  # type: ignore[arg-type]
    else:
        with whole_folder(out) as folder:
            yield folder_writer(folder, names)


def folder_writer(out: Path, names: list[str]) -> Write:
    """Writes out/03-Dress/generated-000017.png: numbers keep the order of the classes."""
    width = len(str(len(names) - 1))
    folders = [out / f"{number:0{width}}-{readable(name)}" for number, name in enumerate(names)]
    counts: dict[tuple[int, bool], int] = {}
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)

    def write(image: np.ndarray, label: int, _: str, generated: bool) -> None:
        number = counts.get((label, generated), 0)
        counts[label, generated] = number + 1
        kind = "generated" if generated else "real"
        (folders[label] / f"{kind}-{number:06}.png").write_bytes(as_png(image))

    return write


def described(
    run: Run, out: Path, wanted: Augmentation, names: list[str], labels: np.ndarray, real: np.ndarray
) -> dict[str, Any]:
    """The manifest: what made the set, and what it holds."""
    generated = np.bincount(labels, minlength=len(names))
    checkpoint = run.directory.checkpoints.paths()[-1]
    return {
        "set": out.name,
        "format": FORMATS[out.suffix],
        "sha256": file_hash(out) if out.is_file() else None,
        "run": str(run.path),
        "stack": run.record["stack"],
        "checkpoint": {"step": step_of_checkpoint(checkpoint), "sha256": file_hash(checkpoint)},
        "trained_on": {name: run.record["dataset"][name] for name in ("name", "split", "count", "fingerprint")},
        "seed": wanted.seed,
        "truncation": wanted.truncation,
        "classes": [
            {"number": number, "name": name, "generated": int(generated[number]), "real": int(real[number])}
            for number, name in enumerate(names)
        ],
        "generated": len(labels),
        "real": int(real.sum()),
        "made": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "versions": installed_versions(),
    }
