"""Labelled training sets that a conditional run makes: so many images, or as many as a class lacks."""

import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import backend
from zoo.backend.versions import installed_versions
from zoo.base.files import atomic_file, check_writable, file_hash, whole_folder, write_json
from zoo.base.interrupts import Interrupted
from zoo.base.names import readable
from zoo.base.progress import Progress
from zoo.catalogue import read_catalogue
from zoo.data.fields import Field
from zoo.data.images import as_png
from zoo.data.tfrecords import Write, record_file
from zoo.errors import ZooError
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.training.data_of_run import TEST, DataOfRun
from zoo.training.names import LABELS
from zoo.training.run import Run

if TYPE_CHECKING:
    from zoo.data import Dataset

MANIFEST = "manifest.json"
TRAIN = "train"  # the split beside TEST
TOLD = 256  # real images between two reports of progress
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
    classes: tuple[tuple[str, int], ...] = ()
    """Names or numbers of classes, with how many images of each; none of the others."""
    with_real: bool = False  # the training data is written too
    seed: int = 0
    truncation: float | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or two things."""
        if [self.count, self.per_class, self.balance, self.classes or None].count(None) != 3:
            raise ZooError(
                "Say how many images are to be made, in one way: --count, --per-class, --balance or --class NAME=N."
            )

    def labels(self, field: Field, real: np.ndarray) -> np.ndarray:
        """The classes (N,) int32 to make, one class after the other; raises ZooError for an unknown one.

        `field` is that of the labels, `real` how many of each class the training data has.
        """
        frequencies = np.array(field.frequencies)
        if self.count is not None:
            exact = frequencies * self.count
            counts = np.floor(exact).astype(int)
            largest_remainders = np.argsort(counts - exact, kind="stable")[: self.count - counts.sum()]
            counts[largest_remainders] += 1
        elif self.classes:
            counts = np.zeros(len(frequencies), int)
            for name, count in self.classes:
                counts[field.class_number(name)] += count
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
    With the real images those of the data's test split are kept apart, in a folder `test` or arrays `test_samples` and
    `test_labels`, so that no generated image is taken for a test image. Raises ZooError for a run that is not
    conditional, and where something lies at `out`. An interruption leaves nothing behind.
    """
    sampler = run.sampler
    check_augments(run)
    check_place(out)
    field = run.fields[LABELS]
    names = field.all_names
    training = test = None
    if wanted.with_real or wanted.balance is not None:
        data = DataOfRun(run.record["dataset"], run.path, read_catalogue(), data_dir, named=run.dataset)
        training = data.training()
        test = data.held_out() if wanted.with_real and out.suffix != TFRECORD else None
    real = real_counts(training, len(names))
    labels = wanted.labels(field, real)
    if not len(labels):
        raise ZooError("Every class has as many images as are wanted already: nothing is to be made. Raise --balance.")
    inputs = sampler.latents(len(labels), wanted.seed, {LABELS: labels}, wanted.truncation)
    with telling_what_is_left(out), writing(out, names, has_test=test is not None) as write:
        if wanted.with_real:
            write_real(training, write.train, names, progress)
            write_real(test, write.test, names, progress)
        done = 0
        for chunk in sampler.chunks(inputs, wanted.seed):
            for image in run.presented(chunk):
                write.train(image, int(labels[done]), names[labels[done]], True)
                done += 1
            progress.counting("generating", done, len(labels))
    counts = (real, real_counts(test, len(names))) if wanted.with_real else (np.zeros_like(real), np.zeros_like(real))
    manifest = described(run, out, wanted, names, labels, *counts)
    write_json(out / MANIFEST if out.is_dir() else out.with_name(f"{out.name}.{MANIFEST}"), manifest)
    return manifest


