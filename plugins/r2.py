"""R2 regularization (Mescheder et al. 2018), https://arxiv.org/abs/1801.04406

Penalizes the discriminator's gradient on generated samples, on top of any stack: `dcgan+r2`, `dcgan+r1+r2`.

When to use it: with `r1` and `rpgan`, whose convergence needs both; alone `r1` is enough for other losses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, hookimpl, layers, losses, networks


@dataclass(frozen=True)
class R2Recipe(Recipe):
    """Section 4.1 and the paper's experiments on images: gamma 10."""

    r2_gamma: float = 10.0
    r2_interval: int = 1  # discriminator updates; lazy above 1 (Karras et al. 2019, appendix B)


@hookimpl
def recipe() -> R2Recipe:
    """The paper's value."""
    return R2Recipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """The slope is one of a number that tells real from generated samples; spectral normalization bounds it too."""
    networks.check_tells_apart("r2", discriminator)
    layers.warn_of_two_bounds("r2", discriminator)


@hookimpl
def discriminator_penalty(
    fake_fields: Mapping[str, Any],
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    update: Any,
    recipe: R2Recipe,
) -> Any:
    """Equation 10: gamma / 2 * E[|grad D(x)|^2] on generated samples, D the logits."""

    def penalty() -> Any:
        return recipe.r2_gamma / 2 * losses.squared_slope(fake_fields, discriminate, gradients)

    return losses.every(recipe.r2_interval, update, penalty)
