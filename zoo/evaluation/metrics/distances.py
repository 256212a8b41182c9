"""Squared Euclidean distances in blocks, in float64, with a bound on their rounding so that ties stay ties."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics.checks import parts

BLOCK_VALUES = 2**23  # 64 MiB of float64 distances at once
ROUNDING = 32 * np.finfo("float64").eps  # of |x|^2 + |y|^2 - 2 x.y, relative to the largest square


@dataclass(frozen=True)
class Frame:
    """Where distances are measured from: features far from 0 would lose their digits in |x|^2 + |y|^2 - 2 x.y."""

    centre: np.ndarray  # float64 (F,)
    rounding: float  # squared distances closer than this are equal

    def centred(self, vectors: np.ndarray) -> np.ndarray:
        """float64 (N, F) around the centre."""
        return np.asarray(vectors.astype("float64") - self.centre)

    def within(self, squared: np.ndarray, squared_radius: np.ndarray) -> np.ndarray:
        """Whether distances are below radii or tie with them, as the copy of a neighbour does."""
        return np.asarray(squared <= squared_radius + self.rounding)

    def inside(self, squared: np.ndarray, squared_radius: np.ndarray) -> np.ndarray:
        """Whether distances are below radii and do not tie with them."""
        return np.asarray(squared < squared_radius - self.rounding)

    def blocks(self, rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Slices of the rows (N, F) with the squared distances (B, M) of each to all columns (M, F)."""
        size = max(1, BLOCK_VALUES // len(columns))
        for start in range(0, len(rows), size):
            block = slice(start, min(start + size, len(rows)))
            yield block, self.squared(rows[block], columns)

    def squared(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Squared distances (B, M) of rows (B, F) to columns (M, F), the columns read in parts."""
        doubled = -2 * self.centred(rows)
        distances = np.empty((len(rows), len(columns)))
        for part in parts(columns):
            values = self.centred(columns[part])
            np.matmul(doubled, values.T, out=distances[:, part])
            distances[:, part] += squares(values)
        distances += squares(doubled)[:, None] / 4
        return np.maximum(distances, 0, out=distances)


def frame(*sides: np.ndarray) -> Frame:
    """A frame around the first side's mean, for vectors (N, F) of every side."""
    first = sides[0]
    centre = sum(np.sum(first[part], axis=0, dtype="float64") for part in parts(first)) / len(first)
    found = Frame(np.asarray(centre), 0.0)
    largest = max(squares(found.centred(side[part])).max() for side in sides for part in parts(side))
    return Frame(found.centre, ROUNDING * float(largest))


def squares(vectors: np.ndarray) -> np.ndarray:
    """|x|^2 of each vector (N, F)."""
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors))


def neighbour_radii(around: Frame, vectors: np.ndarray, k: int) -> np.ndarray:
    """float64 (N,): the squared distance of each vector (N, F) to its k-th nearest other one."""
    radii = np.empty(len(vectors))
    for block, squared in around.blocks(vectors, vectors):
        radii[block] = kth_smallest(without_self(squared, block), k)
    return radii


def without_self(squared: np.ndarray, block: slice) -> np.ndarray:
    """The same distances with those of each row to itself made infinite, in place."""
    squared[np.arange(len(squared)), np.arange(block.start, block.stop)] = np.inf
    return squared


def kth_smallest(squared: np.ndarray, k: int) -> np.ndarray:
    """The k-th smallest of each row (B, M), k from 1."""
    return np.asarray(np.partition(squared, k - 1, axis=1)[:, k - 1])
