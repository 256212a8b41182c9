"""LeCam regularization (Tseng et al. 2021), https://arxiv.org/abs/2104.03310

Real logits are held below a running mean of generated ones, and generated ones above a running mean of real ones, on
top of any stack: `dcgan+hinge+lecam`. Distances count where they exceed the anchor, as in the paper's code. On several
devices TensorFlow penalizes by anchors that each device's share has moved; those that are kept are of the whole batch.

When to use it: with few images, on top of `diffaugment` rather than in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, networks


@dataclass(frozen=True)
class LecamRecipe(Recipe):
    """The paper's code on CIFAR-10."""

    lecam_weight: float = 0.3
    lecam_decay: float = 0.9  # of the anchors
    lecam_start: int = 1000  # steps; until then the anchors are the means of the batch and nothing is penalized


@hookimpl
def recipe() -> LecamRecipe:
    """The paper's values."""
    return LecamRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """Vectors have no mean that would be an anchor."""
    networks.check_tells_apart("lecam", discriminator)


@hookimpl
def variables() -> dict[str, keras.Variable]:
    """Both anchors."""
    return {name: keras.Variable(0.0, trainable=False, name=name) for name in ("lecam_real", "lecam_fake")}


@hookimpl
def discriminator_penalty(
    real_logits: Any, fake_logits: Any, variables: Mapping[str, keras.Variable], step: Any, recipe: LecamRecipe
) -> Any:
    """Equation 5: weight * (E[max(0, D(x) - a_fake)^2] + E[max(0, a_real - D(G(z)))^2]), the anchors moved before."""
    real, fake = anchors(real_logits, fake_logits, variables, step, recipe)
    penalty = ops.mean(ops.square(ops.relu(real_logits - fake))) + ops.mean(ops.square(ops.relu(real - fake_logits)))
    return ops.where(step < recipe.lecam_start, 0.0, recipe.lecam_weight * penalty)


@hookimpl
def observe(
    player: str,
    real_logits: Any,
    fake_logits: Any,
    variables: Mapping[str, keras.Variable],
    step: Any,
    recipe: LecamRecipe,
) -> Mapping[str, Any]:
    """Keep the anchors that this update's penalty had."""
    if player == "generator":
        return {}
    real, fake = anchors(real_logits, fake_logits, variables, step, recipe)
    variables["lecam_real"].assign(real)
    variables["lecam_fake"].assign(fake)
    return {"real": real, "fake": fake}


def anchors(
    real_logits: Any, fake_logits: Any, variables: Mapping[str, keras.Variable], step: Any, recipe: LecamRecipe
) -> tuple[Any, Any]:
    """Both running means with this batch."""
    decay = ops.where(step < recipe.lecam_start, 0.0, recipe.lecam_decay)
    pairs = ((variables["lecam_real"], real_logits), (variables["lecam_fake"], fake_logits))
    real, fake = (decay * anchor + (1 - decay) * ops.stop_gradient(ops.mean(logits)) for anchor, logits in pairs)
    return real, fake
