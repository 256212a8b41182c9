"""What a stack does where none of its plugins answers: the lowest layer of every stack."""

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo import losses
from zoo.hookspecs import hookimpl
from zoo.recipe import LEARNING_RATES, Recipe

FARTHEST = 2.0  # standard deviations that a truncation of 1 keeps


@hookimpl(trylast=True)
def latents(count: int, truncation: float | None, seed: keras.random.SeedGenerator, recipe: Recipe) -> Any:
    """Draw (count, Z) from N(0, 1); truncated, from what of it lies within 2 psi (Brock et al. 2018, section 3.1)."""
    shape = (count, recipe.latent_size)
    if truncation is None:
        return keras.random.normal(shape, seed=seed)
    reach = math.erf(FARTHEST * truncation / math.sqrt(2))  # the share of the distribution that is kept
    return math.sqrt(2) * ops.erfinv(reach * keras.random.uniform(shape, -1.0, 1.0, seed=seed))


@hookimpl(trylast=True)
def optimizers(recipe: Recipe) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Adam for both players, at the recipe's learning rates."""
    rates = (recipe.generator_learning_rate, recipe.discriminator_learning_rate)
    generator, discriminator = (
        keras.optimizers.Adam(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, epsilon=recipe.epsilon)
        for rate in rates
    )
    return generator, discriminator


@hookimpl(trylast=True)
def schedule(images_seen: Any, recipe: Recipe) -> Mapping[str, Any]:
    """Let both learning rates fall over the horizon as the recipe says."""
    if recipe.learning_rate_schedule == "constant":
        return {}
    curve = {"linear": losses.linear, "cosine": losses.cosine}[recipe.learning_rate_schedule]
    share = curve(1.0, recipe.learning_rate_end, losses.progress_of(images_seen, recipe))
    return {name: getattr(recipe, name) * share for name in LEARNING_RATES}
