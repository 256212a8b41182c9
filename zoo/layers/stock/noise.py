"""The equals of layers that draw in inference, too: what Keras draws in training, in a call whose mode is training."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.dropout import NoiseDropout
from zoo.layers.modulation import NoiseInjection
from zoo.layers.stock.equals import Value, filled, stock_equal


@stock_equal(NoiseDropout, is_noise=True)
def dropout(layer: NoiseDropout, inputs: Any, value: Value) -> Any:
    """Keras' own."""
    made = keras.layers.Dropout(
        layer.rate, noise_shape=layer.noise_shape, seed=layer.seed, name="dropout", dtype=layer.dtype_policy
    )
    return made(inputs, training=True)


@stock_equal(NoiseInjection, is_noise=True)
def injection(layer: NoiseInjection, inputs: Any, value: Value) -> Any:
    """Noise on zeros, and a 1 x 1 convolution that holds the strength."""
    nothing = ops.cast(ops.zeros_like(inputs[..., :1]), layer.variable_dtype)
    drawn = keras.layers.GaussianNoise(1.0, seed=layer.seed, name="noise", dtype=layer.variable_dtype)
    noise = drawn(nothing, training=True)
    strength = keras.layers.Conv2D(1, 1, use_bias=False, name="strength", dtype=layer.variable_dtype)
    noise = filled(strength, noise, [np.reshape(value(layer.strength), (1, 1, 1, 1))])
    return ops.cast(ops.cast(inputs, layer.variable_dtype) + noise, layer.compute_dtype)
