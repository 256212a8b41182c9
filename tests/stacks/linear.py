"""Two linear players, whose gradients are known: the critic's by its input is its kernel."""

from math import prod
from typing import Any

import keras

from zoo import hookimpl, losses
from zoo.recipe import Recipe


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: Recipe) -> keras.Model:
    """Latents (B, Z) to samples."""
    latents = keras.Input((recipe.latent_size,))
    x = keras.layers.Dense(prod(sample_shape))(latents)
    return keras.Model(latents, keras.layers.Reshape(sample_shape)(x))


@hookimpl
def discriminator(sample_shape: tuple[int, ...]) -> keras.Model:
    """Samples to logits (B, 1)."""
    samples = keras.Input(sample_shape)
    x = keras.layers.Flatten(name="features")(samples)
    return keras.Model(samples, keras.layers.Dense(1)(x))


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """The difference of the means."""
    return losses.wasserstein_critic_loss(real_logits, fake_logits)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Minus the mean."""
    return losses.wasserstein_generator_loss(fake_logits)
