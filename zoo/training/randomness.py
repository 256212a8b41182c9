"""Random numbers of a run: initial weights from its seed, and no draw whose state would be in no checkpoint."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from zoo.backend import keras_internals
from zoo.errors import ZooError


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
        """Raises RuntimeError, whatever is drawn."""
        raise RuntimeError(
            "keras.random without a seed can't be resumed. Pass it the hook's argument 'seed', as in "
            "keras.random.normal(shape, seed=seed)"
        )


@contextmanager
def refusing_repeated_randomness() -> Iterator[None]:
    """Make traced code fail where it draws what would be the same number in every step.

    An int as the seed, or NumPy's generator of the process, draws once, while the step is traced.
    """
    backend = keras_internals.random_module(keras.backend.backend())
    stock, before = backend.draw_seed, position_of_numpy()

    def drawn(seed: Any) -> Any:
        if isinstance(seed, int) and not for_initial_weights():
            raise RuntimeError(
                f"keras.random with seed={seed} draws the same numbers in every step. Pass it the hook's argument "
                "'seed', in a layer a keras.random.SeedGenerator that its __init__ makes"
            )
        return stock(seed)

    backend.draw_seed = drawn
    try:
        yield
    finally:
        backend.draw_seed = stock
    if before != position_of_numpy():
        raise ZooError(
            "A plugin of this stack draws from numpy.random while the step is traced: the number would be the same in "
            "every step, and in no checkpoint. Use keras.random with the hook's argument 'seed'."
        )


def for_initial_weights() -> bool:
    """Whether an initializer draws: of a layer that a hook makes, which is refused by its weights."""
    frame = sys._getframe(2)
    while frame and not (frame.f_globals.get("__name__") or "").startswith("zoo."):
        if frame.f_globals.get("__name__", "").startswith(keras_internals.INITIALIZERS):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def position_of_numpy() -> tuple[bytes, int]:
    """Where NumPy's generator of the process stands."""
    state: Any = np.random.get_state()
    return state[1].tobytes(), state[2]


@contextmanager
def refusing_unseeded_randomness() -> Iterator[None]:
    """Make `keras.random` functions fail where they are given no seed."""
    seeds = keras_internals.GLOBAL_SEEDS
    before = keras_internals.get_global_attribute(seeds)
    keras_internals.set_global_attribute(seeds, RefusingSeeds())
    try:
        yield
    finally:
        keras_internals.set_global_attribute(seeds, before)
