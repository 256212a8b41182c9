"""Generative Adversarial Nets (Goodfellow et al. 2014), https://arxiv.org/abs/1406.2661

Two multilayer perceptrons, for images of any size and for points. `generator_objective` chooses between the two losses
of section 3: non-saturating (-log D(G(z)), what the paper trains with) and minimax (log(1 - D(G(z))), equation 1).

When to use it: for points, for teaching and as the baseline that everything else must beat; for images take `dcgan`.

Deviations: the paper's maxout discriminator and its momentum SGD are a leaky ReLU and Adam here, and the generator
normalizes its batches, as later practice found necessary; dropout in the discriminator is the paper's.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import keras

from zoo import Recipe, hookimpl, losses
from zoo.layers import BatchNormalization, at_ends, normalized
from zoo.recipe import Normalization

LOSS_FAMILY = "cross-entropy"
SLOPE = 0.2  # of the leaky ReLU


@dataclass(frozen=True)
class VanillaRecipe(Recipe):
    """An MLP for each player, and which of the paper's two losses the generator minimizes."""

    batch_size: int = 100  # the paper's code
    discriminator_normalization: Normalization = "none"
    generator_units: tuple[int, ...] = (256, 512, 1024)
    discriminator_units: tuple[int, ...] = (1024, 512, 256)
    generator_normalization: Literal["batch", "none"] = "batch"
    dropout: float = 0.3  # in the discriminator
    generator_objective: Literal["non-saturating", "minimax"] = "non-saturating"


@hookimpl
def recipe() -> VanillaRecipe:
    """The paper's batch; widths that suit 28 x 28 pixels."""
    return VanillaRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: VanillaRecipe) -> keras.Model:
    """Latents (B, Z) through hidden layers to samples, tanh for images, linear for points."""
    latents = x = keras.Input((recipe.latent_size,))
    for units in recipe.generator_units:
        x = keras.layers.Dense(units)(x)
        x = BatchNormalization()(x) if recipe.generator_normalization == "batch" else x
        x = keras.layers.ReLU()(x)
    is_image = len(sample_shape) == 3
    x = keras.layers.Dense(prod(sample_shape), activation="tanh" if is_image else None)(x)
    return keras.Model(latents, keras.layers.Reshape(sample_shape)(x), name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: VanillaRecipe) -> keras.Model:
    """Samples through hidden layers with dropout to logits (B, 1)."""
    kind = recipe.discriminator_normalization
    samples = keras.Input(sample_shape)
    x: Any = keras.layers.Flatten()(samples)
    for index, units in enumerate(recipe.discriminator_units):
        x = normalized(keras.layers.Dense(units), kind if index else at_ends(kind))(x)
        x = keras.layers.LeakyReLU(SLOPE)(x)
        x = keras.layers.Dropout(recipe.dropout)(x) if recipe.dropout else x
    x = keras.layers.Identity(name="features")(x)
    return keras.Model(samples, normalized(keras.layers.Dense(1), at_ends(kind))(x), name="discriminator")


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "a gradient penalty (+r1 after the stack's name) or the variant wgan-gp"


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)


@hookimpl
def generator_loss(fake_logits: Any, recipe: VanillaRecipe) -> Any:
    """-log D(G(z)), or log(1 - D(G(z))) where generator_objective=minimax (section 3)."""
    if recipe.generator_objective == "minimax":
        return losses.minimax_generator_loss(fake_logits)
    return losses.non_saturating_generator_loss(fake_logits)
