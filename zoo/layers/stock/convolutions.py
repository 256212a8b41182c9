"""The equals of equalized, modulated and grouped layers: stock ones whose kernels are scaled once and for all."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.equalized import ConvolutionSettings, Equalized, EqualizedConv2D, EqualizedDense
from zoo.layers.exact import along_channels
from zoo.layers.filters import resampling_matrix
from zoo.layers.grouped import GroupedConv2D
from zoo.layers.modulation import ModulatedConv2D
from zoo.layers.stock.equals import Value, common, constant, filled, stock_equal, weights_of
from zoo.layers.stock.images import filtered


def kernel_of(layer: Equalized, value: Value) -> np.ndarray:
    """The kernel that is used."""
    return value(layer.kernel) * layer.kernel_scale()


def bias_of(layer: Equalized, value: Value) -> list[np.ndarray]:
    """The bias that is used, if there is one."""
    return [value(layer.bias) * layer.rate_multiplier] if layer.use_bias else []


def dense(layer: EqualizedDense, inputs: Any, value: Value, settings: dict[str, Any]) -> Any:
    """A dense layer."""
    made = keras.layers.Dense(layer.units, use_bias=layer.use_bias, **settings)
    return filled(made, inputs, [kernel_of(layer, value), *bias_of(layer, value)])


@stock_equal(EqualizedDense)
def equalized_dense(layer: EqualizedDense, inputs: Any, value: Value) -> Any:
    """A dense layer."""
    return dense(layer, inputs, value, common(layer))


def convolved(
    layer: ConvolutionSettings, images: Any, value: Value, bias: list[np.ndarray], settings: dict[str, Any]
) -> Any:
    """A convolution, with the products that filter images before or behind it where it resamples."""
    kernel, size = kernel_of(layer, value), layer.kernel_size
    if layer.resampling == "none":
        made = keras.layers.Conv2D(layer.filters, size, padding="same", use_bias=bool(bias), **settings)
        return filled(made, images, [kernel, *bias])
    matrix = resampling_matrix(layer.resampling, size, layer.taps)
    if layer.resampling == "down":
        blurred = filtered(images, matrix, settings["dtype"])
        made = keras.layers.Conv2D(layer.filters, size, strides=2, use_bias=bool(bias), **settings)
        return filled(made, blurred, [kernel, *bias])
    made = keras.layers.Conv2DTranspose(layer.filters, size, strides=2, use_bias=False, **settings)
    spread = filled(made, images, [np.swapaxes(kernel, -1, -2)])
    return filtered(spread, matrix, settings["dtype"], *bias)


@stock_equal(EqualizedConv2D)
def equalized(layer: EqualizedConv2D, inputs: Any, value: Value) -> Any:
    """A convolution."""
    return convolved(layer, inputs, value, bias_of(layer, value), common(layer))


@stock_equal(ModulatedConv2D)
def modulated(layer: ModulatedConv2D, inputs: Any, value: Value) -> Any:
    """A dense layer makes styles, another of their squares what the outputs are divided by."""
    images, latents = inputs
    exact = {"dtype": layer.variable_dtype}
    styles = dense(layer.style, latents, value, {"name": "style", **exact})
    scaled = ops.cast(images, layer.variable_dtype) * along_channels(styles, 4)
    settings = {"name": "convolution", "dtype": layer.dtype_policy}
    outputs = convolved(layer, ops.cast(scaled, layer.compute_dtype), value, [], settings)
    if layer.demodulate:
        made = keras.layers.Dense(layer.filters, use_bias=False, name="squares", **exact)
        squares = filled(made, ops.square(styles), [np.square(kernel_of(layer, value)).sum(axis=(0, 1))])
        scales = ops.rsqrt(squares + layer.epsilon)
        outputs = ops.cast(outputs, layer.variable_dtype) * along_channels(scales, 4)
    for bias in bias_of(layer, value):
        outputs = outputs + ops.cast(constant(layer, latents, bias[None, None], "bias"), outputs.dtype)
    return ops.cast(outputs, layer.compute_dtype)


@stock_equal(GroupedConv2D)
def grouped(layer: GroupedConv2D, inputs: Any, value: Value) -> Any:
    """Keras' own."""
    return filled(keras.layers.Conv2D.from_config(layer.get_config()), inputs, weights_of(layer, value))
