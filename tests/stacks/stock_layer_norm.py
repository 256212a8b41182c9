"""A critic with Keras' own layer normalization, whose second-order gradient is wrong on TensorFlow."""

import keras

from zoo import hookimpl


@hookimpl
def discriminator(sample_shape: tuple[int, ...]) -> keras.Model:
    """Samples to logits (B, 1)."""
    samples = x = keras.Input(sample_shape)
    x = keras.layers.Conv2D(3, 5, strides=4)(x)
    x = keras.layers.LayerNormalization(axis=(1, 2, 3), epsilon=1e-5, name="stock")(x)
    x = keras.layers.Flatten(name="features")(keras.layers.LeakyReLU(0.2)(x))
    return keras.Model(samples, keras.layers.Dense(1)(x))
