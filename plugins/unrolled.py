"""Unrolled GANs (Metz et al. 2016), https://arxiv.org/abs/1611.02163

The generator minimizes its loss against the discriminator that K steps of training would make of today's, and
differentiates through these steps: `vanilla+unrolled`, `dcgan+unrolled`. Time and memory of its update grow with K.

The steps are Adam's, as in the paper's code, from the moments that the discriminator's own Adam has; those are kept
here once more. They descend the cross-entropy alone, without penalties that other plugins add to it.

When to use it: to understand collapse on points and small networks; for images its time and memory, K times a
discriminator's, are better spent on a larger network with `r1`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, losses, networks

LOSS_FAMILY = "unrolled cross-entropy"
MOMENTS = ("unrolled_first", "unrolled_second")  # of Adam


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
    """Both moments of all of the discriminator's weights, one after the other, and how many updates these have had."""
    size = sum(prod(weight.shape) for weight in discriminator.trainable_variables)
    shapes = {"unrolled_updates": (), **dict.fromkeys(MOMENTS, (size,))}
    return {name: keras.Variable(ops.zeros(shape), trainable=False, name=name) for name, shape in shapes.items()}


@hookimpl
def observe(
    player: str, weight_gradients: Sequence[Any], variables: Mapping[str, keras.Variable], recipe: UnrolledRecipe
) -> None:
    """Follow the discriminator's Adam."""
    if player == "discriminator":
        variables["unrolled_updates"].assign(variables["unrolled_updates"] + 1)
        kept = [variables[name] for name in MOMENTS]
        gradient = networks.flattened(weight_gradients)[: kept[0].shape[0]]
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

    def loss(values: Any) -> Any:
        with networks.substituted(zip(weights, networks.unflattened(values, weights), strict=True)):
            return losses.cross_entropy_discriminator_loss(discriminate(real_fields), discriminate(fake_fields))

    values, moments = networks.flattened(weights), [variables[name] for name in MOMENTS]
    for step in range(recipe.unrolled_steps):
        moments = moments_after(moments, gradients(loss, values), recipe)
        finished = variables["unrolled_updates"] + step + 1
        correction = ops.sqrt(1 - recipe.beta_2**finished) / (1 - recipe.beta_1**finished)
        # epsilon inside of the root, whose gradient at 0 would be NaN
        move = correction * moments[0] / ops.sqrt(moments[1] + recipe.epsilon**2)
        values = values - recipe.discriminator_learning_rate * move
    return -loss(values)


def moments_after(kept: Sequence[Any], gradient: Any, recipe: UnrolledRecipe) -> list[Any]:
    """Adam's moments after a gradient."""
    pairs = ((recipe.beta_1, gradient), (recipe.beta_2, ops.square(gradient)))
    return [moment + (1 - beta) * (value - moment) for moment, (beta, value) in zip(kept, pairs, strict=True)]
