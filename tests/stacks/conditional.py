"""A conditional stack: both models take labels (Mirza and Osindero 2014), in small."""

from math import prod
from typing import Any

import keras

from zoo import Recipe, ZooError, hookimpl, losses

LOSS_FAMILY = "cross-entropy"


@hookimpl
def check(classes: int | None) -> None:
    """Two classes at least."""
    if classes == 1:
        raise ZooError("Plugin 'conditional' needs two classes.")


@hookimpl
def generator(sample_shape: tuple[int, ...], classes: int | None, recipe: Recipe) -> keras.Model:
    """Latents and labels to samples."""
    latents, labels, embedded = keras.Input((recipe.latent_size,), name="latents"), *label_input(classes)
    x = keras.layers.Dense(prod(sample_shape), activation="tanh")(keras.layers.Concatenate()([latents, embedded]))
    return keras.Model({"latents": latents, "labels": labels}, keras.layers.Reshape(sample_shape)(x))


@hookimpl
def discriminator(sample_shape: tuple[int, ...], classes: int | None) -> keras.Model:
    """Samples and labels to logits (B, 1)."""
    samples, labels, embedded = keras.Input(sample_shape, name="samples"), *label_input(classes)
    x = keras.layers.Concatenate()([keras.layers.Flatten()(samples), embedded])
    x = keras.layers.Dense(8, activation="relu", name="features")(x)
    return keras.Model({"samples": samples, "labels": labels}, keras.layers.Dense(1)(x))


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Cross-entropy."""
    return losses.cross_entropy_discriminator_loss(real_logits, fake_logits)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Non-saturating."""
    return losses.non_saturating_generator_loss(fake_logits)


def label_input(classes: int | None) -> tuple[Any, Any]:
    """The input for labels (B,), and four learned numbers for each class."""
    labels = keras.Input((), name="labels", dtype="int32")
    return labels, keras.layers.Embedding(classes or 1, 4)(labels)
