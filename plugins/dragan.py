"""DRAGAN (Kodali et al. 2017), https://arxiv.org/abs/1705.07215

The discriminator's slope is held at 1 around the data alone, on top of any stack: `dcgan+dragan`, `vanilla+dragan`.

The noise around the data is uniform within half a standard deviation of the batch, as in the paper's code, and centred,
as in equation 4, where the code's goes upwards alone and only brightens images. On several devices TensorFlow takes the
deviation of each device's share.

When to use it: where a gradient penalty beside a cross-entropy loss should keep a discriminator from cliffs around the
data; `r1` is today's simpler choice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses, networks
from zoo.recipe import Normalization

SPREAD = 0.5  # of the noise, in standard deviations of the batch


@dataclass(frozen=True)
class DraganRecipe(Recipe):
    """Section 3 and the paper's code: weight 10, slope 1, Adam at 1e-4."""

    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.5
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "none"  # the penalty is one of each sample's slope
    dragan_penalty: float = 10.0


@hookimpl
def recipe() -> DraganRecipe:
    """The paper's values."""
    return DraganRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """The penalty holds each sample's slope, which is one of a number."""
    networks.check_tells_apart("dragan", discriminator)
    layers.check_slope_penalty("dragan", discriminator)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: DraganRecipe,
) -> Any:
    """Equation 4: weight * E[(|grad D(x)| - 1)^2] at x from lines between real samples and noisy ones, D the logits."""
    real = real_fields["samples"]
    noise = keras.random.uniform(ops.shape(real), -1.0, 1.0, seed=seed, dtype=real.dtype)
    points = losses.between(real + SPREAD * ops.std(real) * noise, real, seed)
    slopes = losses.slopes({**real_fields, "samples": points}, discriminate, gradients)
    return recipe.dragan_penalty * losses.off_unit(slopes)
