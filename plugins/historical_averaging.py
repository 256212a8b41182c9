"""Historical averaging (Salimans et al. 2016, section 3.3), https://arxiv.org/abs/1606.03498

Each player's weights are held near the mean of all that they have been, on top of any stack:
`dcgan+historical_averaging`. The means cost as much memory as both players. The paper names no weight.

When to use it: for games of few parameters that run in circles; for images an average of weights (`average_decay`),
which the zoo has anyway, does what one hopes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl


@dataclass(frozen=True)
class HistoricalAveragingRecipe(Recipe):
    """The term as section 3.3 adds it."""

    historical_weight: float = 1.0


@hookimpl
def recipe() -> HistoricalAveragingRecipe:
    """The paper's term."""
    return HistoricalAveragingRecipe()


@hookimpl
def variables(generator: keras.Model, discriminator: keras.Model) -> dict[str, keras.Variable]:
    """The mean of each weight, at first the weight."""
    players = {"generator": generator, "discriminator": discriminator}
    return {
        mean_name(player, place): keras.Variable(weight.numpy(), trainable=False, name=mean_name(player, place))
        for player, model in players.items()
        for place, weight in enumerate(model.trainable_variables)
    }


@hookimpl
def discriminator_penalty(
    discriminator: keras.Model, variables: Mapping[str, keras.Variable], recipe: HistoricalAveragingRecipe
) -> Any:
    """weight * |theta - mean of theta|^2 of the discriminator."""
    return recipe.historical_weight * distance("discriminator", discriminator.trainable_variables, variables)


@hookimpl
def generator_penalty(
    generator: keras.Model, variables: Mapping[str, keras.Variable], recipe: HistoricalAveragingRecipe
) -> Any:
    """weight * |theta - mean of theta|^2 of the generator."""
    return recipe.historical_weight * distance("generator", generator.trainable_variables, variables)


@hookimpl
def observe(
    player: str,
    generator: keras.Model,
    discriminator: keras.Model,
    variables: Mapping[str, keras.Variable],
    update: Any,
) -> None:
    """Move the means: the first weights and those after each update count alike."""
    model = generator if player == "generator" else discriminator
    share = 1 / ops.cast(update + 2, "float32")
    for place, weight in enumerate(model.trainable_variables):
        mean = variables[mean_name(player, place)]
        mean.assign(mean + ops.cast(share, mean.dtype) * (weight - mean))


def distance(player: str, weights: Sequence[keras.Variable], variables: Mapping[str, keras.Variable]) -> Any:
    """The squared distance of all weights from their means."""
    pairs = [(weight, variables[mean_name(player, place)]) for place, weight in enumerate(weights)]
    return sum(ops.sum(ops.square(weight - mean)) for weight, mean in pairs)


def mean_name(player: str, place: int) -> str:
    """By the order of the player's weights, which every process shares."""
    return f"historical_{player}_{place}"
