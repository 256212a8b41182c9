"""Random numbers that are the same on every backend: a hash of seed and position, in integers alone.

Every backend has a generator of its own, so that equal seeds give unequal numbers. Where two backends are compared they
both draw from here instead. The seeds still come to a draw as they do in training, through the compiled step. What is
drawn outside of it, such as initial weights, NumPy computes: JAX would compile each operation for each shape.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src import backend
from keras.src.random.seed_generator import draw_seed

Tensor = Any
MULTIPLIERS = (0x7FEB352D, 0x846CA68B)  # of the hash "lowbias32"
SHIFTS = (16, 15, 16)
ROWS = 12  # uniform numbers whose sum is nearly normal, of variance 1


def substitute_draws() -> None:
    """Make everything that Keras draws in this process come from here."""
    for function in (uniform, normal, randint, dropout):
        setattr(backend.random, function.__name__, function)
    backend.random.truncated_normal = normal


def uniform(
    shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None, seed: Any = None
) -> Tensor:
    """Multiples of 2^-24, which both precisions hold exactly."""
    return ops.convert_to_tensor(minval + (maxval - minval) * fractions(shape, dtype, seed))


def normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: Any = None
) -> Tensor:
    """Sums of twelve uniform numbers of 20 bits, less six: exact, too."""
    bits = shifted(words((ROWS, *shape), seed), 12)
    total = sum(bits[row] for row in range(ROWS))
    return ops.convert_to_tensor(mean + stddev * (cast(total, dtype) / 2**20 - ROWS / 2))


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: str = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from minval to maxval - 1."""
    return ops.cast(ops.floor(fractions(shape, "float32", seed) * (maxval - minval)), dtype) + minval


def dropout(inputs: Tensor, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Inputs, a share of them zero, the others scaled up."""
    kept = fractions(inputs.shape, "float32", seed) >= rate
    return ops.where(kept, inputs / (1 - rate), ops.zeros_like(inputs))


def fractions(shape: Sequence[int], dtype: str | None, seed: Any) -> Tensor:
    """Multiples of 2^-24 in [0, 1)."""
    return cast(shifted(words(shape, seed), 8), dtype) / 2**24


def words(shape: Sequence[int], seed: Any) -> Tensor:
    """uint32 of that shape, from both words of the seed generator's state, which counts on."""
    shape = tuple(int(size) for size in shape)
    state = outside_of_traces(ops.cast(draw_seed(seed), "uint32"))
    positions = np.arange(math.prod(shape), dtype="uint32") * np.uint32(0x9E3779B9)
    found = mixed(mixed(positions ^ state[:1]) ^ mixed(state[1:] + np.uint32(1)))
    return found.reshape(shape) if isinstance(found, np.ndarray) else ops.reshape(found, shape)


def mixed(values: Tensor) -> Tensor:
    """Every bit of the result depends on every bit of the value."""
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        values = (values ^ shifted(values, shift)) * np.uint32(multiplier)
    return values


def outside_of_traces(tensor: Tensor) -> Any:
    """A NumPy array of a tensor that has its values; the tensor where a step is being compiled."""
    try:
        return ops.convert_to_numpy(tensor)
    except (NotImplementedError, TypeError):
        return tensor


def shifted(words: Any, bits: int) -> Any:
    """Shifted to the right."""
    shift = np.right_shift if isinstance(words, np.ndarray) else ops.right_shift
    return shift(words, np.uint32(bits))


def cast(values: Any, dtype: str | None) -> Any:
    """In that type, the default one where none is given."""
    dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
    return values.astype(dtype) if isinstance(values, np.ndarray) else ops.cast(values, dtype)
