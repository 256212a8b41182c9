"""Random numbers of a run: initial weights from its seed, and no draw whose state would be in no checkpoint."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from keras.src.backend.common import global_state

GLOBAL_SEEDS = "global_seed_generator"  # the name under which Keras keeps what unseeded functions draw from


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make Keras' initializers draw from the seed, and leave the program's own random state as it was."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)  # from which Keras' initializers take their seeds
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


class RefusingSeeds:
    """Stands in for what `keras.random` draws from without a seed, whose state would be in no checkpoint."""

    def next(self, ordered: bool = True) -> Any:
        """Refuse."""
        raise RuntimeError(
            "keras.random without a seed can't be resumed. Pass it the hook's argument 'seed', as in "
            "keras.random.normal(shape, seed=seed)"
        )


@contextmanager
def refusing_unseeded_randomness() -> Iterator[None]:
    """Make `keras.random` functions fail where they are given no seed."""
    before = global_state.get_global_attribute(GLOBAL_SEEDS)
    global_state.set_global_attribute(GLOBAL_SEEDS, RefusingSeeds())
    try:
        yield
    finally:
        global_state.set_global_attribute(GLOBAL_SEEDS, before)
