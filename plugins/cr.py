"""Consistency regularization (Zhang et al. 2019), https://arxiv.org/abs/1910.12027

CR: a real image has the same logit when it is flipped and shifted, on top of any stack of images: `dcgan+hinge+cr`.
With batch normalization in the discriminator both passes have statistics of their own.

When to use it: as the cheapest protection against overfitting beside a gradient penalty, whose second-order derivatives
it does without; `bcr` adds generated images, and is the better one where time allows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers


@dataclass(frozen=True)
class CrRecipe(Recipe):
    """Section 3.1."""

    cr_weight: float = 10.0


@hookimpl
def recipe() -> CrRecipe:
    """The paper's value."""
    return CrRecipe()


@hookimpl
def check(sample_shape: tuple[int, ...], plugins: Mapping[str, Any]) -> None:
    """Refuse points, and real images that are held twice."""
    if len(sample_shape) != 3:
        raise ZooError(f"Plugin 'cr' flips and shifts images; received samples of shape {sample_shape}.")
    if "bcr" in plugins:
        raise ZooError(
            "The plugins 'cr' and 'bcr' both hold real images: bcr is cr on generated ones as well. Use one."
        )


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    real_logits: Any,
    discriminate: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: CrRecipe,
) -> Any:
    """Equation 3: weight * E[(D(x) - D(T(x)))^2], both with a gradient."""
    moved = layers.flipped_and_shifted(real_fields["samples"], seed)
    return recipe.cr_weight * ops.mean(ops.square(real_logits - discriminate({**real_fields, "samples": moved})))
