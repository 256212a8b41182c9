"""Unrolled GANs (Metz et al. 2016), https://arxiv.org/abs/1611.02163

The generator minimizes its loss against the discriminator that K steps of training would make of today's, and
differentiates through these steps: `vanilla+unrolled`, `dcgan+unrolled`. Time and memory of its update grow with K.

The steps are Adam's, as in the paper's code, from the moments that the discriminator's own Adam has; those are kept
here once more. They descend the cross-entropy alone, without penalties that other plugins add to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, losses, networks

LOSS_FAMILY = "unrolled cross-entropy"


@dataclass(frozen=True)
class UnrolledRecipe(Recipe):
    """Appendix A, on points; 5 to 10 steps elsewhere."""

    generator_learning_rate: float = 1e-3
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.5
    unrolled_steps: int = 5  # K; 0 is the minimax GAN


@hookimpl
def recipe() -> UnrolledRecipe:
    """The paper's values."""
    return UnrolledRecipe()


@hookimpl
def variables(discriminator: keras.Model) -> dict[str, keras.Variable]:
    """Both moments of each weight of the discriminator, and how many updates it has had."""
    made = {"unrolled_updates": keras.Variable(0.0, trainable=False, name="unrolled_updates")}
    for place, weight in enumerate(discriminator.trainable_variables):
        for moment in (1, 2):
            name = moment_name(moment, place)
            made[name] = keras.Variable(ops.zeros(weight.shape, weight.dtype), trainable=False, name=name)
    return made


@hookimpl
def observe(
    player: str, weight_gradients: Sequence[Any], variables: Mapping[str, keras.Variable], recipe: UnrolledRecipe
) -> None:
    """Follow the discriminator's Adam."""
    if player == "discriminator":
        variables["unrolled_updates"].assign(variables["unrolled_updates"] + 1)
        count = sum(name.startswith("unrolled_1_") for name in variables)
        for place, gradient in enumerate(weight_gradients[:count]):
            kept = [variables[moment_name(moment, place)] for moment in (1, 2)]
            for variable, moved in zip(kept, moments_after(kept, gradient, recipe), strict=True):
                variable.assign(moved)


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)


@hookimpl
def generator_loss(
    real_fields: Mapping[str, Any],
    fake_fields: Mapping[str, Any],
    discriminate: Callable[..., Any],
    discriminator: keras.Model,
    gradients: Callable[..., Any],
    variables: Mapping[str, keras.Variable],
    recipe: UnrolledRecipe,
) -> Any:
    """Equation 4: the value of the game, minus the discriminator's loss, at the weights of equation 3."""
    weights = discriminator.trainable_variables

    def loss(values: Sequence[Any]) -> Any:
        with networks.substituted(zip(weights, values, strict=True)):
            return losses.cross_entropy_discriminator_loss(discriminate(real_fields), discriminate(fake_fields))

    values = [ops.stop_gradient(weight) for weight in weights]  # as tensors
    moments = [[variables[moment_name(each, place)] for each in (1, 2)] for place in range(len(weights))]
    for step in range(recipe.unrolled_steps):
        slopes = gradients(loss, values)
        moments = [moments_after(kept, slope, recipe) for kept, slope in zip(moments, slopes, strict=True)]
        finished = variables["unrolled_updates"] + step + 1
        correction = ops.sqrt(1 - recipe.beta_2**finished) / (1 - recipe.beta_1**finished)
        rate = recipe.discriminator_learning_rate * ops.cast(correction, values[0].dtype)
        # epsilon inside of the root, whose gradient at 0 would be NaN
        values = [
            value - rate * first / ops.sqrt(second + recipe.epsilon**2)
            for value, (first, second) in zip(values, moments, strict=True)
        ]
    return -loss(values)


def moments_after(kept: Sequence[Any], gradient: Any, recipe: UnrolledRecipe) -> list[Any]:
    """Adam's moments after a gradient."""
    pairs = ((recipe.beta_1, gradient), (recipe.beta_2, ops.square(gradient)))
    return [moment + (1 - beta) * (value - moment) for moment, (beta, value) in zip(kept, pairs, strict=True)]


def moment_name(moment: int, place: int) -> str:
    """By the order of the discriminator's weights."""
    return f"unrolled_{moment}_{place}"
