"""The networks of a case in stock Keras layers, as its users write them."""

from typing import Any

import keras
from keras import layers

from ..cases import LATENTS, NORMALIZATION_EPSILON, SLOPE, WEIGHT_DEVIATION, Case

KERNEL = 5  # pixels


def build_generator(case: Case) -> keras.Model:
    """Latents to images."""
    latents = keras.Input((LATENTS,))
    if case.units:
        return keras.Model(latents, dense_images(case, latents), name="generator")
    inner, *outer = reversed(case.channels)
    x = layers.Dense(case.base**2 * inner, use_bias=False, kernel_initializer=weights())(latents)
    x = layers.Reshape((case.base, case.base, inner))(x)
    for channels in outer:
        x = layers.ReLU()(batch_normalization()(x))
        x = layers.Conv2DTranspose(channels, KERNEL, 2, "same", use_bias=False, kernel_initializer=weights())(x)
    x = layers.ReLU()(batch_normalization()(x))
    last = layers.Conv2DTranspose(case.shape[-1], KERNEL, 2, "same", activation="tanh", kernel_initializer=weights())
    return keras.Model(latents, last(x), name="generator")


def dense_images(case: Case, latents: Any) -> Any:
    """A perceptron's images."""
    x = latents
    for units in case.units:
        x = layers.ReLU()(batch_normalization(gamma="ones")(layers.Dense(units)(x)))
    return layers.Reshape(case.shape)(layers.Dense(case.pixels, activation="tanh")(x))


def build_discriminator(case: Case) -> keras.Model:
    """Images to logits."""
    images = x = keras.Input(case.shape)
    if case.units:
        x = layers.Flatten()(x)
        for units in reversed(case.units):
            x = layers.Dropout(case.dropout)(layers.LeakyReLU(SLOPE)(layers.Dense(units)(x)))
        return keras.Model(images, layers.Dense(1)(x), name="discriminator")
    for number, channels in enumerate(case.channels):
        convolution = layers.Conv2D(channels, KERNEL, 2, "same", kernel_initializer=weights())
        x = held(convolution, case)(x)
        x = normalization(case)(x) if number and case.normalization in ("batch", "layer") else x
        x = layers.LeakyReLU(SLOPE)(x)
    logits = held(layers.Dense(1, kernel_initializer=weights()), case)(layers.Flatten()(x))
    return keras.Model(images, logits, name="discriminator")


def held(layer: keras.Layer, case: Case) -> keras.Layer:
    """The layer, spectrally normalized where the case is: every layer of a discriminator."""
    return layers.SpectralNormalization(layer) if case.normalization == "spectral" else layer


def weights() -> keras.initializers.Initializer:
    """The DCGAN paper's."""
    return keras.initializers.RandomNormal(stddev=WEIGHT_DEVIATION)


def gains() -> keras.initializers.Initializer:
    """Of its scales."""
    return keras.initializers.RandomNormal(mean=1.0, stddev=WEIGHT_DEVIATION)


def batch_normalization(gamma: Any = None) -> keras.Layer:
    """With the papers' momentum and epsilon."""
    return layers.BatchNormalization(momentum=0.9, epsilon=NORMALIZATION_EPSILON, gamma_initializer=gamma or gains())


def normalization(case: Case) -> keras.Layer:
    """The discriminator's: one group is a layer normalization with a scale for each channel."""
    if case.normalization == "batch":
        return batch_normalization()
    return layers.GroupNormalization(groups=1, epsilon=NORMALIZATION_EPSILON, gamma_initializer=gains())
