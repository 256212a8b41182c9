"""What is scored: real samples of a dataset, and generated ones of a run or from files, as arrays on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.progress import Progress
from zoo.data.fields import samples_field
from zoo.errors import ZooError
from zoo.evaluation.arrays import new_array
from zoo.evaluation.options import EvaluationOptions
from zoo.evaluation.protocol import AVERAGED, FILES, RAW
from zoo.training.names import LABELS

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.training.sampler import Rows, Sampler

SELECTION_SEED = 20170626  # of which samples are compared where there are more: the day of the paper on the FID
CHUNK = 256  # samples generated, copied or hashed at once
DESCRIBED = ("source", "rows", "division", "crop", "resize")


@dataclass(frozen=True)
class Images:
    """Samples (N, ...): uint8 images, or float32 points in original units, with what a protocol says of them."""

    samples: np.ndarray
    description: Mapping[str, Any]
    labels: np.ndarray | None = None  # int64 (N,), of real samples, or those that were asked for

    @property
    def are_points(self) -> bool:
        """Whether the samples are points."""
        return not samples_field(self.samples.shape[1:]).is_image


def real_images(dataset: "Dataset", count: int | None, folder: Path) -> Images:
    """`count` samples of a dataset, all where it has no more; the same ones in every call."""
    samples = selected(dataset, count, folder / "real.npy")
    description = {
        "dataset": dataset.name,
        "split": dataset.split,
        **{name: dataset.description[name] for name in DESCRIBED if name in dataset.description},
        "fingerprint": dataset.fingerprint,
        "count": len(samples),
        "sample_shape": list(dataset.sample_shape),
    }
    rows = rows_of(dataset, count)
    labels = dataset.labels if rows is None or dataset.labels is None else np.asarray(dataset.labels[rows])
    return Images(samples, description, labels)


def file_images(dataset: "Dataset", count: int | None, folder: Path) -> Images:
    """Generated samples that came from files: of what generator, and how drawn, is not known."""
    samples = selected(dataset, count, folder / "generated.npy")
    return Images(samples, {"count": len(samples), "weights": FILES, "averaged": None, "batch_norm": None})


def selected(dataset: "Dataset", count: int | None, path: Path) -> np.ndarray:
    """Seeded, distinct rows of a dataset in their order, mapped from disk as the dataset itself is."""
    samples, rows = dataset.samples, rows_of(dataset, count)
    if rows is not None:
        samples = new_array(path, samples.dtype, (len(rows), *dataset.sample_shape))
        for start in range(0, len(rows), CHUNK):
            samples[start : start + CHUNK] = dataset.samples[rows[start : start + CHUNK]]
    return dataset.original(samples)


def rows_of(dataset: "Dataset", count: int | None) -> np.ndarray | None:
    """The seeded, distinct rows that are compared, in their order; None where these are all."""
    if count is None or count >= dataset.count:
        return None
    draw = np.random.Generator(np.random.Philox(SELECTION_SEED))
    return np.sort(draw.choice(dataset.count, count, replace=False))


def generated_images(
    sampler: "Sampler", rows: "Rows | None", options: EvaluationOptions, folder: Path, progress: Progress
) -> Images:
    """Samples of a generator in inference mode, a function of the seed, as they are drawn for any picture.

    `rows` are the real side's data, which a translation starts from. A conditional generator is given labels in the
    proportions of its training data.
    """
    count, field = options.samples, sampler.samples_field
    sampler = replace(sampler, rows=rows or sampler.rows, average=() if options.raw else sampler.average)
    dtype = np.uint8 if field.is_image else np.float32
    samples = new_array(folder / "generated.npy", dtype, (count, *field.shape))
    conditions = sampler.labels_in_proportion(count, options.seed)
    done = 0
    inputs = sampler.latents(count, options.seed, conditions)
    for made in sampler.chunks(inputs, options.seed):
        check_finite(made, done)
        samples[done : done + len(made)] = field.presented(made)
        done += len(made)
        progress.counting("generating", done, count)
    weights = {"weights": RAW if options.raw else AVERAGED, "averaged": bool(sampler.average)}
    labels = {"labels": "in proportion"} if conditions else {}
    labels_given = np.asarray(inputs[LABELS], "int64") if sampler.generating.is_conditional else None
    return Images(samples, {"count": count, **weights, "batch_norm": "inference", **labels}, labels_given)


def check_finite(samples: np.ndarray, first: int) -> None:
    """Raises ZooError where a generator made something that is no number."""
    broken = ~np.isfinite(samples.reshape(len(samples), -1)).all(axis=1)
    if broken.any():
        raise ZooError(
            f"Generated sample {first + int(np.argmax(broken))} holds a value that is not finite: the generator has "
            "diverged. Evaluate earlier checkpoints: --checkpoint all scores those that are kept, the earliest first."
        )


def check_usable(real: Images, generated: Images) -> None:
    """Raises ZooError where the samples can't be compared: other shapes, or all generated ones equal."""
    if real.samples.shape[1:] != generated.samples.shape[1:]:
        height, _, *channels = *real.samples.shape[1:], 0
        raise ZooError(
            f"Expected generated samples of shape {real.samples.shape[1:]}, as the real ones have; received "
            f"{generated.samples.shape[1:]}. Read both alike, such as --image-size {height} --channels {channels[0]}."
        )
    for whose, images in (("real", real), ("generated", generated)):
        first = images.samples[0]
        if all(np.array_equal(first, each) for each in images.samples):
            raise ZooError(
                f"All {len(images.samples):,} {whose} samples are the same one: there is no distribution to compare"
                + (", the generator has collapsed." if whose == "generated" else ".")
            )


def share_seen(real: np.ndarray, training: np.ndarray) -> float:
    """The share of real samples that are, value for value, among the training samples."""
    seen = {digest(each) for each in in_chunks(training)}
    return float(np.mean([digest(each) in seen for each in in_chunks(real)]))


def digest(sample: np.ndarray) -> bytes:
    """A hash of a sample's values."""
    return blake2b(np.ascontiguousarray(sample).tobytes(), digest_size=16).digest()


def in_chunks(samples: np.ndarray) -> Any:
    """Every sample, read from disk in parts."""
    for start in range(0, len(samples), CHUNK):
        yield from np.asarray(samples[start : start + CHUNK])
