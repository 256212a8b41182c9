"""Affine maps of places and of colours, one for each image of a batch, for `warped` and `recoloured`."""

from collections.abc import Sequence
from functools import reduce

from keras import ops

from zoo.layers.exact import Tensor

AffineRows = Sequence[Sequence[Tensor]]  # of a matrix: numbers, or tensors (B,)


def affine(images: Tensor, *maps: AffineRows) -> Tensor:
    """(B, N, N), a matrix for each of the images (B, ...): the product of maps, of which the last is done first.

    A map has rows of numbers and of tensors (B,).
    """
    ones = ops.ones((images.shape[0],), images.dtype)
    matrices = (ops.stack([ops.stack([ones * each for each in row], axis=1) for row in rows], axis=1) for rows in maps)
    return reduce(ops.matmul, matrices)


def scaled_back(x: Tensor, y: Tensor) -> AffineRows:
    """The inverse of a scale by x and y."""
    return [[1 / x, 0, 0], [0, 1 / y, 0], [0, 0, 1]]


def turned_back(angle: Tensor) -> AffineRows:
    """The inverse of a turn, clockwise, by radians."""
    return [[ops.cos(angle), ops.sin(angle), 0], [-ops.sin(angle), ops.cos(angle), 0], [0, 0, 1]]


def moved_back(x: Tensor, y: Tensor) -> AffineRows:
    """The inverse of a shift to the right and down, in pixels."""
    return [[1, 0, -x], [0, 1, -y], [0, 0, 1]]


def alike(own: Tensor, following: Tensor, other: Tensor, offset: Tensor = 0) -> AffineRows:
    """A map of colours (r, g, b, 1) that treats all three alike: by itself, the one after it and the one after that."""
    return [
        [own, following, other, offset],
        [other, own, following, offset],
        [following, other, own, offset],
        [0, 0, 0, 1],
    ]
