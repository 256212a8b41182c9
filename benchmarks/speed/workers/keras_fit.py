"""The usual Keras way: a model with a `train_step`, trained by `fit`, in the manner of the examples of keras.io.

Stock layers, `GradientTape`, a tf.data pipeline. `jit_compile` stays at "auto" unless the contender says otherwise.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..cases import LATENTS, Case, RMSprop
from ..contenders import Options
from ..data import random_images
from .keras_networks import build_discriminator, build_generator
from .on_tensorflow import device_memory, device_name, library, multiplication

__all__ = ["Fit", "build", "device_memory", "device_name", "multiplication", "versions"]

SHUFFLED = 1024  # images, refilled at the start of every round
SMALLEST_SQUARE = 1e-12  # under the root of the penalty's norm


class Gan(keras.Model):
    """Both players; a batch holds the real images of all critic updates of a step."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case
        self.generator = build_generator(case)
        self.discriminator = build_discriminator(case)

    def compile(self, **settings: Any) -> None:
        """Make optimizers and metrics."""
        super().compile(**settings)
        self.generator_optimizer, self.discriminator_optimizer = optimizer(self.case), optimizer(self.case)
        self.generator_loss = keras.metrics.Mean(name="generator")
        self.discriminator_loss = keras.metrics.Mean(name="discriminator")

    @property
    def metrics(self) -> list[keras.Metric]:
        """The losses' means over an epoch."""
        return [self.discriminator_loss, self.generator_loss]

    def train_step(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """The critic's updates, then the generator's."""
        size = self.case.batch
        for number in range(self.case.critic_steps):
            self.train_discriminator(images[number * size : (number + 1) * size])
        self.train_generator(size)
        return {metric.name: metric.result() for metric in self.metrics}

    def train_discriminator(self, real: tf.Tensor) -> None:
        """One update on real images and as many fakes."""
        fake = self.generator(tf.random.normal((self.case.batch, LATENTS)), training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            if self.case.loss == "wasserstein":
                loss = tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)
            elif self.case.loss == "hinge":
                loss = tf.reduce_mean(tf.nn.relu(1 - real_logits)) + tf.reduce_mean(tf.nn.relu(1 + fake_logits))
            else:
                loss = cross_entropy(1.0, real_logits) + cross_entropy(0.0, fake_logits)
            if self.case.penalty:
                loss += self.case.penalty * self.gradient_penalty(real, fake)
        weights = self.discriminator.trainable_weights
        self.discriminator_optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        if self.case.clip:
            for weight in weights:
                weight.assign(tf.clip_by_value(weight, -self.case.clip, self.case.clip))
        self.discriminator_loss.update_state(loss)

    def train_generator(self, size: int) -> None:
        """One update."""
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((size, LATENTS)), training=True)
            logits = self.discriminator(fake, training=True)
            loss = cross_entropy(1.0, logits) if self.case.loss == "cross-entropy" else -tf.reduce_mean(logits)
        weights = self.generator.trainable_weights
        self.generator_optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.generator_loss.update_state(loss)

    def gradient_penalty(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """How far the slope between real and fake images is from 1."""
        share = tf.random.uniform((self.case.batch, 1, 1, 1))
        between = share * real + (1 - share) * fake
        with tf.GradientTape() as tape:
            tape.watch(between)
            logits = self.discriminator(between, training=True)
        slopes = tape.gradient(logits, between)
        norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3]) + SMALLEST_SQUARE)
        return tf.reduce_mean(tf.square(norms - 1.0))


class Fit:
    """`Gan.fit`, a round an epoch."""

    def __init__(self, case: Case, options: Options) -> None:
        self.model = Gan(case)
        self.model.compile(jit_compile=options.spec.compiled or "auto")
        self.pipeline = pipeline(case)
        self.parameters = tuple(trainable(each) for each in (self.model.generator, self.model.discriminator))
        self.notes = [f"jit_compile={self.model.jit_compile}"]

    def train(self, steps: int) -> dict[str, float]:
        """Train; the losses are means."""
        history = self.model.fit(self.pipeline, steps_per_epoch=steps, shuffle=False, verbose=0).history
        return {name: float(values[-1]) for name, values in history.items()}


def build(case: Case, options: Options) -> Fit:
    """The case's training."""
    return Fit(case, options)


def pipeline(case: Case) -> tf.data.Dataset:
    """Endless shuffled batches in [-1, 1], prefetched."""
    images = tf.data.Dataset.from_tensor_slices(random_images(case))
    batches = images.shuffle(SHUFFLED).repeat().batch(case.images_per_step, drop_remainder=True)
    floats = batches.map(lambda each: tf.cast(each, tf.float32) / 127.5 - 1.0, num_parallel_calls=tf.data.AUTOTUNE)
    return floats.prefetch(tf.data.AUTOTUNE)


def optimizer(case: Case) -> keras.Optimizer:
    """One player's."""
    chosen = case.optimizer
    if isinstance(chosen, RMSprop):
        # Keras adds epsilon under the root: its square there is about the same
        return keras.optimizers.RMSprop(chosen.rate, rho=chosen.rho, epsilon=chosen.epsilon**2)
    return keras.optimizers.Adam(chosen.rate, chosen.beta_1, chosen.beta_2, epsilon=chosen.epsilon)


def cross_entropy(target: float, logits: tf.Tensor) -> tf.Tensor:
    """Binary, from logits, mean over the batch."""
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.fill(tf.shape(logits), target), logits=logits)
    )


def trainable(model: keras.Model) -> int:
    """Trainable numbers of a model."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def versions() -> dict[str, str]:
    """What computes."""
    return {**library(), "keras": keras.__version__}
