"""Images that are turned, recoloured and filtered, each by numbers of its own: differentiable to any order."""

import numpy as np
from keras import ops

from zoo.layers.exact import Tensor
from zoo.layers.filters import filter_matrix, filtered
from zoo.layers.moved_images import mixed

SYM6 = (  # Daubechies' least asymmetric orthonormal filter of six vanishing moments
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
DELAY = float(np.arange(len(SYM6)) @ np.array(SYM6) / sum(SYM6))  # of that filter, in samples
SYM2_SQUARED = (-1 / 32, 0, 9 / 32, 1 / 2, 9 / 32, 0, -1 / 32)  # the low-pass filter of two, with itself reversed
BANDS = 4  # octaves, the first of which holds all that is lower


def warped(images: Tensor, inverse: Tensor) -> Tensor:
    """Images (B, H, W, C) under affine maps, low-pass filtered so that nothing aliases, mirrored beyond their border.

    `inverse`, (B, 3, 3), takes the place (x, y, 1) of a pixel that comes out, in pixels from the centre, y downwards,
    to the place of what it shows. Karras et al. 2020 (https://arxiv.org/abs/2006.06676), appendix B: twice the
    resolution by the filter sym6, bilinear interpolation, sym6 again. The filter is orthonormal, so that the identity
    changes nothing. Sides have two pixels or more.
    """
    height, width = images.shape[1:3]
    doubled = filtered(images, doubling)  # one period of the mirrored image, which repeats for ever
    x, y = (
        ops.convert_to_tensor((np.arange(2 * size + len(SYM6) - 2) - DELAY) / 2 - (size - 1) / 2, images.dtype)
        for size in (width, height)
    )
    columns, rows = (
        inverse[:, axis, 0, None, None] * x + inverse[:, axis, 1, None, None] * y[:, None]
        + inverse[:, axis, 2, None, None] for axis in (0, 1)
    )  # fmt: skip
    columns, rows = (2 * (each + (size - 1) / 2) + DELAY for each, size in ((columns, width), (rows, height)))
    return filtered(interpolated(doubled, rows, columns), halving)


def doubling(size: int) -> np.ndarray:
    """(4 (size - 1), size): a period of the mirrored pixels at twice the resolution."""
    before, after = len(SYM6) - 1, 2 * size - 4
    return 2 * filter_matrix(size, SYM6, (before, after), up=2, border="reflect")


def halving(doubled: int) -> np.ndarray:
    """((doubled - 10) / 2, doubled): back again."""
    return filter_matrix(doubled, SYM6[::-1], (0, 0), down=2)


def interpolated(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(B, R, S, C) of images that repeat for ever, bilinear, at positions (B, R, S) each along both axes."""
    height, width, channels = images.shape[1:]
    right, below = (ops.roll(images, -1, axis=axis) for axis in (2, 1))
    corners = ops.concatenate([images, right, below, ops.roll(right, -1, axis=1)], axis=3)
    (row, down), (column, along) = (
        (ops.mod(ops.cast(whole, "int32"), size), each - whole)
        for each, whole, size in ((rows, ops.floor(rows), height), (columns, ops.floor(columns), width))
    )
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None] * (height * width)
    found = ops.take(ops.reshape(corners, (-1, 4 * channels)), first + row * width + column, axis=0)
    found = ops.reshape(found, (-1, *rows.shape[1:], 4, channels))
    shares = ops.stack([(1 - down) * (1 - along), (1 - down) * along, down * (1 - along), down * along], axis=3)
    return ops.sum(found * shares[..., None], axis=3)


def recoloured(images: Tensor, matrices: Tensor) -> Tensor:
    """RGB or gray images (B, H, W, C) under affine maps of colours (B, 4, 4), of which gray ones take the mean row."""
    if images.shape[3] == 1:
        row = ops.mean(matrices[:, :3], axis=1)
        scales, offsets = ops.sum(row[:, :3], axis=1), row[:, 3]
        return images * scales[:, None, None, None] + offsets[:, None, None, None]
    height, width, channels = images.shape[1:]
    pixels = ops.reshape(images, (-1, height * width, channels))
    found = ops.matmul(pixels, ops.transpose(matrices[:, :3, :3], (0, 2, 1))) + matrices[:, None, :3, 3]
    return ops.reshape(found, (-1, height, width, channels))


def weighed_bands(images: Tensor, gains: Tensor) -> Tensor:
    """Images (B, H, W, C) with four octaves of frequencies, from the lowest on, multiplied by gains (B, 4).

    Along rows, then along columns; mirrored beyond the border. Karras et al. 2020 (https://arxiv.org/abs/2006.06676),
    appendix B: the filter bank of the wavelet sym2.
    """
    matrices = [ops.cast(bands(size).reshape(BANDS, -1), images.dtype) for size in images.shape[1:3]]
    rows, columns = (
        ops.reshape(ops.matmul(gains, each), (-1, size, size))
        for each, size in zip(matrices, images.shape[1:3], strict=True)
    )
    return mixed(images, rows, columns)


def bands(size: int) -> np.ndarray:
    """(4, size, size): what takes an octave out of an axis of that size; their sum is the identity."""
    kept, found = np.eye(size), []
    for level in range(BANDS - 1):
        spread = [0.0] * (2**level * (len(SYM2_SQUARED) - 1) + 1)
        spread[:: 2**level] = SYM2_SQUARED
        low = kept @ filter_matrix(size, spread, (len(spread) // 2,) * 2, border="reflect")
        found.append(kept - low)
        kept = low
    return np.stack([kept, *found[::-1]])
