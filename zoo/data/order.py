"""The order in which training sees samples, as a pure function of (seed, batch number)."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from zoo.errors import ZooError


class SampleOrder:
    """One permutation of `count` samples for each epoch, end to end, cut into batches that may span two epochs."""

    def __init__(self, count: int, batch_size: int, seed: int | Sequence[int]) -> None:
        """Raises ZooError when a batch would hold a sample twice, or nothing."""
        if batch_size < 1:
            raise ZooError(f"The batch size must be at least 1, not {batch_size}: --set batch_size=64")
        if batch_size > count:
            raise ZooError(
                f"A batch of {batch_size} is larger than the dataset of {count} samples: "
                f"take a larger dataset, or --set batch_size={count} or less"
            )
        self.count = count
        self.batch_size = batch_size
        self.seed = [seed] if isinstance(seed, int) else list(seed)
        # A batch that spans two epochs needs two permutations.
        self._permutation = lru_cache(maxsize=2)(self._draw_permutation)

    def indices(self, batch: int) -> np.ndarray:
        """int64 (batch_size,): the samples from position batch * batch_size on; position p is in epoch p // count."""
        position = batch * self.batch_size
        stop = position + self.batch_size
        parts = []
        while position < stop:
            epoch, first = divmod(position, self.count)
            part = self._permutation(epoch)[first : first + stop - position]
            parts.append(part)
            position += len(part)
        return np.concatenate(parts)

    def _draw_permutation(self, epoch: int) -> np.ndarray:
        # Each epoch has a generator of its own, so that a resumed run needs the batch number and no other state.
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([*self.seed, epoch])))
        return generator.permutation(self.count)
