"""A translation in small: pictures from their brightness, a critic of patches that sees both (Isola et al. 2016)."""

from typing import Any

import keras
from keras import ops

from zoo import hookimpl, losses

LOSS_FAMILY = "cross-entropy"


@keras.saving.register_keras_serializable(package="zoo_tests")
class LastingDropout(keras.layers.Dropout):
    """Dropout that a model called with training=False does not switch off."""

    def call(self, inputs: Any, training: bool = True) -> Any:
        """Drop in training and in inference."""
        return super().call(inputs, training=True)


@hookimpl
def derive(batch: Any) -> dict[str, Any]:
    """The mean of the channels, (B, H, W, 1)."""
    return {"source": ops.mean(batch["samples"], axis=-1, keepdims=True)}


@hookimpl
def generator(sample_shape: tuple[int, ...], fields: Any) -> keras.Model:
    """The source, through dropout that is never off, to samples; its own hidden map is an extra."""
    source = keras.Input(fields["source"].shape, name="source")
    x = keras.layers.Conv2D(2, 3, padding="same", activation="relu")(source)
    x = LastingDropout(0.5)(x)
    samples = keras.layers.Conv2D(sample_shape[-1], 3, padding="same", activation="tanh")(x)
    return keras.Model(source, {"samples": samples, "hidden": x})


@hookimpl
def discriminator(sample_shape: tuple[int, ...], fields: Any) -> keras.Model:
    """Samples beside their source to a logit a patch, (B, H / 4, W / 4, 1)."""
    samples, source = (keras.Input(fields[name].shape, name=name) for name in ("samples", "source"))
    x = keras.layers.Concatenate()([samples, source])
    x = keras.layers.LeakyReLU(0.2)(keras.layers.Conv2D(2, 4, strides=2, padding="same", name="features")(x))
    logits = keras.layers.Conv2D(1, 4, strides=2, padding="same")(x)
    return keras.Model({"samples": samples, "source": source}, logits)


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Cross-entropy of every patch."""
    return losses.cross_entropy_discriminator_loss(real_logits, fake_logits)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Non-saturating, of every patch."""
    return losses.non_saturating_generator_loss(fake_logits)


@hookimpl
def generator_penalty(batch: Any, generated: Any) -> Any:
    """The mean absolute difference from the real picture, and a little of the generator's extra."""
    return ops.mean(ops.abs(batch["samples"] - generated["samples"])) + 0.01 * ops.mean(generated["hidden"])
