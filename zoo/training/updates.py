"""The step: the two players' updates, the same for every stack, written as functions to be traced.

They change `keras.Variable`s one after the other; an engine (zoo/backend) makes compiled functions of them.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo.backend.contract import Engine
from zoo.errors import ZooError
from zoo.stacks.stack import CORE, Stack
from zoo.training.feed import Player
from zoo.training.players import Players, refusing_unseeded_randomness
from zoo.training.terms import Terms, metric_names

Tensor = Any
Inputs = Mapping[str, Any]  # of an update or of a step, as zoo.training.feed makes them
PLAYERS: tuple[Player, ...] = ("discriminator", "generator")  # in the order of their updates


class Updates:
    """The updates of two players: what they compute, which variables each may write, what they measure."""

    def __init__(self, stack: Stack, players: Players, engine: Engine, classes: int | None) -> None:
        self.stack = stack
        self.players = players
        self.engine = engine
        self.classes = classes
        self.recipe = stack.recipe
        self.share = engine.share(self.recipe.batch_size)  # raises where the devices can't divide it
        self.seeds = {name: keras.random.SeedGenerator(0) for name in (CORE, *stack.plugins)}
        self.average = self.build_average()
        self.metrics: dict[Player, list[str]] = {player: metric_names(stack, player) for player in PLAYERS}
        self.resident: Mapping[str, keras.Variable] = {}
        """The dataset, where it lies on the device: batches are then indices."""

    def build_average(self) -> list[keras.Variable]:
        """Copies of the generator's trainable variables, to average them over steps; none where the recipe has none."""
        if not self.recipe.average_decay:
            return []
        weights = self.players.generator.trainable_variables
        return [keras.Variable(weight.numpy(), trainable=False, name=f"average_{weight.name}") for weight in weights]

    @property
    def metric_names(self) -> list[str]:
        """Of a whole step: the discriminator's, then the generator's."""
        return [*self.metrics["discriminator"], *self.metrics["generator"]]

    def many_steps(self, inputs: Any, count: Tensor) -> Tensor:
        """The first `count` of the steps, traced once; returns (steps, metrics)."""
        return self.engine.repeat(self.one_step, inputs, count, self.variables, len(self.metric_names))

    def one_step(self, inputs: Inputs) -> Tensor:
        """A step, traced once; returns all metrics."""
        critic, width = self.recipe.critic_steps, len(self.metrics["discriminator"])
        if critic == 1:
            discriminator = self.discriminator_update(first_of(inputs["discriminator"]))
        else:
            owned = self.owned("discriminator")
            rows = self.engine.repeat(self.discriminator_update, inputs["discriminator"], critic, owned, width)
            discriminator = rows[critic - 1]
        return ops.concatenate([discriminator, self.generator_update(inputs["generator"])])

    def discriminator_update(self, inputs: Inputs) -> Tensor:
        """Move the discriminator; of the generator nothing changes, moving statistics included."""
        return self.player_update("discriminator", inputs)

    def generator_update(self, inputs: Inputs) -> Tensor:
        """Move the generator and its average; of the discriminator nothing changes, moving statistics included."""
        metrics = self.player_update("generator", inputs)
        if self.average:
            self.follow_average(inputs["step"])
        return metrics

    def player_update(self, player: Player, inputs: Inputs) -> Tensor:
        """One gradient step of one player, traced once; all writes are held back but those to the player's own.

        Returns the metrics in the order of their names, (metrics,).
        """
        model, optimizer = self.model(player), self.optimizer(player)

        def compute() -> tuple[Tensor, dict[str, Tensor]]:
            for index, generator in enumerate(self.seeds.values()):
                generator.state.assign(inputs["seeds"][index])
            real = prepared(self.engine.shard(self.real_batch(inputs["batch"])))
            step = inputs["step"]
            terms = Terms(self.stack, self.players, self.engine, self.classes, self.share, step, self.seeds, real)
            with refusing_unseeded_randomness():
                return terms.loss(player)

        weights = model.trainable_variables
        state = [*model.non_trainable_variables, *self.players.variables.values()]
        parts, gradients, written = self.engine.player_gradients(compute, weights, state, self.recipe.batch_size)
        optimizer.apply(gradients, weights)
        for variable, value in zip(state, written, strict=True):
            variable.assign(value)
        norm = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
        return ops.stack([ops.cast(each, keras.config.floatx()) for each in (*parts.values(), norm)])

    def real_batch(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The batch, gathered by its indices where the data lies on the device."""
        if "indices" not in batch:
            return dict(batch)
        return {name: ops.take(each, batch["indices"], axis=0) for name, each in self.resident.items()}

    def check_dependence(self, first: Mapping[str, float]) -> None:
        """Refuse a loss that does not depend on its player's weights, by the first step's metrics."""
        for player in self.metrics:
            if first[f"{player}_gradient_norm"] == 0:
                raise ZooError(
                    f"The {player}'s loss depends on none of its weights: its first gradient is zero. "
                    f"Plugin '{self.stack.provider(f'{player}_loss')}', hook '{player}_loss': "
                    "compute it from the logits, without ops.stop_gradient or NumPy."
                )

    def follow_average(self, step: Tensor) -> None:
        """Move the average towards the weights; early on faster, so that the initial weights are soon forgotten."""
        finished = ops.cast(step, "float32") + 1
        decay = ops.minimum(self.recipe.average_decay, finished / (finished + 9))
        for average, weight in zip(self.average, self.players.generator.trainable_variables, strict=True):
            share = ops.cast(1 - decay, average.dtype)
            average.assign(average + share * (weight - average))

    def model(self, player: Player) -> keras.Model:
        """The player's model."""
        return self.players.generator if player == "generator" else self.players.discriminator

    def optimizer(self, player: Player) -> keras.Optimizer:
        """The player's optimizer."""
        return self.players.generator_optimizer if player == "generator" else self.players.discriminator_optimizer

    def owned(self, player: Player) -> list[keras.Variable]:
        """What the player's update may write."""
        average = self.average if player == "generator" else []
        plugins = self.players.variables.values()
        return [*self.model(player).variables, *self.optimizer(player).variables, *average, *plugins]

    @property
    def variables(self) -> list[keras.Variable]:
        """All that a step may write."""
        return list({id(each): each for player in self.metrics for each in self.owned(player)}.values())


def first_of(inputs: Any) -> Any:
    """The first of stacked inputs."""
    return {name: first_of(each) for name, each in inputs.items()} if isinstance(inputs, Mapping) else inputs[0]


def prepared(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch as the step takes it: images from uint8 to [-1, 1]; points and labels as they are."""
    return {name: to_unit_range(tensor) if name == "samples" else tensor for name, tensor in batch.items()}


def to_unit_range(samples: Tensor) -> Tensor:
    """Images (B, H, W, C) of uint8 as floats in [-1, 1]; points unchanged."""
    if keras.backend.standardize_dtype(samples.dtype) != "uint8":
        return ops.cast(samples, keras.config.floatx())
    return ops.cast(samples, keras.config.floatx()) / 127.5 - 1.0
