"""Instance noise (Sonderby et al. 2016), https://arxiv.org/abs/1610.04490; Arjovsky and Bottou 2017, arXiv:1701.04862

The discriminator sees real and generated samples through Gaussian noise that fades along a line until the horizon is
reached, on top of any stack: `dcgan+instance_noise --set horizon=500000`.

When to use it: where a discriminator is sure within a few hundred steps and the generator's gradients vanish (`zoo
diagnose`), and to understand why. A gradient penalty does the same all along.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, losses


@dataclass(frozen=True)
class InstanceNoiseRecipe(Recipe):
    """How strong the noise begins; samples are within [-1, 1]."""

    instance_noise: float = 0.1  # standard deviation


@hookimpl
def recipe() -> InstanceNoiseRecipe:
    """A usual value."""
    return InstanceNoiseRecipe()


@hookimpl
def check(recipe: InstanceNoiseRecipe) -> None:
    """Refuse a stack that does not say when the noise is to be gone."""
    if not recipe.horizon:
        raise ZooError("Plugin 'instance_noise' fades its noise over a horizon: --set horizon=IMAGES.")


@hookimpl
def augment(samples: Any, progress: Any, seed: keras.random.SeedGenerator, recipe: InstanceNoiseRecipe) -> Any:
    """Section 2.3: x + N(0, sigma^2), other noise in each call."""
    deviation = ops.cast(losses.linear(recipe.instance_noise, 0.0, progress), samples.dtype)
    return samples + deviation * keras.random.normal(ops.shape(samples), seed=seed, dtype=samples.dtype)
