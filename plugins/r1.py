"""R1 regularization (Mescheder et al. 2018), https://arxiv.org/abs/1801.04406

Penalizes the discriminator's gradient on real samples, on top of any stack: `dcgan+r1`, `vanilla+r1`.

When to use it: on any loss with logits, whenever a discriminator is too strong or training swings: the standard
penalty. Too large a gamma makes samples blurred; sweep it in powers of ten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, hookimpl, layers, losses, networks


@dataclass(frozen=True)
class R1Recipe(Recipe):
    """Section 4.1 and the paper's experiments on images: gamma 10."""

    r1_gamma: float = 10.0
    r1_interval: int = 1  # discriminator updates; lazy above 1 (Karras et al. 2019, appendix B)


@hookimpl
def recipe() -> R1Recipe:
    """The paper's value."""
    return R1Recipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """The slope is one of a number that tells real from generated samples; spectral normalization bounds it too."""
    networks.check_tells_apart("r1", discriminator)
    layers.warn_of_two_bounds("r1", discriminator)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    update: Any,
    recipe: R1Recipe,
) -> Any:
    """Equation 9: gamma / 2 * E[|grad D(x)|^2] on real samples, D the logits."""

    def penalty() -> Any:
        return recipe.r1_gamma / 2 * losses.squared_slope(real_fields, discriminate, gradients)

    return losses.every(recipe.r1_interval, update, penalty)
