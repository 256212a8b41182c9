"""What of a translation is measured beside its samples: what they belong to, and the way back."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.evaluation.arrays import new_array
from zoo.evaluation.images import CHUNK, Images
from zoo.evaluation.metrics.contract import Cycles, Pairs
from zoo.evaluation.options import EvaluationOptions
from zoo.training.names import SAMPLES

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.data.fields import Field
    from zoo.training.players import Generating
    from zoo.training.sampler import Rows, Sampler

CYCLED = 1000  # images that are translated there and back, at most


def sources_of(given: tuple[str, ...], fields: "Mapping[str, Field]") -> list[str]:
    """The images that a generator makes samples of."""
    return [name for name in given if name != SAMPLES and name in fields and fields[name].is_image]


def pair_count(generating: "Generating", dataset: "Dataset") -> int:
    """How many rows of a dataset hold a sample that belongs to what the generator makes it of."""
    sources = sources_of(generating.given, generating.fields)
    known = dataset.fields
    paired = all(known[name].aligned for name in sources if name in known)  # what is derived of a row belongs to it
    return dataset.count if sources and paired else 0


def has_way_back(generating: "Generating") -> bool:
    """Whether the generator also returns what it translates from."""
    from zoo.networks import outputs_of

    made = outputs_of(generating.model, SAMPLES)
    return SAMPLES in generating.given and any(name in made for name in sources_of(generating.given, generating.fields))


def pairs_of(sampler: "Sampler", rows: "Rows", made: Images, count: int, seed: int, folder: Path) -> Pairs:
    """The samples that were made of the first rows, each once, with what they were made of and belong to."""
    count = min(count, len(made.samples))
    fields = sampler.generating.fields
    name, end = start_of(sampler), sampler.output
    shapes = {end: fields[end].shape, name: fields[name].shape}
    found = {each: new_array(folder / f"pairs-{each}.npy", np.uint8, (count, *shapes[each])) for each in shapes}
    there = replace(sampler, rows=rows)
    for start in range(0, count, CHUNK):
        part = np.arange(start, min(start + CHUNK, count))
        batch = there.batch(part, seed)
        for each, array in found.items():
            array[part] = fields[each].presented(np.asarray(batch[each]))
    return Pairs(found[name], made.samples[:count], found[end])


def cycles_of(sampler: "Sampler", rows: "Rows", made: Images, options: EvaluationOptions) -> Cycles:
    """What the other direction makes of the first samples, beside what these were made of.

    Of a generator that makes samples, its real ones go the other way too.
    """
    from zoo.training.translating import translate

    count = min(CYCLED, len(made.samples))
    fields = sampler.generating.fields
    name = start_of(sampler)
    there = replace(sampler, rows=rows, average=() if options.raw else sampler.average)
    batch = there.batch(np.arange(count), options.seed)
    sources, samples = (fields[each].presented(np.asarray(batch[each])) for each in (name, SAMPLES))
    back = translate(there, np.asarray(made.samples[:count]), name, seed=options.seed)
    if sampler.output != SAMPLES:
        return Cycles(sources, back)
    there_first = translate(there, samples, name, seed=options.seed)
    other_way = Cycles(samples, translate(there, there_first, SAMPLES, seed=options.seed))
    return Cycles(sources, back, other_way)


def start_of(sampler: "Sampler") -> str:
    """The field that a generator translates from in the sampler's direction."""
    if sampler.output != SAMPLES:
        return SAMPLES
    return sources_of(sampler.generating.given, sampler.generating.fields)[0]


def with_samples(dataset: "Dataset", sampler: "Sampler", seed: int, path: Path) -> "Dataset":
    """A dataset whose samples are what the sampler makes, of its rows: the real sources, for a translation back.

    Sources that tasks derive lie in the file `path` meanwhile.
    """
    name = sampler.output
    samples = dataset.others[name][1] if name in dataset.others else derived_rows(dataset, sampler, seed, path)
    digest = hashlib.sha256(name.encode())
    for start in range(0, len(samples), CHUNK):
        digest.update(np.ascontiguousarray(samples[start : start + CHUNK]).tobytes())
    return replace(
        dataset, samples=samples, labels=None, classes=None, class_names=(), scale=1.0, others={},
        fingerprint=digest.hexdigest(),
    )  # fmt: skip


def derived_rows(dataset: "Dataset", sampler: "Sampler", seed: int, path: Path) -> np.ndarray:
    """What tasks derive of each row of a dataset for the field that the sampler makes, uint8 (N, H, W, C)."""
    field, there = sampler.samples_field, replace(sampler, rows=dataset.rows)
    found = new_array(path, np.uint8, (dataset.count, *field.shape))
    for start in range(0, dataset.count, CHUNK):
        part = np.arange(start, min(start + CHUNK, dataset.count))
        found[part] = field.presented(np.asarray(there.batch(part, seed)[sampler.output]))
    return found
