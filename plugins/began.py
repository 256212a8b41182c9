"""BEGAN: Boundary Equilibrium GANs (Berthelot et al. 2017), https://arxiv.org/abs/1703.10717

The discriminator is an autoencoder; real images are to be reconstructed well, generated ones badly, in a proportion
gamma that a controller k holds (section 3.4). Its logits are minus the error L(v) = |v - D(v)|, a mean over pixels and
channels, so that higher is more realistic, as everywhere in the zoo. For images whose sides can be halved.

When to use it: to study a discriminator that is an autoencoder, or for a measure of convergence in the log. Samples are
smooth and lack variety; as a first choice take another.

Deviations: the generator ends in a tanh, so that images keep their range; the skip connections that fade away
(section 3.5) are left out; rates are halved every 100,000 steps, as in a known implementation, and not where the
measure of convergence stalls. That measure is logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses, networks

LOSS_FAMILY = "boundary equilibrium"
HALVED_EVERY = 100_000  # steps


@dataclass(frozen=True)
class BeganRecipe(Recipe):
    """Section 4: batches of 16, 64 latents in [-1, 1], gamma .5; rates and filters of small images."""

    batch_size: int = 16
    latent_size: int = 64
    generator_learning_rate: float = 8e-5
    discriminator_learning_rate: float = 8e-5
    beta_1: float = 0.5
    began_lowest_rate: float = 2e-5
    began_gamma: float = 0.5  # diversity: how much of the data's error generated images have
    began_rate: float = 0.001  # lambda_k, the controller's
    autoencoder_width: int = 64  # n, the channels of the first level


@hookimpl
def recipe() -> BeganRecipe:
    """The paper's values."""
    return BeganRecipe()


latents = hookimpl(networks.uniform_latents)  # section 3.5


@hookimpl
def check(loss_family: str | None) -> None:
    """Minus an error is of no use under another loss, nor is the controller."""
    losses.check_own_loss("began", LOSS_FAMILY, loss_family)


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: BeganRecipe) -> keras.Model:
    """The decoder's architecture, with weights of its own."""
    inputs = keras.Input((recipe.latent_size,))
    return keras.Model(inputs, layers.decoded(inputs, sample_shape, recipe.autoencoder_width, "tanh"), name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: BeganRecipe) -> keras.Model:
    """Images to minus their error, (B, 1), with the reconstruction."""
    images = keras.Input(sample_shape)
    code = keras.layers.Identity(name="features")(layers.encoded(images, recipe.autoencoder_width, recipe.latent_size))
    made = layers.decoded(code, sample_shape, recipe.autoencoder_width)
    error = keras.layers.Flatten()(keras.layers.Subtract()([made, images]))
    return keras.Model(images, {"logits": MinusMean()(error), "reconstruction": made}, name="discriminator")


@keras.saving.register_keras_serializable(package="zoo")
class MinusMean(keras.layers.Layer):
    """The mean of -|x_i| over vectors (B, N): (B, 1)."""

    def call(self, inputs: Any) -> Any:
        """The pixelwise error of section 3.1, eta = 1."""
        return -ops.mean(ops.abs(inputs), axis=1, keepdims=True)


@layers.stock_equal(MinusMean)
def minus_mean(layer: MinusMean, inputs: Any, value: Any) -> Any:
    """By the same operations."""
    return layer.call(inputs)


@hookimpl
def variables() -> dict[str, keras.Variable]:
    """The controller's k, at first 0."""
    return {"began_k": keras.Variable(0.0, trainable=False, name="began_k")}


@hookimpl
def schedule(step: Any, recipe: BeganRecipe) -> Mapping[str, Any]:
    """Rates halved again and again, down to the lowest."""
    share = 0.5 ** ops.cast(step // HALVED_EVERY, "float32")
    names = ("generator_learning_rate", "discriminator_learning_rate")
    return {name: ops.maximum(getattr(recipe, name) * share, recipe.began_lowest_rate) for name in names}


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any, variables: Mapping[str, keras.Variable]) -> Any:
    """Section 3.4: L(x) - k L(G(z)), L = -logits."""
    return ops.mean(-real_logits) - variables["began_k"] * ops.mean(-fake_logits)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Section 3.4: L(G(z)), L = -logits."""
    return -fake_logits


@hookimpl
def observe(
    player: str, real_logits: Any, fake_logits: Any, variables: Mapping[str, keras.Variable], recipe: BeganRecipe
) -> Mapping[str, Any]:
    """Section 3.4: move k by lambda_k (gamma L(x) - L(G(z))), once an update of the discriminator."""
    if player == "generator":
        return {}
    error = ops.mean(-real_logits)
    balance = recipe.began_gamma * error - ops.mean(-fake_logits)
    k = variables["began_k"]
    k.assign(ops.clip(k + recipe.began_rate * balance, 0.0, 1.0))
    return {"k": k.value, "convergence": error + ops.abs(balance)}
