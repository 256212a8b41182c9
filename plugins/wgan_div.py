"""WGAN-div, Wasserstein divergence (Wu et al. 2017), https://arxiv.org/abs/1712.01026

The critic's slope is not held at a bound, its sixth power is penalized. It brings no networks: `dcgan+wgan_div`,
`vanilla+wgan_div`. Points are taken from lines between real and generated samples, the first of the paper's choices.
Its code has a weight of 10 where the paper has 2.

When to use it: as `wgan_gp`, where a target of the slope is unwanted; its sixth power leaves small slopes alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses
from zoo.recipe import Normalization

LOSS_FAMILY = "wasserstein"


@dataclass(frozen=True)
class WganDivRecipe(Recipe):
    """Section 4: k = 2, p = 6; Adam at 2e-4, four critic updates and layer normalization as in the paper's code."""

    batch_size: int = 64
    critic_steps: int = 4
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "layer"
    divergence_weight: float = 2.0  # k
    divergence_power: float = 6.0  # p


@hookimpl
def recipe() -> WganDivRecipe:
    """The paper's values."""
    return WganDivRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """The penalty is one of each sample's slope."""
    layers.check_slope_penalty("wgan_div", discriminator)


discriminator_loss = hookimpl(losses.wasserstein_critic_loss)
generator_loss = hookimpl(losses.wasserstein_generator_loss)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_samples: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: WganDivRecipe,
) -> Any:
    """Equation 8: k * E[|grad f(x)|^p] at x from lines between real and generated samples."""
    slopes = losses.slopes_between(real_fields, fake_samples, discriminate, gradients, seed)
    return recipe.divergence_weight * ops.mean(losses.squared_norms(slopes) ** (recipe.divergence_power / 2))
