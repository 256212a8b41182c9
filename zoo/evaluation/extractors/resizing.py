"""Resizing as the literature's three ways do it: two products with matrices that are the same for every image.

The way changes the FID by up to whole points (Parmar et al. 2022, https://arxiv.org/abs/2104.11222), so it is part of
what a score is measured by.
"""

from collections.abc import Callable

import numpy as np
from keras import ops

from zoo.errors import unknown
from zoo.hookspecs import Tensor

SHARPNESS = -0.5  # of the bicubic kernel, as Pillow has it
REACH = 2.0  # pixels that the bicubic kernel extends to either side
WHITE = 255.0


def tf1(size: int, wanted: int) -> np.ndarray:
    """(wanted, size): TensorFlow 1's bilinear, whose pixels are points on a grid that begins at the first one.

    Output i lies at i * size / wanted, without the half pixel of later versions; positions are float32, as there.
    """
    positions = np.arange(wanted, dtype="float32") * np.float32(size / wanted)
    return between_neighbours(positions, size)


def pytorch(size: int, wanted: int) -> np.ndarray:
    """(wanted, size): F.interpolate(mode="bilinear", align_corners=False), which shrinks without smoothing.

    Output i lies at (i + 1/2) * size / wanted - 1/2, but not before the first pixel. As there, the scale is float32,
    and positions are rounded to it, once: a CPU multiplies and subtracts in one instruction.
    """
    positions = (np.arange(wanted) + 0.5) * float(np.float32(size / wanted)) - 0.5
    return between_neighbours(np.maximum(positions, 0).astype("float32"), size)


def between_neighbours(positions: np.ndarray, size: int) -> np.ndarray:
    """(len(positions), size): each row mixes the two pixels around a position by their distances."""
    lower = np.minimum(np.floor(positions).astype(int), size - 1)
    upper = np.minimum(lower + 1, size - 1)
    share = positions.astype("float64") - lower
    rows = np.arange(len(positions))
    matrix = np.zeros((len(positions), size))
    np.add.at(matrix, (rows, lower), 1 - share)
    np.add.at(matrix, (rows, upper), share)
    return matrix


def clean(size: int, wanted: int) -> np.ndarray:
    """(wanted, size): Pillow's bicubic, its kernel as wide as an output pixel where that covers several input pixels.

    Rows are normalized over the pixels that there are; those that lie outside are left out.
    """
    scale = size / wanted
    stretch = max(scale, 1.0)
    centres = (np.arange(wanted) + 0.5) * scale
    first = np.maximum(np.floor(centres - REACH * stretch + 0.5), 0)
    last = np.minimum(np.floor(centres + REACH * stretch + 0.5), size)
    pixels = np.arange(size)
    weights = bicubic((pixels - centres[:, None] + 0.5) / stretch)
    weights[(pixels < first[:, None]) | (pixels >= last[:, None])] = 0
    return weights / weights.sum(axis=1, keepdims=True)


def bicubic(distances: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel: 1 at 0, 0 at every other whole number and beyond 2."""
    x, a = np.abs(distances), SHARPNESS
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x < 1, near, np.where(x < REACH, far, 0.0))


KINDS: dict[str, Callable[[int, int], np.ndarray]] = {"tf1": tf1, "pytorch": pytorch, "clean": clean}


def resized(images: Tensor, kind: str, wanted: int) -> Tensor:
    """float32 images (B, H, W, C) at (B, wanted, wanted, C), for use in a traced function; H and W must be known there.

    "clean" is clipped to [0, 255], which a cubic kernel leaves at edges (Parmar et al. 2022 do so). What has its size
    is left as it is, as all three references do.
    """
    if kind not in KINDS:
        raise unknown("kind of resizing", kind, KINDS)
    _, height, width, _ = images.shape
    rows, columns = (KINDS[kind](size, wanted).astype("float32") for size in (height, width))
    if (height, width) != (wanted, wanted):
        # the columns first: Pillow's order, and with the channels last the product of the rows is one large one
        images = ops.einsum("pw,bhwc->bhpc", ops.convert_to_tensor(columns), images)
        images = ops.einsum("oh,bhpc->bopc", ops.convert_to_tensor(rows), images)
    return ops.clip(images, 0.0, WHITE) if kind == "clean" else images
