"""Improved Training of Wasserstein GANs (Gulrajani et al. 2017), https://arxiv.org/abs/1704.00028

A Wasserstein critic held to gradients of norm 1 on lines between real and generated samples (algorithm 1). It brings
no networks: they come from the plugin below, as in `dcgan+wgan_gp`. BatchNorm is refused in the critic (section 4).

When to use it: where a training must not fail, whatever the network: its loss tells how far it is. It needs several
times the images of `dcgan` or `hinge` for the same quality.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, hookimpl, layers, losses
from zoo.recipe import Normalization

LOSS_FAMILY = "wasserstein"


@dataclass(frozen=True)
class WganGpRecipe(Recipe):
    """Algorithm 1: penalty 10, five critic updates, Adam at 1e-4 without first momentum."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "layer"  # section 4 recommends it in place of BatchNorm
    gradient_penalty: float = 10.0


@hookimpl
def recipe() -> WganGpRecipe:
    """The paper's values."""
    return WganGpRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """Refuse BatchNorm: the penalty is one of each sample's gradient, which BatchNorm ties to the batch (section 4)."""
    layers.check_slope_penalty("wgan_gp", discriminator)


discriminator_loss = hookimpl(losses.wasserstein_critic_loss)
generator_loss = hookimpl(losses.wasserstein_generator_loss)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_samples: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: WganGpRecipe,
) -> Any:
    """Equation 3: weight * E[(|grad f(x)| - 1)^2] at x drawn uniformly from lines between real and fake samples.

    A conditional critic judges them under the real labels.
    """
    slopes = losses.slopes_between(real_fields, fake_samples, discriminate, gradients, seed)
    return recipe.gradient_penalty * losses.off_unit(slopes)
