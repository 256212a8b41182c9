"""Memorisation: how near generated images come to training images, beside how near new real images come.

The comparison with held-out images is that of Meehan et al. 2020, https://arxiv.org/abs/2004.05675, section 2, here by
shares and medians of Euclidean distances of pixels.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zoo.base.pictures import grid
from zoo.base.progress import Progress, Silent
from zoo.errors import ZooError
from zoo.evaluation.metrics.checks import check_images, check_same_shape, present
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import OF_PROTOCOL, some
from zoo.evaluation.metrics.halves import HALVES, half_sample_deviation
from zoo.evaluation.metrics.intervals import of_share, of_ten
from zoo.hookspecs import hookimpl

GENERATED = 1000  # images judged
HELD_OUT = 2000  # real images that say what is near
NEAR = 0.01  # share of held-out images that are as near as what counts as a copy
SMALLEST = 100
SUSPECTS = 8  # generated images in the picture
SHOWN = 5  # training images beside each
TRAINING_VALUES = 2**24  # 64 MiB of float32 training images at once
CENTRE = np.float32(127.5)  # distances keep more digits around 0
SEARCHED = "training images searched"


def nearest(
    queries: np.ndarray, training: np.ndarray, k: int = 1, progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest training images of each query, nearest first: int64 (Q, k) indices, float64 (Q, k) distances.

    Both are uint8 (N, H, W, C), training read in parts. Found in float32, whose rounding is a few millionths of a
    distance between unlike images; the distances themselves are then computed from whole numbers, so a copy has 0.
    """
    check_same_shape(queries, training)
    k, progress = min(k, len(training)), progress or Silent()
    doubled = -2 * flattened(queries)
    best, found = np.empty((len(queries), 0), "float32"), np.empty((len(queries), 0), "int64")
    for start, part in training_parts(training, len(queries)):
        squared = np.einsum("ij,ij->i", part, part) + doubled @ part.T
        near = smallest(squared, k)
        best = np.concatenate([best, np.take_along_axis(squared, near, 1)], axis=1)
        found = np.concatenate([found, near + start], axis=1)
        kept = smallest(best, k)
        best, found = np.take_along_axis(best, kept, 1), np.take_along_axis(found, kept, 1)
        progress.counting(SEARCHED, start + len(part), len(training))
    distances = np.stack([exact_distances(query, training[rows]) for query, rows in zip(queries, found, strict=True)])
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(found, order, 1), np.take_along_axis(distances, order, 1)


def smallest(values: np.ndarray, k: int) -> np.ndarray:
    """int64 (N, k): where the k smallest of each row are, in any order; all of them where there are fewer."""
    k = min(k, values.shape[1])
    return np.asarray(np.argpartition(values, k - 1, axis=1)[:, :k])


def training_parts(training: np.ndarray, queries: int) -> Iterator[tuple[int, np.ndarray]]:
    """Where each part begins, and its images as float32 (B, H * W * C) around 0; B * queries is bounded too."""
    rows = max(1, TRAINING_VALUES // max(training[0].size, queries))
    for start in range(0, len(training), rows):
        yield start, flattened(training[start : start + rows])


def flattened(images: np.ndarray) -> np.ndarray:
    """float32 (N, H * W * C) around 0."""
    return np.asarray(images.reshape(len(images), -1).astype("float32") - CENTRE)


def exact_distances(image: np.ndarray, others: np.ndarray) -> np.ndarray:
    """float64 (N,): Euclidean distances of one image to others, in steps of a pixel's value."""
    difference = others.astype("int64") - image.astype("int64")
    return np.sqrt(np.sum(np.square(difference), axis=(1, 2, 3)), dtype="float64")


def scores(generated: np.ndarray, held_out: np.ndarray, seed: int = 0) -> list[Score]:
    """`near_copies` and `nearest_ratio` of distances (M,) of generated and (N,) of new real images to training images.

    `near_copies` is the share of generated images nearer than all but 1% of new real ones are, so 0.01 of a generator
    that memorises nothing; `nearest_ratio` is the ratio of the medians, below 1 where generated images are nearer.
    """
    middle = float(np.median(held_out))
    if middle == 0:
        raise ZooError(
            "At least half of the real images are among the training images, so they can't say how near a new image "
            "comes. Compare with a split that the generator did not learn from."
        )
    share = float(np.mean(generated < np.quantile(held_out, NEAR)))
    deviation = half_sample_deviation(lambda half: np.median(generated[half]) / middle, len(generated), seed)
    ratio = float(np.median(generated)) / middle
    return [
        of_share("near_copies", share, len(generated), "lower"),
        of_ten("nearest_ratio", ratio, float(deviation), None, lowest=0.0),
    ]


def judged(compared: Compared) -> np.ndarray:
    """The generated images that are searched for."""
    images = compared.fake.samples
    check_images(images, "generated images")
    return np.asarray(images[some(compared.seed, "memorisation generated", len(images), GENERATED)])


def measure(compared: Compared) -> Sequence[Score]:
    """Distances of pixels: a copy that is shifted or recoloured is not found."""
    training, real = present(compared.training, "training images"), compared.real.samples
    check_images(training, "training images")
    check_images(real, "real images")
    new = np.asarray(real[some(OF_PROTOCOL, "memorisation real", len(real), HELD_OUT)])
    images = judged(compared)
    check_same_shape(new, images)
    distances = nearest(np.concatenate([images, new]), training, progress=compared.progress)[1][:, 0]
    return scores(distances[: len(images)], distances[len(images) :], compared.seed)


def picture(compared: Compared) -> Any:
    """The generated images that are nearest to training images, a row each, with their 5 nearest training images."""
    training, images = present(compared.training, "training images"), judged(compared)
    check_images(training, "training images")
    rows, distances = nearest(images, training, SHOWN, compared.progress)
    suspects = np.argsort(distances[:, 0], kind="stable")[:SUSPECTS]
    shown = [image for each in suspects for image in (images[each], *training[rows[each]])]
    return grid(np.stack(shown), columns=1 + rows.shape[1])


METRIC = Metric(
    needs=frozenset({"images", "training"}),
    smallest=SMALLEST,
    settings={"generated": GENERATED, "held_out": HELD_OUT, "near": NEAR, "halves": HALVES},
    measure=measure,
    in_features=False,
    picture=picture,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
