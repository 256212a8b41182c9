"""The equals of layers that compare the samples of a batch."""

import math
from typing import Any

import keras
from keras import ops

from zoo.layers.batch import MinibatchDeviation, MinibatchDiscrimination
from zoo.layers.stock.equals import Value, filled, stock_equal


@stock_equal(MinibatchDeviation)
def deviation(layer: MinibatchDeviation, inputs: Any, value: Value) -> Any:
    """By a matrix (B, B) of who is in whose group: no symbolic shape tells how many samples there are."""
    exact = ops.cast(inputs, layer.variable_dtype)
    dimensions = len(inputs.shape)
    ones = ops.ones_like(exact[(slice(None), *(0,) * (dimensions - 1))])
    groups = ops.maximum(ops.floor((ops.sum(ones) + 0.5) / layer.group_size), 1.0)
    place = ops.cumsum(ones) - 1.0
    group = place - groups * ops.floor((place + 0.5) / groups)
    together = ops.cast(ops.equal(ops.expand_dims(group, 1), ops.expand_dims(group, 0)), layer.variable_dtype)
    share = together / ops.sum(together, axis=1, keepdims=True)
    centred = ops.reshape(exact - ops.mean(exact, axis=0, keepdims=True), (-1, math.prod(inputs.shape[1:])))
    variance = ops.matmul(share, ops.square(centred)) - ops.square(ops.matmul(share, centred))
    deviations = ops.mean(ops.sqrt(ops.maximum(variance, 0.0) + 1e-8), axis=1)
    map_of_it = ops.reshape(deviations, (-1, *(1,) * (dimensions - 1))) * ops.ones_like(exact[..., :1])
    return ops.cast(ops.concatenate([exact, map_of_it], axis=-1), layer.compute_dtype)


@stock_equal(MinibatchDiscrimination)
def discrimination(layer: MinibatchDiscrimination, inputs: Any, value: Value) -> Any:
    """A dense layer holds T."""
    made = keras.layers.Dense(layer.kernels * layer.size, use_bias=False, name="kernel", dtype=layer.variable_dtype)
    features = ops.cast(inputs, layer.variable_dtype)
    points = ops.reshape(filled(made, features, [value(layer.kernel)]), (-1, layer.kernels, layer.size))
    distances = ops.sum(ops.abs(ops.expand_dims(points, 1) - ops.expand_dims(points, 0)), axis=-1)
    others = ops.sum(ops.exp(-distances), axis=1) - 1.0  # itself is at distance 0
    return ops.cast(ops.concatenate([features, others], axis=-1), layer.compute_dtype)
