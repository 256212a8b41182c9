"""The DCGAN of keras.io's examples with its own recipe: a `train_step` that is overridden, under `fit`.

As the example: latents of 128, kernels of 4, LeakyReLU of 0.2 in both, no normalization, dropout of 0.2 before the
last layer, a sigmoid and cross-entropy, labels with noise of 0.05, Adam at 1e-4, batches of 32, images in [0, 1], the
generator's step with fresh latents after the discriminator's. Its images have 64 pixels and three doublings from 8;
ours 28 and two from 7.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speedrun.peers.pausing import given, train

LATENTS = 128
BATCH = 32
RATE = 1e-4
NOISE = 0.05
SLOPE = 0.2


def discriminator() -> keras.Model:
    """Images (B, 28, 28, 1) to a probability of being generated, (B, 1)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(64, 4, strides=2, padding="same"),
            keras.layers.LeakyReLU(negative_slope=SLOPE),
            keras.layers.Conv2D(128, 4, strides=2, padding="same"),
            keras.layers.LeakyReLU(negative_slope=SLOPE),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def generator() -> keras.Model:
    """Latents (B, 128) to images (B, 28, 28, 1) in [0, 1]."""
    return keras.Sequential(
        [
            keras.Input((LATENTS,)),
            keras.layers.Dense(7 * 7 * 128),
            keras.layers.Reshape((7, 7, 128)),
            keras.layers.Conv2DTranspose(128, 4, strides=2, padding="same"),
            keras.layers.LeakyReLU(negative_slope=SLOPE),
            keras.layers.Conv2DTranspose(256, 4, strides=2, padding="same"),
            keras.layers.LeakyReLU(negative_slope=SLOPE),
            keras.layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
        ]
    )


class Gan(keras.Model):
    """Both players; a label of 1 is a generated image."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(), discriminator()
        self.entropy = keras.losses.BinaryCrossentropy()
        self.rules = {name: keras.optimizers.Adam(RATE) for name in ("generator", "discriminator")}

    def train_step(self, real: Any) -> dict[str, Any]:
        """The discriminator's update on both kinds at once, then the generator's."""
        size = tf.shape(real)[0]
        both = tf.concat([self.generator(tf.random.normal((size, LATENTS))), real], 0)
        labels = tf.concat([tf.ones((size, 1)), tf.zeros((size, 1))], 0)
        labels += NOISE * tf.random.uniform(tf.shape(labels))
        judged = self.update("discriminator", lambda: self.entropy(labels, self.discriminator(both, training=True)))
        latents = tf.random.normal((size, LATENTS))
        wanted = tf.zeros((size, 1))
        made = self.update(
            "generator", lambda: self.entropy(wanted, self.discriminator(self.generator(latents), training=True))
        )
        return {"discriminator": judged, "generator": made}

    def update(self, player: str, loss: Callable[[], Any]) -> Any:
        """One step of a player; returns its loss."""
        weights = getattr(self, player).trainable_variables
        with tf.GradientTape() as tape:
            value = loss()
        self.rules[player].apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))
        return value

    def call(self, latents: Any) -> Any:
        """Images."""
        return self.generator(latents)


def main() -> None:
    """Trains as long as the coordinator wishes."""
    asked = given()
    keras.utils.set_random_seed(asked["seed"])
    images = np.load(asked["images"])[..., None].astype("float32") / 255
    gan = Gan()
    gan.compile()
    shuffled = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=asked["seed"])
    batches = shuffled.repeat().batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    steps = max(1, asked["every"] // BATCH)
    fits = count()

    def fit() -> None:
        first = next(fits)
        gan.fit(batches, epochs=first + 1, initial_epoch=first, steps_per_epoch=steps, shuffle=False, verbose=0)

    def draw(number: int) -> np.ndarray:
        drawn = gan.generator.predict(np.random.default_rng(1).normal(size=(number, LATENTS)), verbose=0)
        return np.asarray(np.clip(np.round(255 * drawn), 0, 255).astype("uint8"))

    train(fit, draw, steps * BATCH, asked)


if __name__ == "__main__":
    main()
