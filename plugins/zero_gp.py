"""Zero-centred gradient penalty (Thanh-Tung et al. 2019), https://arxiv.org/abs/1902.03984

0-GP: the discriminator's slope is to be 0 between real and generated samples, on top of any stack: `dcgan+zero_gp`. R1
and R2 (Mescheder et al. 2018) are the same at real and at generated samples.

Points are taken from straight lines between samples; the paper also follows paths of the latent space. The slope is
that of the logits.

When to use it: as `r1`, where the whole way between real and generated samples should be smooth; it generalizes better
in the paper, and costs the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses, networks


@dataclass(frozen=True)
class ZeroGpRecipe(Recipe):
    """The weight of the paper's experiments: 10 for images, up to 100."""

    zero_gp_weight: float = 10.0


@hookimpl
def recipe() -> ZeroGpRecipe:
    """The paper's value."""
    return ZeroGpRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """The slope is one of a number that tells real from generated samples; spectral normalization bounds it too."""
    networks.check_tells_apart("zero_gp", discriminator)
    layers.warn_of_two_bounds("zero_gp", discriminator)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_samples: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: ZeroGpRecipe,
) -> Any:
    """Section 5: weight * E[|grad D(x)|^2] at x from lines between real and generated samples."""
    slopes = losses.slopes_between(real_fields, fake_samples, discriminate, gradients, seed)
    return recipe.zero_gp_weight * ops.mean(losses.squared_norms(slopes))
