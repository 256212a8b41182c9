"""Images that are flipped and shifted at random, each in its own way: differentiable to any order on every backend."""

from typing import Any, Literal

import keras
from keras import ops

from zoo.layers.exact import Tensor

Border = Literal["zero", "reflect"]


def flipped(images: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """Images (B, H, W, C), every second one on average mirrored from left to right."""
    turned = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=seed) < 0.5
    return ops.where(turned, ops.flip(images, axis=2), images)


def flipped_and_shifted(images: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """The view of an image that consistency regularization compares it with (Zhang et al. 2019, arXiv:1910.12027)."""
    return shifted(flipped(images, seed), 1 / 8, "reflect", seed)


def shifted(images: Tensor, share: float, border: Border, seed: keras.random.SeedGenerator) -> Tensor:
    """Images (B, H, W, C), each moved along both axes by whole pixels, at most by that share of its size.

    The share of a side is rounded to the nearest number of pixels, half a pixel up; each offset, of either sign, is as
    likely. What comes in is 0, or the image mirrored at its border.
    """
    count, (height, width) = ops.shape(images)[0], images.shape[1:3]
    rows, columns = (moving_matrices(count, size, int(size * share + 0.5), border, seed) for size in (height, width))
    return mixed(images, rows, columns)


def mixed(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images (B, H, W, C), each with its rows and columns mixed by matrices of its own, (B, H, H) and (B, W, W)."""
    height, width, channels = images.shape[1:]
    found = ops.matmul(ops.cast(rows, images.dtype), ops.reshape(images, (-1, height, width * channels)))
    found = ops.reshape(found, (-1, height, width, channels))
    # columns: (B, W, W) on (B, H, W, C), channels beside rows
    found = ops.reshape(ops.transpose(found, (0, 2, 1, 3)), (-1, width, height * channels))
    found = ops.matmul(ops.cast(columns, images.dtype), found)
    return ops.transpose(ops.reshape(found, (-1, width, height, channels)), (0, 2, 1, 3))


def without(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images (B, H, W, C), 0 where both a row and a column are marked, (B, H) and (B, W)."""
    both = ops.logical_and(rows[:, :, None, None], columns[:, None, :, None])
    return ops.where(both, ops.zeros((), images.dtype), images)


def moving_matrices(count: Any, size: int, most: int, border: Border, seed: keras.random.SeedGenerator) -> Tensor:
    """(count, size, size) of 0 and 1: row i of the matrix of offset d takes what was at i - d."""
    offsets = keras.random.randint((count, 1), -most, most + 1, seed=seed)
    sources = ops.arange(size, dtype="int32")[None] - ops.cast(offsets, "int32")
    if border == "reflect":
        last = size - 1
        sources = last - ops.abs(last - ops.abs(sources))
    return ops.equal(sources[:, :, None], ops.arange(size, dtype="int32")[None, None])