def check_augments(run: Run) -> None:
    """Raises ZooError, with what to do, for a run whose generator makes no images of classes out of latents."""
    sampler = run.sampler
    if sampler.generating.is_conditional and sampler.needs_rows:
        raise ZooError(
            f"The generator of '{run.record['stack']}' changes images, it makes none: change those of a folder to a "
            f"class with zoo translate {shlex.quote(str(run.path))} IMAGES --class NAME --out FOLDER."
        )
    if not sampler.generating.is_conditional or sampler.needs_rows:
        raise ZooError(
            f"The generator of '{run.record['stack']}' makes no images of classes: a labelled training set needs a "
            "conditional run. zoo list variants says which are."
        )


def write_real(data: "Dataset | None", write: Write, names: list[str], progress: Progress) -> None:
    """Write a split of the data; nothing where there is none, or it has no labels."""
    if data is None or data.labels is None:
        return
    for number, (image, label) in enumerate(zip(data.samples, data.labels, strict=True)):
        write(np.asarray(image), int(label), names[label], False)
        if not (number + 1) % TOLD or number + 1 == data.count:
            progress.counting(f"copying real images ({data.split})", number + 1, data.count)


@contextmanager
def telling_what_is_left(out: Path) -> Iterator[None]:
    """Adds to an interruption that nothing was written."""
    try:
        yield
    except KeyboardInterrupt as error:
        message = f"Interrupted: nothing is kept at {out}. The same command begins anew."
        raise Interrupted(getattr(error, "number", signal.SIGINT), message) from None


def check_place(out: Path) -> None:
    """Raises ZooError for an ending that means no format, and where something lies there."""
    if out.suffix not in FORMATS:
        raise ZooError(f"--out {out}: expected a folder, a file.npz or a file.tfrecord.")
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise ZooError(f"{out} exists: choose another place with --out, or remove it.")
    check_writable(out, "--out")


def real_counts(training: "Dataset | None", classes: int) -> np.ndarray:
    """How many images of each class the training data has, (classes,)."""
    if training is None or training.labels is None:
        return np.zeros(classes, int)
    return np.bincount(training.labels, minlength=classes)


@dataclass(frozen=True)
class Writing:
    """What writes one image after the other, to train on and to test with."""

    train: Write
    test: Write


@contextmanager
def writing(out: Path, names: list[str], has_test: bool) -> Iterator[Writing]:
    """What writes in the format of the place's ending; a folder of test images is made where there are some."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == TFRECORD:
        with record_file(out) as write:
            yield Writing(write, write)
    elif out.suffix == NPZ:
        rows, test_rows = Rows(), Rows()
        yield Writing(rows.write, test_rows.write)
        arrays = {**rows.arrays(""), **test_rows.arrays("test_")}
        arrays.pop("test_generated", None)  # none is
        with atomic_file(out) as file:
            np.savez_compressed(file, class_names=np.array(names), **arrays)  # type: ignore[arg-type]
    else:
        with whole_folder(out) as folder:
            train = folder_writer(folder / TRAIN if has_test else folder, names)
            yield Writing(train, folder_writer(folder / TEST, names) if has_test else train)


class Rows:
    """Images with their labels, and whether they were generated, until all are there."""

    def __init__(self) -> None:
        self.rows: list[tuple[np.ndarray, int, bool]] = []

    def write(self, image: np.ndarray, label: int, _: str, generated: bool) -> None:
        """Keep an image (H, W, C)."""
        self.rows.append((image, label, generated))

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """`samples`, `labels` and `generated`, (N, ...), after the prefix; nothing where there are none."""
        if not self.rows:
            return {}
        images, labels, generated = (list(column) for column in zip(*self.rows, strict=True))
        arrays = {"samples": np.stack(images), "labels": np.array(labels), "generated": np.array(generated)}
        return {f"{prefix}{name}": each for name, each in arrays.items()}


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
    run: Run,
    out: Path,
    wanted: Augmentation,
    names: list[str],
    labels: np.ndarray,
    real: np.ndarray,
    test: np.ndarray,
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
            | ({"test": int(test[number])} if test.any() else {})
            for number, name in enumerate(names)
        ],
        "generated": len(labels),
        "real": int(real.sum()),
        "test": int(test.sum()),
        "made": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "versions": installed_versions(),
    }
