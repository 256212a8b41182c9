"""A small fixed classifier, trained anew on whatever labelled images there are, to measure what they teach."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zoo.base.progress import Progress, Silent
from zoo.data.images import resized

LARGEST = 32  # pixels: larger images are reduced, so that all are classified at one cost
CENTRE = 127.5
AT_ONCE = 512  # images that are classified

Batch = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Teaching:
    """How the classifier learns: a protocol's settings."""

    steps: int = 1000
    batch: int = 128  # images
    rate: float = 2e-3  # Adam's, which falls to 0 along a cosine
    width: int = 16  # channels of the first map
    shift: int = 2  # pixels, in either direction, at most
    flip: bool = False  # left and right

    @property
    def settings(self) -> dict[str, Any]:
        """Of a protocol."""
        return {**asdict(self), "largest": LARGEST, "network": "3 x (conv 3, batch norm, ReLU, pool), mean, dense"}


TEACHING = Teaching()


@dataclass(frozen=True)
class Classifier:
    """A trained network."""

    model: Any

    def predictions(self, images: np.ndarray) -> np.ndarray:
        """The classes (N,) of uint8 images (N, H, W, C)."""
        from keras import ops

        found = []
        for start in range(0, len(images), AT_ONCE):
            logits = self.model(prepared(images[start : start + AT_ONCE]), training=False)
            found.append(np.argmax(ops.convert_to_numpy(logits), axis=1))
        return np.concatenate(found)

    def hits(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Whether each image is taken for what it is, bool (N,)."""
        return self.predictions(images) == np.asarray(labels)


def taught(
    images: np.ndarray,
    labels: np.ndarray,
    classes: int,
    seed: int,
    teaching: Teaching = TEACHING,
    batches: Batch | None = None,
    progress: Progress | None = None,
) -> Classifier:
    """The classifier after learning from uint8 images (N, H, W, C) with labels (N,); all draws are the seed's.

    `batches(draw, count)` replaces drawing batches of equal chances.
    """
    import keras

    from zoo.training.randomness import seeded

    draw = np.random.Generator(np.random.Philox(seed))
    shown = progress or Silent()
    with seeded(seed):
        model = network(prepared(images[:1]).shape[1:], classes, teaching)
        rate = keras.optimizers.schedules.CosineDecay(teaching.rate, teaching.steps)
        model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for step in range(teaching.steps):
        if batches is None:
            rows = draw.integers(0, len(images), teaching.batch)
            chosen, wanted = images[np.sort(rows)], labels[np.sort(rows)]
        else:
            chosen, wanted = batches(draw, teaching.batch)
        model.train_on_batch(changed(prepared(chosen), teaching, draw), np.asarray(wanted))
        shown.counting("classifier", step + 1, teaching.steps)
    return Classifier(model)


def network(shape: tuple[int, ...], classes: int, teaching: Teaching) -> Any:
    """The untrained classifier, from images in [-1, 1] to logits."""
    from keras import Model, layers

    images = maps = layers.Input(shape)
    for level in range(3):
        maps = layers.Conv2D(teaching.width * 2**level, 3, padding="same", use_bias=False)(maps)
        maps = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maps))
        maps = layers.MaxPooling2D(padding="same")(maps)
    return Model(images, layers.Dense(classes)(layers.GlobalAveragePooling2D()(maps)))


def prepared(images: np.ndarray) -> np.ndarray:
    """float32 in [-1, 1] of uint8 images (N, H, W, C), larger ones reduced."""
    if max(images.shape[1:3]) > LARGEST:
        images = np.stack([resized(np.asarray(each), LARGEST) for each in images])
    return np.asarray(images, "float32") / CENTRE - 1


def changed(images: np.ndarray, teaching: Teaching, draw: np.random.Generator) -> np.ndarray:
    """Images (N, H, W, C) shifted, their border repeated, and perhaps turned over."""
    reach = teaching.shift
    if reach:
        wide = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
        tops, lefts = draw.integers(0, 2 * reach + 1, (2, len(images)))
        height, width = images.shape[1:3]
        rows, columns = tops[:, None] + np.arange(height), lefts[:, None] + np.arange(width)
        images = wide[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]
    if teaching.flip:
        images = np.where(draw.random(len(images))[:, None, None, None] < 0.5, images[:, :, ::-1], images)
    return images
