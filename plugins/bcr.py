"""Balanced consistency regularization (Zhao et al. 2020), https://arxiv.org/abs/2002.04724

bCR: real and generated images have the same logit when they are flipped and shifted, on top of any stack of images:
`dcgan+hinge+bcr`. With `zcr` beside it, it is the paper's ICR: `dcgan+hinge+bcr+zcr`.

When to use it: where a discriminator overfits flips and shifts that mean nothing in the data. It costs a second pass of
real and of generated images; not for letters and digits, which a flip changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers


@dataclass(frozen=True)
class BcrRecipe(Recipe):
    """Algorithm 1 and section 3."""

    bcr_real_weight: float = 10.0
    bcr_fake_weight: float = 10.0


@hookimpl
def recipe() -> BcrRecipe:
    """The paper's values."""
    return BcrRecipe()


@hookimpl
def check(sample_shape: tuple[int, ...]) -> None:
    """Refuse points."""
    if len(sample_shape) != 3:
        raise ZooError(f"Plugin 'bcr' flips and shifts images; received samples of shape {sample_shape}.")


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_fields: Mapping[str, Any],
    real_logits: Any,
    fake_logits: Any,
    discriminate: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: BcrRecipe,
) -> Any:
    """Algorithm 1: the mean of (D(x) - D(T(x)))^2 over real and over generated x, each with its weight."""

    def inconsistency(fields: Mapping[str, Any], logits: Any) -> Any:
        moved = layers.flipped_and_shifted(fields["samples"], seed)
        return ops.mean(ops.square(logits - discriminate({**fields, "samples": moved})))

    of_real = recipe.bcr_real_weight * inconsistency(real_fields, real_logits)
    return of_real + recipe.bcr_fake_weight * inconsistency(fake_fields, fake_logits)
