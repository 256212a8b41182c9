"""Low-pass filters of images, by themselves and beside a convolution that resamples.

A filter of `taps` is applied to rows and to columns, and divided by its sum. Each direction is a product with a matrix
that is known beforehand: at 32 pixels as fast in a TensorFlow graph as a depthwise convolution, and 25 times faster
under XLA on a CPU, which has but a naive kernel for that.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
from keras import ops

from zoo.errors import ZooError, unknown

Tensor = Any
Resampling = Literal["none", "up", "down"]
Border = Literal["zero", "edge", "reflect"]
TAPS = (1, 3, 3, 1)  # StyleGAN2's


def filtered(images: Tensor, matrix: Callable[[int], np.ndarray]) -> Tensor:
    """Images (B, H, W, C) with rows and columns mixed by `matrix(H)`, (H', H), and `matrix(W)`: (B, H', W', C)."""
    height, width, channels = images.shape[1:]
    of_rows, of_columns = (ops.cast(matrix(size), images.dtype) for size in (height, width))
    rows = ops.matmul(of_rows, ops.reshape(images, (-1, height, width * channels)))
    if channels == 1:  # one product instead of one for each row
        columns = ops.matmul(ops.reshape(rows, (-1, width)), ops.transpose(of_columns))
    else:
        columns = ops.matmul(of_columns, ops.reshape(rows, (-1, width, channels)))
    return ops.reshape(columns, (-1, of_rows.shape[0], of_columns.shape[0], channels))


def filter_matrix(
    size: int,
    taps: Sequence[float],
    padding: tuple[int, int],
    up: int = 1,
    down: int = 1,
    border: Border = "zero",
) -> np.ndarray:
    """The matrix (H', H) that spreads H pixels by `up`, pads them, filters, and takes every `down`-th result.

    Spreading puts up - 1 zeros behind each pixel; `padding` is what comes before and after, negative where it cuts.
    """
    before, after = padding
    count = (size * up + before + after - len(taps)) // down + 1
    matrix = np.zeros((count, size))
    for row, column in np.ndindex(count, len(taps)):
        pixel, between = divmod(row * down + column - before, up)
        pixel = beyond(pixel, size, border)
        if not between and 0 <= pixel < size:
            matrix[row, pixel] += taps[-1 - column] / sum(taps)  # a convolution turns its filter around
    return matrix


def beyond(pixel: int, size: int, border: Border) -> int:
    """The pixel whose value stands for one beyond the border."""
    if border == "edge":
        return min(max(pixel, 0), size - 1)
    if border == "reflect" and size > 1:
        turned = pixel % (2 * size - 2)
        return min(turned, 2 * size - 2 - turned)
    return pixel


def resampled_convolution(images: Tensor, kernel: Tensor, resampling: Resampling, taps: Sequence[float]) -> Tensor:
    """A convolution (B, H, W, C) to (B, H', W', F) with zeros around it, its kernel (K, K, C, F).

    "down" filters before it takes every second position; "up" doubles the size by a transposed convolution, then
    filters, 4 times as strong.
    """
    if resampling == "none":
        return ops.conv(images, kernel, padding="same")
    matrix = resampling_matrix(resampling, kernel.shape[0], taps)
    if resampling == "down":
        return ops.conv(filtered(images, matrix), kernel, strides=2, padding="valid")
    spread = ops.conv_transpose(images, ops.swapaxes(kernel, -1, -2), strides=2, padding="valid")
    return filtered(spread, matrix)


def resampling_matrix(
    resampling: Literal["up", "down"], size: int, taps: Sequence[float]
) -> Callable[[int], np.ndarray]:
    """The matrix, by a length, that filters before or behind a convolution whose window has `size` pixels a side."""
    width = len(taps)
    if resampling == "down":
        sides = (size // 2 + (width - 1) // 2, size // 2 + (width - 2) // 2)
        return lambda length: filter_matrix(length, taps, sides)
    before = size // 2 + (width + 1) // 2 - (size - 1)
    sides = (before, width - 1 - before - max(size - 2, 0))  # as many as make it twice the size
    return lambda length: 2 * filter_matrix(length, taps, sides)


def resampled_size(size: int | None, resampling: Resampling) -> int | None:
    """The height or width of what a convolution that resamples makes of one."""
    if size is None:
        return None
    return {"none": size, "up": 2 * size, "down": size // 2}[resampling]


def check_resampling(resampling: Resampling, kernel_size: int, taps: Sequence[float]) -> None:
    """Refuse what a convolution can't resample by."""
    if resampling not in get_args(Resampling):
        raise unknown("resampling", resampling, get_args(Resampling))
    if resampling != "none" and kernel_size % 2 == 0:
        raise ZooError(f"A convolution that resamples needs an odd kernel_size; received {kernel_size}: try 3.")
    check_taps(taps, 2)


def check_taps(taps: Sequence[float], factor: int) -> None:
    """Refuse filters that would skip pixels, and those that can't be divided by their sum."""
    if factor < 1 or len(taps) < factor or sum(taps) <= 0:
        raise ZooError(
            f"Taps {tuple(taps)} can't resample by {factor}: there must be at least as many as the factor, with a sum "
            "above 0. Try (1, 1), (1, 2, 1) or (1, 3, 3, 1)."
        )
