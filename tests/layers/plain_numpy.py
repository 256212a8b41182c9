"""Draws, and what layers compute once more in plain NumPy, by loops over the definitions."""

from typing import Any

import keras
import numpy as np
from keras import ops


def drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(1.0, 2.0, shape).astype(keras.config.floatx())


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


def upfirdn(images: Any, taps: Any, up: int, down: int, padding: tuple[int, int], gain: float = 1.0) -> Any:
    """Zeros between pixels and around, a true convolution with the taps' outer product, every down-th pixel."""
    kernel = np.outer(taps, taps)[::-1, ::-1] / np.sum(taps) ** 2 * gain
    count, height, width, channels = images.shape
    spread = np.zeros((count, height * up, width * up, channels))
    spread[:, ::up, ::up] = images
    padded = np.pad(spread, ((0, 0), padding, padding, (0, 0)))
    size = len(taps)
    rows, columns = padded.shape[1] - size + 1, padded.shape[2] - size + 1
    found = np.zeros((count, rows, columns, channels))
    for i, j in np.ndindex(size, size):
        found += kernel[i, j] * padded[:, i : i + rows, j : j + columns]
    return found[:, ::down, ::down]


def convolved(images: Any, kernel: Any, stride: int = 1, padding: int = 0) -> Any:
    """A correlation (B, H, W, C) with (K, K, C, F), zeros around."""
    size = kernel.shape[0]
    padded = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows, columns = ((length - size) // stride + 1 for length in padded.shape[1:3])
    found = np.zeros((len(images), rows, columns, kernel.shape[-1]))
    for row, column in np.ndindex(rows, columns):
        window = padded[:, row * stride : row * stride + size, column * stride : column * stride + size]
        found[:, row, column] = np.einsum("bijc,ijcf->bf", window, kernel)
    return found


def convolved_transposed(images: Any, kernel: Any) -> Any:
    """Each pixel spreads the kernel (K, K, C, F), with stride 2: (B, 2 H + K - 2, ..., F)."""
    count, height, width, _ = images.shape
    size = kernel.shape[0]
    found = np.zeros((count, 2 * height + size - 2, 2 * width + size - 2, kernel.shape[-1]))
    for row, column in np.ndindex(height, width):
        spread = np.einsum("bc,ijcf->bijf", images[:, row, column], kernel)
        found[:, 2 * row : 2 * row + size, 2 * column : 2 * column + size] += spread
    return found
