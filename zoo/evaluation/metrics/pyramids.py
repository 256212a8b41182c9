"""Laplacian pyramids (Burt & Adelson 1983) and random patches of their levels, for images of any side."""

import numpy as np

PATCH = 7  # pixels
SMALLEST_SIDE = 2 * PATCH  # pixels of the coarsest level: from 28, 14; from powers of 2, 16, as in the paper
BINOMIAL = np.array([1, 4, 6, 4, 1], "float32") / 16
IMAGES_AT_ONCE = 256


def sides(height: int, width: int) -> list[int]:
    """The shorter side in pixels of each level, finest first."""
    found = [min(height, width)]
    while (found[-1] + 1) // 2 >= SMALLEST_SIDE:
        found.append((found[-1] + 1) // 2)
    return found


def blurred(images: np.ndarray) -> np.ndarray:
    """float32 (N, H, W, C) through the binomial filter, mirrored at its borders."""
    for axis in (1, 2):
        padding = [(2, 2) if each == axis else (0, 0) for each in range(4)]
        padded, size = np.pad(images, padding, "reflect"), images.shape[axis]
        taps = [weight * np.take(padded, range(i, i + size), axis) for i, weight in enumerate(BINOMIAL)]
        images = sum(taps[1:], taps[0])
    return images


def enlarged(images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Images of half the size at `shape`: every second pixel 0, blurred, times 4."""
    spread = np.zeros(shape, "float32")
    spread[:, ::2, ::2] = images
    return 4 * blurred(spread)


def pyramid(images: np.ndarray) -> list[np.ndarray]:
    """float32 (N, h, w, C) for each level: what each halving loses, and last the coarsest image itself."""
    levels, current = [], images.astype("float32")
    for _ in sides(*images.shape[1:3])[1:]:
        smaller = blurred(current)[:, ::2, ::2]
        levels.append(current - enlarged(smaller, current.shape))
        current = smaller
    return [*levels, current]


def patches(level: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """float32 (N * count, PATCH, PATCH, C): `count` patches of each image of a level at random places."""
    number, height, width, _ = level.shape
    tops = draw.integers(0, height - PATCH + 1, (number, count))
    lefts = draw.integers(0, width - PATCH + 1, (number, count))
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(1, 2))
    chosen = windows[np.arange(number)[:, None], tops, lefts]  # (N, count, C, PATCH, PATCH)
    return np.moveaxis(chosen, 2, -1).reshape(number * count, PATCH, PATCH, level.shape[-1])


def level_patches(images: np.ndarray, level: int, count: int, draw: np.random.Generator) -> np.ndarray:
    """float32 (N * count, PATCH * PATCH * C): patches of one level of uint8 images, read in parts."""
    size = PATCH * PATCH * images.shape[-1]
    found = np.empty((len(images), count, size), "float32")
    for start in range(0, len(images), IMAGES_AT_ONCE):
        part = images[start : start + IMAGES_AT_ONCE]
        found[start : start + len(part)] = patches(pyramid(part)[level], count, draw).reshape(len(part), count, size)
    return normalised(found.reshape(-1, size), images.shape[-1])


def normalised(flat: np.ndarray, channels: int) -> np.ndarray:
    """Patches (P, PATCH * PATCH * C) with mean 0 and deviation 1 in each channel, in place; a constant one stays 0."""
    by_channel = flat.reshape(-1, channels)
    by_channel -= by_channel.mean(axis=0, dtype="float64").astype("float32")
    deviation = np.sqrt(np.mean(np.square(by_channel), axis=0, dtype="float64"))
    by_channel /= np.where(deviation > 0, deviation, 1).astype("float32")
    return flat
