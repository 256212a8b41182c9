"""The equals of normalizations whose scales and offsets come from a label, a vector or a style."""

from typing import Any

import keras
from keras import ops

from zoo.layers.conditional import (
    AdaptiveInstanceNormalization,
    ChannelModulation,
    ConditionalBatchNormalization,
    ModulatedBatchNormalization,
)
from zoo.layers.exact import along_channels
from zoo.layers.stock.equals import Value, filled, stock_equal, weights_of


def normalized(layer: Any, samples: Any, value: Value) -> Any:
    """By moving statistics alone, in full precision."""
    made = keras.layers.BatchNormalization(
        momentum=layer.momentum,
        epsilon=layer.epsilon,
        center=False,
        scale=False,
        name="normalization",
        dtype=layer.variable_dtype,
    )
    return filled(made, samples, map(value, [layer.moving_mean, layer.moving_variance]))


@stock_equal(ConditionalBatchNormalization)
def by_label(layer: ConditionalBatchNormalization, inputs: Any, value: Value) -> Any:
    """Two embeddings hold the tables."""
    samples, labels = inputs
    normal = normalized(layer, samples, value)
    labels = ops.reshape(ops.cast(labels, "int32"), (-1,))

    def rows(name: str, table: keras.Variable) -> Any:
        made = keras.layers.Embedding(*table.shape, name=name, dtype=layer.variable_dtype)
        return along_channels(filled(made, labels, [value(table)]), len(samples.shape))

    answer = normal * rows("scales", layer.gamma) + rows("offsets", layer.beta)
    return ops.cast(answer, layer.compute_dtype)


def modulated(layer: ChannelModulation, samples: Any, vector: Any, value: Value) -> Any:
    """Two dense layers hold the maps, the first with the 1 of 1 + W y as a part of its bias."""

    def mapped(inside: keras.Layer, name: str, added: float) -> Any:
        kernel, *bias = weights_of(inside, value)
        made = keras.layers.Dense(kernel.shape[-1], name=name, dtype=layer.dtype_policy)
        offset = bias[0] if bias else kernel.sum(axis=0) * 0
        found = filled(made, vector, [kernel, offset + added])
        return along_channels(ops.cast(found, layer.variable_dtype), len(samples.shape))

    gain, offset = mapped(layer.gain, "gain", 1.0), mapped(layer.offset, "offset", 0.0)
    return ops.cast(ops.cast(samples, layer.variable_dtype) * gain + offset, layer.compute_dtype)


@stock_equal(ChannelModulation)
def by_vector(layer: ChannelModulation, inputs: Any, value: Value) -> Any:
    """Scaled and moved."""
    return modulated(layer, inputs[0], inputs[1], value)


@stock_equal(ModulatedBatchNormalization)
def batch_by_vector(layer: ModulatedBatchNormalization, inputs: Any, value: Value) -> Any:
    """Normalized first."""
    samples, vector = inputs
    return modulated(layer.modulation, normalized(layer, samples, value), vector, value)


@stock_equal(AdaptiveInstanceNormalization)
def instance_by_style(layer: AdaptiveInstanceNormalization, inputs: Any, value: Value) -> Any:
    """Normalized first, each channel by itself."""
    samples, style = inputs
    normal = keras.layers.GroupNormalization(
        -1, epsilon=layer.epsilon, center=False, scale=False, name="normalization", dtype=layer.variable_dtype
    )(samples)
    return modulated(layer.modulation, normal, style, value)
