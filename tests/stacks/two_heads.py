"""A discriminator with a second head that classifies, on top of networks of its own: AC-GAN in small."""

from collections.abc import Generator
from typing import Any

import keras
from keras import ops

from zoo import hookimpl


@hookimpl
def discriminator(sample_shape: tuple[int, ...], classes: int | None) -> keras.Model:
    """Samples to a dict of logits (B, 1) and class logits (B, classes)."""
    samples = keras.Input(sample_shape)
    x = keras.layers.Dense(8, activation="relu", name="features")(keras.layers.Flatten()(samples))
    heads = {"logits": keras.layers.Dense(1)(x), "classes": keras.layers.Dense(classes or 1, name="classes")(x)}
    return keras.Model(samples, heads)


@hookimpl(wrapper=True)
def discriminator_loss(real_outputs: Any, real_labels: Any) -> Generator[None, Any, Any]:
    """The loss below, plus the cross-entropy of the real labels."""
    loss = yield
    return loss + ops.mean(
        keras.losses.sparse_categorical_crossentropy(real_labels, real_outputs["classes"], from_logits=True)
    )
