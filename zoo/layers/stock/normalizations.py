"""The equals of normalizations without conditions, and of spectral ones."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.grouped import GroupedConv2D
from zoo.layers.normalization import (
    BatchNormalization,
    ChannelScaled,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    PixelNormalization,
)
from zoo.layers.spectral import SpectralNormalization
from zoo.layers.stock.equals import Value, common, constant, filled, stock_equal, weights_of
from zoo.layers.virtual import VirtualBatchNormalization


@stock_equal(BatchNormalization)
def batch(layer: BatchNormalization, inputs: Any, value: Value) -> Any:
    """By moving statistics, as both do in inference."""
    own = [layer.gamma, layer.beta] if layer.affine else []
    made = keras.layers.BatchNormalization(
        momentum=layer.momentum, epsilon=layer.epsilon, center=layer.affine, scale=layer.affine, **common(layer)
    )
    return filled(made, inputs, map(value, [*own, layer.moving_mean, layer.moving_variance]))


def grouped(layer: ChannelScaled, inputs: Any, value: Value, groups: int) -> Any:
    """Of so many groups of channels: one is all values of a sample, -1 a group for each channel."""
    made = keras.layers.GroupNormalization(
        groups, epsilon=layer.epsilon, center=layer.affine, scale=layer.affine, **common(layer)
    )
    return filled(made, inputs, map(value, [layer.gamma, layer.beta] if layer.affine else []))


@stock_equal(LayerNormalization)
def whole(layer: LayerNormalization, inputs: Any, value: Value) -> Any:
    """One group."""
    return grouped(layer, inputs, value, 1)


@stock_equal(InstanceNormalization)
def instance(layer: InstanceNormalization, inputs: Any, value: Value) -> Any:
    """A group for each channel."""
    return grouped(layer, inputs, value, -1)


@stock_equal(GroupNormalization)
def group(layer: GroupNormalization, inputs: Any, value: Value) -> Any:
    """As many groups as the channels could be divided into."""
    return grouped(layer, inputs, value, layer.group_count)


@stock_equal(PixelNormalization)
def pixel(layer: PixelNormalization, inputs: Any, value: Value) -> Any:
    """By operations."""
    exact = ops.cast(inputs, layer.variable_dtype)
    square = ops.mean(ops.square(exact), axis=-1, keepdims=True)
    return ops.cast(exact * ops.rsqrt(square + layer.epsilon), layer.compute_dtype)


@stock_equal(VirtualBatchNormalization)
def virtual(layer: VirtualBatchNormalization, inputs: Any, value: Value) -> Any:
    """By operations."""
    return list(virtually_normalized(layer, inputs[0], inputs[1], value))


def virtually_normalized(layer: Any, samples: Any, reference: Any, value: Value) -> tuple[Any, Any]:
    """Samples and reference, (B, ..., C) and (N, ..., C), both as virtual batch normalization makes them."""
    samples, reference = (ops.cast(each, layer.variable_dtype) for each in (samples, reference))
    ones = (1,) * (len(samples.shape) - 2)

    def answer(values: Any, mean: Any, variance: Any) -> Any:
        made = (values - mean) * ops.rsqrt(variance + layer.epsilon)
        if layer.affine:
            kind = "samples" if values is samples else "reference"
            scale, offset = (
                constant(layer, values, np.reshape(value(each), (*ones, -1)), f"{name}_of_{kind}")
                for each, name in ((layer.gamma, "scale"), (layer.beta, "offset"))
            )
            made = made * scale + offset
        return ops.cast(made, layer.compute_dtype)

    axes = tuple(range(1, len(samples.shape) - 1))
    mean = ops.mean(reference, axis=(0, *axes), keepdims=True)
    variance = ops.mean(ops.square(reference - mean), axis=(0, *axes), keepdims=True)
    own_mean = ops.mean(samples, axis=axes, keepdims=True) if axes else samples
    own_variance = ops.mean(ops.square(samples - own_mean), axis=axes, keepdims=True) if axes else samples * 0
    # how many rows the reference has is a number of the batch's, which no symbolic shape tells
    count = ops.sum(ops.ones_like(reference[(slice(None), *(0,) * (len(reference.shape) - 1))]))
    share = 1 / (count + 1)
    joint = share * own_variance + (1 - share) * variance + share * (1 - share) * ops.square(own_mean - mean)
    return answer(samples, share * own_mean + (1 - share) * mean, joint), answer(reference, mean, variance)


@stock_equal(SpectralNormalization)
def unwrapped(layer: SpectralNormalization, inputs: Any, value: Value) -> Any:
    """The layer inside, whose kernel is divided once and for all."""
    kind = keras.layers.Conv2D if type(layer.layer) is GroupedConv2D else type(layer.layer)
    made = kind.from_config({**layer.layer.get_config(), "name": layer.name})
    return filled(made, inputs, weights_of(layer, value))
