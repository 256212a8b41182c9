"""WGAN-LP (Petzka et al. 2017), https://arxiv.org/abs/1709.08894

As WGAN-GP, but slopes below 1 cost nothing, as the theory asks (section 5), so that large weights do no harm. It brings
no networks: `dcgan+wgan_lp`, `vanilla+wgan_lp`. Points are taken from lines between real and generated samples; the
paper also perturbs them locally, as DRAGAN does.

When to use it: as `wgan_gp`, where a larger penalty is wanted without harm.
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
class WganLpRecipe(Recipe):
    """Section 6: WGAN-GP's settings, whose penalty of 10 is for images; 5 for points."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "layer"
    lipschitz_penalty: float = 10.0


@hookimpl
def recipe() -> WganLpRecipe:
    """The paper's values."""
    return WganLpRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """The penalty holds each sample's slope."""
    layers.check_slope_penalty("wgan_lp", discriminator)


discriminator_loss = hookimpl(losses.wasserstein_critic_loss)
generator_loss = hookimpl(losses.wasserstein_generator_loss)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_samples: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: WganLpRecipe,
) -> Any:
    """Equation 8: weight * E[max(0, |grad f(x)| - 1)^2] at x from lines between real and generated samples."""
    slopes = losses.slopes_between(real_fields, fake_samples, discriminate, gradients, seed)
    return recipe.lipschitz_penalty * ops.mean(ops.square(ops.relu(losses.norms(slopes) - 1)))
