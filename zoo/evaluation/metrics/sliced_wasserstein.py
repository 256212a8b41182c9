"""Sliced Wasserstein distance, of patches for images (Karras et al. 2018, section 5), https://arxiv.org/abs/1710.10196"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from zoo.data.fields import samples_field
from zoo.evaluation.metrics.checks import check_both, check_images, check_same_shape
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import OF_PROTOCOL, generator, some
from zoo.evaluation.metrics.halves import HALVES, half_samples, spread
from zoo.evaluation.metrics.intervals import of_ten
from zoo.evaluation.metrics.pyramids import SMALLEST_SIDE, level_patches, sides
from zoo.hookspecs import hookimpl

IMAGES = 2048  # of either side; the paper has 16,384, and takes eight times as long
PATCHES = 128  # of each image and level
DIRECTIONS = 512  # for patches, the paper's 4 x 128
POINT_DIRECTIONS = 1000
HALF_DIRECTIONS = 32  # for the spread over half-samples of patches
SCALE = 1000  # of images: papers print the distance x 10^3
VALUES_AT_ONCE = 2**23  # 32 MiB of float32 projections
SMALLEST = 10


def directions(count: int, width: int, draw: np.random.Generator) -> np.ndarray:
    """float64 (count, width): unit vectors, uniform on the sphere."""
    drawn = draw.standard_normal((count, width))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def wasserstein_1d(one: np.ndarray, other: np.ndarray) -> float:
    """The mean Wasserstein-1 distance over rows of ascending (K, N) and (K, M), exact for N unlike M.

    It is the mean distance of quantiles, which are constant between the multiples of 1 / N and of 1 / M.
    """
    if one.shape[1] == other.shape[1]:
        return float(np.mean(np.abs(one - other), dtype="float64"))
    indices, other_indices, widths = shared_quantiles(one.shape[1], other.shape[1])
    apart = np.abs(one[:, indices] - other[:, other_indices])
    return float(np.mean(apart @ widths.astype(one.dtype), dtype="float64"))


@lru_cache(maxsize=1)  # all directions share it
def shared_quantiles(count: int, others: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of N and which of M ascending values are the quantiles between common ends, and how wide each part is."""
    ends = np.concatenate([np.arange(1, count + 1) * others, np.arange(1, others + 1) * count])  # in 1 / (N M)
    ends.sort()
    widths = np.diff(ends, prepend=0)
    kept = widths > 0
    return (ends[kept] - 1) // others, (ends[kept] - 1) // count, widths[kept] / (count * others)


def sliced(
    real: np.ndarray,
    fake: np.ndarray,
    along: np.ndarray,
    halves: Sequence[np.ndarray] = (),
    halved: int | None = None,
) -> tuple[float, np.ndarray]:
    """The mean Wasserstein-1 distance of (N, D) and (M, D) along unit vectors (K, D), and of each half of the latter.

    Halves are indices of generated rows, and measured along the first `halved` directions, all unless said.
    """
    step = max(1, VALUES_AT_ONCE // max(len(real), len(fake)))
    halved = len(along) if halved is None else min(halved, len(along))
    total, by_halves = 0.0, np.zeros(len(halves))
    for start in range(0, len(along), step):
        chosen = along[start : start + step].astype(real.dtype)
        # Rows of numbers, because sorting is several times faster along what lies together in memory.
        ordered, drawn = np.sort(chosen @ real.T, axis=1), chosen @ fake.T
        share = max(0, min(halved - start, len(chosen)))
        for index, half in enumerate(halves if share else ()):
            by_halves[index] += share * wasserstein_1d(ordered[:share], np.sort(drawn[:share, half], axis=1))
        drawn.sort(axis=1)
        total += len(chosen) * wasserstein_1d(ordered, drawn)
    return total / len(along), by_halves / max(1, halved)


def of_points(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> list[Score]:
    """`swd` of points (N, D) and (M, D): Wasserstein-1 in original units, the mean over 1,000 directions."""
    check_both(real, fake, "points")
    along = directions(POINT_DIRECTIONS, real.shape[1], generator(OF_PROTOCOL, "swd directions"))
    value, by_halves = sliced(real.astype("float64"), fake.astype("float64"), along, half_samples(len(fake), seed))
    return [of_ten("swd", value, float(spread(by_halves)), "lower", lowest=0.0)]


def of_images(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> list[Score]:
    """`swd_28` and so on of each level of uint8 images (N, H, W, C), and `swd`, their mean; all x 1,000.

    2,048 images of either side at most; patches of each side are normalised by its own mean and deviation.
    """
    check_images(real, "real images", side=SMALLEST_SIDE)
    check_images(fake, "generated images", side=SMALLEST_SIDE)
    check_same_shape(real, fake)
    real = real[some(OF_PROTOCOL, "swd images", len(real), IMAGES)]
    fake = fake[some(seed, "swd images", len(fake), IMAGES)]
    names = [f"swd_{side}" for side in sides(*fake.shape[1:3])]
    measured = [of_level(real, fake, level, seed) for level in range(len(names))]
    values = np.array([value for value, _ in measured])
    by_halves = np.stack([halves for _, halves in measured])
    levels = zip(names, values, spread(by_halves.T), strict=True)
    scores = [of_ten(name, float(value), float(deviation), "lower", 0.0) for name, value, deviation in levels]
    return [of_ten("swd", float(values.mean()), float(spread(by_halves.mean(axis=0))), "lower", 0.0), *scores]


def of_level(real: np.ndarray, fake: np.ndarray, level: int, seed: int) -> tuple[float, np.ndarray]:
    """The distance of patches of one level, x 1,000, and of each half of the generated images.

    Directions and real patches are always the same: drawn anew they would add their own spread to every comparison.
    """
    real_patches = level_patches(real, level, PATCHES, generator(OF_PROTOCOL, f"swd real patches {level}"))
    fake_patches = level_patches(fake, level, PATCHES, generator(seed, f"swd generated patches {level}"))
    halves = [
        (half[:, None] * PATCHES + np.arange(PATCHES)).ravel()
        for half in half_samples(len(fake), seed)  # whole images: patches of one are not independent
    ]
    along = directions(DIRECTIONS, fake_patches.shape[1], generator(OF_PROTOCOL, f"swd directions {level}"))
    value, by_halves = sliced(real_patches, fake_patches, along, halves, HALF_DIRECTIONS)
    return SCALE * value, SCALE * by_halves


def measure(compared: Compared) -> Sequence[Score]:
    """Of points along coordinates, of images along patches."""
    real, fake = compared.real.samples, compared.fake.samples
    measured = of_images if samples_field(fake.shape[1:]).is_image else of_points
    return measured(real, fake, compared.seed)


METRIC = Metric(
    needs=frozenset(),
    smallest=SMALLEST,
    settings={"images": IMAGES, "patches": PATCHES, "directions": DIRECTIONS, "point_directions": POINT_DIRECTIONS}
    | {"order": 1, "halves": HALVES},
    measure=measure,
    in_features=False,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
