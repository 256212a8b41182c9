"""Seeded draws of metrics: subsets, projections and pairs are a function of (seed, metric)."""

from zlib import crc32

import numpy as np

OF_PROTOCOL = 0  # the seed of draws that every evaluation shares, such as which real samples are compared


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A stream of its own for each purpose, so that no metric's draws depend on which others are measured."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, crc32(purpose.encode())])))


def some(seed: int, purpose: str, count: int, most: int) -> np.ndarray:
    """int64, sorted: all of `count` indices, or `most` distinct ones where there are more."""
    if count <= most:
        return np.arange(count)
    return np.sort(generator(seed, purpose).choice(count, most, replace=False))
