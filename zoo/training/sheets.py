"""Pictures of a generator's samples: grids with a row for each class, pairs of a translation, points over real ones."""

from typing import Any

import numpy as np
from keras import ops

from zoo.base.pictures import as_rgb, stretched
from zoo.data import Dataset
from zoo.data.fields import ATTRIBUTES
from zoo.training.names import LABELS, SAMPLES, TARGETS
from zoo.training.sampler import Sampler

IMAGES = 64
POINTS = 2000
COLUMNS = 8
MOST_ROWS = 10  # of classes; where there are more, the grid has eight of them
TRANSLATIONS = 20  # pictures that a translation shows with what they were made of
TRANSLATION_COLUMNS = 4


def sample_sheet(sampler: Sampler, data: Dataset, seed: int) -> Any:
    """Samples as a picture, a function of the seed."""
    field = sampler.samples_field
    if not field.is_image:
        count = min(POINTS, data.count)
        samples = sampler.samples(sampler.latents(count, seed), seed)
        return field.picture(field.presented(samples), real=data.original(data.batch(np.arange(count))))
    if sampler.generating.reads_batch and sampler.generating.is_conditional:
        return changes_sheet(sampler, COLUMNS, seed)
    if sampler.generating.reads_batch and TARGETS in sampler.generating.given and ATTRIBUTES in data.fields:
        return attributes_sheet(sampler, COLUMNS, seed)
    if sampler.generating.reads_batch:
        return translation_sheet(sampler, TRANSLATIONS, seed)
    if sampler.generating.is_conditional:
        classes = sampler.generating.classes or 1
        rows = classes if 1 < classes <= MOST_ROWS else COLUMNS
        labels = sampler.labels_of_rows(rows, COLUMNS)
        samples = sampler.samples(sampler.latents(len(labels), seed, {LABELS: labels}), seed)
        return field.picture(field.presented(samples), COLUMNS)
    samples = sampler.samples(sampler.latents(IMAGES, seed), seed)
    return field.picture(field.presented(samples))


def changes_sheet(sampler: Sampler, count: int, seed: int) -> Any:
    """A row for each of `count` images: the image itself, then what it is changed to, class by class."""
    classes = min(sampler.generating.classes or 1, MOST_ROWS)
    rows = np.repeat(np.arange(count), classes)
    labels = np.tile(np.arange(classes, dtype="int32"), count)
    field = sampler.samples_field
    made = field.presented(sampler.samples(sampler.latents(len(rows), seed, {LABELS: labels}, rows=rows), seed))
    own = field.presented(ops.convert_to_numpy(sampler.batch(np.arange(count), seed)[SAMPLES]))
    images = np.concatenate([own[:, None], made.reshape(count, classes, *made.shape[1:])], axis=1)
    return field.picture(images.reshape(-1, *made.shape[1:]), classes + 1)


def attributes_sheet(sampler: Sampler, count: int, seed: int) -> Any:
    """A row for each of `count` images: the image itself, then changed in one attribute after the other."""
    batch = sampler.batch(np.arange(count), seed)
    attributes = ops.convert_to_numpy(batch[ATTRIBUTES])
    columns = min(attributes.shape[1], MOST_ROWS)
    changed = np.repeat(attributes[:, None], columns, axis=1)
    changed[:, range(columns), range(columns)] = 1 - changed[:, range(columns), range(columns)]
    rows = np.repeat(np.arange(count), columns)
    field = sampler.samples_field
    targets = {TARGETS: changed.reshape(-1, attributes.shape[1])}
    made = field.presented(sampler.samples(sampler.latents(len(rows), seed, targets, rows=rows), seed))
    own = field.presented(ops.convert_to_numpy(batch[SAMPLES]))
    images = np.concatenate([own[:, None], made.reshape(count, columns, *made.shape[1:])], axis=1)
    return field.picture(images.reshape(-1, *made.shape[1:]), columns + 1)


def translation_sheet(sampler: Sampler, count: int, seed: int, rows: np.ndarray | None = None) -> Any:
    """What was made beside what it was made of, and, where rows belong together, beside the real sample."""
    numbers = np.arange(count) if rows is None else rows
    batch = sampler.batch(numbers, seed)
    fields = sampler.generating.fields
    given = [name for name in sampler.generating.given if name in fields and fields[name].is_image]
    end = sampler.output
    shown = [name for name in given if name != end]  # CycleGAN is given both: one for the other direction
    made = fields[end].presented(sampler.samples(sampler.latents(count, seed, rows=numbers), seed))
    columns = [fields[name].presented(ops.convert_to_numpy(batch[name])) for name in shown] + [made]
    if all(fields[name].aligned for name in (*shown, end)):
        columns.append(fields[end].presented(ops.convert_to_numpy(batch[end])))
    images = np.stack([stretched(as_rgb(each), made.shape[1:3]) for each in columns], axis=1)
    return fields[end].picture(images.reshape(-1, *images.shape[2:]), len(columns) * TRANSLATION_COLUMNS)
