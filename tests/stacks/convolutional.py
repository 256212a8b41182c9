"""A convolutional stack without normalization, whose samples don't depend on each other."""

from typing import Any

import keras

from zoo import Recipe, hookimpl, losses

LOSS_FAMILY = "cross-entropy"
CONVOLUTION = {"kernel_size": 3, "strides": 2, "padding": "same"}


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: Recipe) -> keras.Model:
    """Latents (B, Z) to images of any even size."""
    height, width, channels = sample_shape
    latents = keras.Input((recipe.latent_size,))
    x = keras.layers.Dense(height // 2 * (width // 2) * 2, activation="relu")(latents)
    x = keras.layers.Reshape((height // 2, width // 2, 2))(x)
    return keras.Model(latents, keras.layers.Conv2DTranspose(channels, activation="tanh", **CONVOLUTION)(x))


@hookimpl
def discriminator(sample_shape: tuple[int, ...]) -> keras.Model:
    """Images to logits (B, 1)."""
    samples = keras.Input(sample_shape)
    x: Any = keras.layers.LeakyReLU(0.2)(keras.layers.Conv2D(2, **CONVOLUTION)(samples))
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten(name="features")(x))
    return keras.Model(samples, keras.layers.Dense(1)(x))


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Cross-entropy."""
    return losses.cross_entropy_discriminator_loss(real_logits, fake_logits)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Non-saturating."""
    return losses.non_saturating_generator_loss(fake_logits)
