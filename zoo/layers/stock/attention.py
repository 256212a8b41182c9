"""The equals of layers that attend."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.attention import SelfAttention, positions
from zoo.layers.stock.equals import Value, filled, product, stock_equal, weights_of
from zoo.layers.transformers import SMALLEST_SQUARE, RotaryAttention, quarter_turn


@stock_equal(SelfAttention)
def attention(layer: SelfAttention, inputs: Any, value: Value) -> Any:
    """gamma is a part of the last convolution's kernel."""
    height, width = inputs.shape[1:3]

    def convolved(images: Any, inside: keras.Layer, name: str, scale: Any = 1.0) -> Any:
        [kernel] = weights_of(inside, value)
        made = keras.layers.Conv2D(kernel.shape[-1], 1, use_bias=False, name=name, dtype=layer.dtype_policy)
        return filled(made, images, [kernel * scale])

    def pooled(features: Any) -> Any:
        pooling = keras.layers.MaxPooling2D(2, dtype=layer.dtype_policy)
        return positions(pooling(features) if layer.pooling else features)

    queries = positions(convolved(inputs, layer.query, "query"))
    keys, values = (pooled(convolved(inputs, getattr(layer, name), name)) for name in ("key", "value"))
    scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
    shares = ops.cast(ops.softmax(ops.cast(scores, layer.variable_dtype), axis=-1), layer.compute_dtype)
    found = ops.matmul(shares, values)
    found = ops.reshape(found, (-1, height, width, found.shape[-1]))
    added = convolved(found, layer.output_convolution, "output", value(layer.gamma))
    exact = (ops.cast(each, layer.variable_dtype) for each in (inputs, added))
    return ops.cast(ops.add(*exact), layer.compute_dtype)


@stock_equal(RotaryAttention)
def rotary(layer: RotaryAttention, inputs: Any, value: Value) -> Any:
    """The learned scales of queries and keys are a part of what turns them."""
    tokens, channels = inputs.shape[1:]
    size = channels // layer.heads
    policy, exact = layer.dtype_policy, layer.variable_dtype
    mixing = keras.layers.Dense(3 * channels, name="mixing", dtype=policy)
    mixed = ops.reshape(filled(mixing, inputs, weights_of(layer.mixing, value)), (-1, tokens, 3, layer.heads, size))
    mixed = ops.transpose(mixed, (0, 3, 1, 2, 4))  # (B, heads, T, 3, size)
    queries, keys, values = (mixed[:, :, :, index] for index in range(3))

    def turned(vectors: Any, scale: np.ndarray, name: str) -> Any:
        vectors = ops.cast(vectors, exact)
        square = ops.mean(ops.square(vectors), axis=-1, keepdims=True)
        vectors = vectors * ops.rsqrt(square + SMALLEST_SQUARE)
        kept = product("bnts,ts->bnts", vectors, np.cos(layer.angles) * scale, f"cosines_of_{name}", exact)
        across = product("bntr,rs->bnts", vectors, scale[:, None] * quarter_turn(size), f"turn_of_{name}", exact)
        across = product("bnts,ts->bnts", across, np.sin(layer.angles), f"sines_of_{name}", exact)
        return ops.cast(kept + across, layer.compute_dtype)

    of_queries, of_keys = value(layer.scale).reshape(2, size)
    queries, keys = turned(queries, of_queries, "queries"), turned(keys, of_keys, "keys")
    scores = ops.cast(ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2))), exact)
    shares = ops.cast(ops.softmax(scores * size**-0.5, axis=-1), layer.compute_dtype)
    found = ops.reshape(ops.transpose(ops.matmul(shares, values), (0, 2, 1, 3)), (-1, tokens, channels))
    joining = keras.layers.Dense(channels, name="joining", dtype=policy)
    return filled(joining, found, weights_of(layer.joining, value))
