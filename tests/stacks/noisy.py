"""A modifier that draws for each sample in every way that Keras offers."""

from typing import Any

import keras
from keras import ops

from zoo import hookimpl


@hookimpl
def augment(samples: Any, seed: keras.random.SeedGenerator) -> Any:
    """Points (B, D) scaled and moved by numbers of many distributions, a fifth of their values dropped."""
    count = samples.shape[0]
    shape, column = (count, *samples.shape[1:]), (count, *(1 for _ in samples.shape[1:]))
    noise = keras.random.normal(shape, seed=seed) + keras.random.truncated_normal(shape, seed=seed)
    noise += keras.random.uniform(column, seed=seed) + keras.random.gamma(column, 2.0, seed=seed)
    noise += keras.random.beta(column, 2.0, 2.0, seed=seed) + keras.random.binomial(column, 3, 0.5, seed=seed)
    class_of_three = keras.random.categorical(ops.zeros((count, 3)), 1, dtype="int32", seed=seed)
    noise += ops.cast(ops.reshape(class_of_three, column), samples.dtype)
    noise += ops.cast(keras.random.randint(column, 0, 3, seed=seed), samples.dtype)
    return keras.random.dropout(samples + 0.1 * ops.cast(noise, samples.dtype), 0.2, seed=seed)
