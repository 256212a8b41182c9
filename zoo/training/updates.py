"""The step: the two players' updates, the same for every stack, written as functions to be traced.

They change `keras.Variable`s one after the other; an engine (zoo/backend) makes compiled functions of them.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.contract import Engine, GradientTask
from zoo.backend.scopes import reading_only
from zoo.base.pictures import from_pixels
from zoo.errors import ZooError
from zoo.hookspecs import Player
from zoo.losses import progress_of
from zoo.recipe import LEARNING_RATES, Recipe
from zoo.stacks.stack import CORE, Stack
from zoo.training.derivation import derived
from zoo.training.players import Players
from zoo.training.randomness import refusing_repeated_randomness, refusing_unseeded_randomness
from zoo.training.terms import Moment, Terms, metric_names

Tensor = Any
Loss = Callable[[Terms], tuple[Tensor, dict[str, Tensor]]]  # the whole, and its parts by name
Inputs = Mapping[str, Any]  # of an update or of a step, as zoo.training.feed makes them
PLAYERS: tuple[Player, ...] = ("discriminator", "generator")  # in the order of their updates
OF_PLAYERS = ("variables", "generator", "discriminator", "classes", "fields")  # what `observe` may name of them
TINY = 1e-12  # under a quotient
OF_OPTIMIZERS = ("beta_1", "beta_2")  # recipe fields that a schedule moves inside the optimizers


@dataclass(frozen=True)
class Since:
    """From where images are counted: a run whose batches changed has another number of images a step since then."""

    steps: int = 0
    images: int = 0

    def images_at(self, step: Any, recipe: Recipe) -> Any:
        """The real images that the discriminator has consumed before a step, a number or a tensor."""
        each = recipe.critic_steps * recipe.batch_size
        return step * each if self == BEGINNING else self.images + (step - self.steps) * each


BEGINNING = Since()


class Updates:
    """The updates of two players: what they compute, which variables each may write, what they measure."""

    def __init__(self, stack: Stack, players: Players, engine: Engine, since: Since = BEGINNING) -> None:
        self.stack = stack
        self.players = players
        self.engine = engine
        self.since = since
        self.recipe = stack.recipe
        self.parts = self.recipe.accumulation
        self.share = engine.share(self.recipe.batch_size // self.parts)  # raises where the devices can't divide it
        self.seeds = {name: keras.random.SeedGenerator(0) for name in (CORE, *stack.plugins)}
        self.losses: dict[Player, list[str]] = {player: metric_names(stack, player) for player in PLAYERS}
        self.observed: dict[Player, list[str]] = {player: [] for player in PLAYERS}
        """The names of what `observe` logs, known once an update was traced."""
        self.resident: Mapping[str, keras.Variable] = {}
        """The dataset, where it lies on the device: batches are then indices."""
        self.sums: dict[Player, list[keras.Variable]] = {player: self.zero_sums(player) for player in PLAYERS}
        """Of the gradients and losses of a batch's earlier parts, zero between updates; empty where it has one part."""

    def outline(self, inputs: Mapping[Player, Inputs]) -> None:
        """Trace each update without running it where `observe` hooks decide by it what is logged."""
        if self.stack.implementations("observe"):
            for player in PLAYERS:
                self.engine.outline(self.update_of(player), inputs[player], self.owned(player), self.read_by(player))

    @property
    def average(self) -> Sequence[keras.Variable]:
        """What the averaged generator has in the place of the generator's variables."""
        return self.players.average

    @property
    def metrics(self) -> dict[Player, list[str]]:
        """What an update of each player measures."""
        return {player: [*self.losses[player], *self.observed[player]] for player in PLAYERS}

    @property
    def metric_names(self) -> list[str]:
        """Of a whole step: the discriminator's, then the generator's."""
        return [*self.metrics["discriminator"], *self.metrics["generator"]]

    def many_steps(self, inputs: Any, count: Tensor) -> Tensor:
        """The first `count` of the steps, traced once; returns (steps, metrics)."""
        return self.engine.repeat(self.one_step, inputs, count, self.variables, len(self.metric_names))

    def one_step(self, inputs: Inputs) -> Tensor:
        """A step, traced once; returns all metrics, those of the last update of each player."""
        return ops.concatenate([self.updates_of(player, inputs[player]) for player in PLAYERS])

    def updates_of(self, player: Player, inputs: Inputs) -> Tensor:
        """All updates of a player in a step; returns the last one's metrics."""
        count, update = self.count_of(player), self.update_of(player)
        if self.parts > 1:
            update = self.update_in_parts(player)
        if count == 1:
            return update(at(inputs, 0))
        width = len(self.metrics[player])
        return self.engine.repeat(update, inputs, count, self.owned(player), width)[count - 1]

    def count_of(self, player: Player) -> int:
        """How many updates of the player a step has."""
        return self.recipe.critic_steps if player == "discriminator" else self.recipe.generator_steps

    def update_of(self, player: Player) -> Any:
        """The function that makes one update of the player."""
        return self.discriminator_update if player == "discriminator" else self.generator_update

    def discriminator_update(self, inputs: Inputs) -> Tensor:
        """Move the discriminator; of the generator nothing changes, moving statistics included."""
        return self.player_update("discriminator", inputs)

    def generator_update(self, inputs: Inputs) -> Tensor:
        """Move the generator and its average; of the discriminator nothing changes, moving statistics included."""
        return self.player_update("generator", inputs)

    def update_in_parts(self, player: Player) -> Callable[[Inputs], Tensor]:
        """The function that makes one update of the player from the inputs of all its parts, on a first axis."""

        def update(inputs: Inputs) -> Tensor:
            earlier = self.parts - 1
            self.engine.repeat(self.accumulation_of(player), inputs, earlier, self.owned(player), 1)
            return self.update_of(player)(at(inputs, earlier))

        return update

    def accumulation_of(self, player: Player) -> Callable[[Inputs], Tensor]:
        """The function that adds what a part of a batch says to the player's sums; it moves no weight."""

        def accumulate(inputs: Inputs) -> Tensor:
            (losses, _), gradients, written = self.gradients(player, inputs, self.moment(player, inputs))
            for total, value in zip(self.sums[player], (*gradients, *losses.values()), strict=True):
                total.assign(total + value)
            for variable, value in zip(self.state(player), written, strict=True):
                variable.assign(value)
            return ops.zeros((1,), keras.config.floatx())

        return accumulate

    def zero_sums(self, player: Player) -> list[keras.Variable]:
        """Variables for the sums of a batch's earlier parts."""
        if self.parts == 1:
            return []
        shapes = [tuple(each.shape) for each in self.weights(player)]
        shapes += [()] * (len(self.losses[player]) - 1)  # the last name is the gradient's norm
        return [keras.Variable(np.zeros(each, keras.config.floatx()), trainable=False, name="sum") for each in shapes]

    def means(
        self, player: Player, losses: Mapping[str, Tensor], gradients: Sequence[Tensor]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The losses and gradients of a whole batch, by those of its last part and the sums, which are then zero."""
        sums = self.sums[player]
        if not sums:
            return dict(losses), list(gradients)
        values = [
            ops.cast((total + value) / self.parts, value.dtype)
            for total, value in zip(sums, (*gradients, *losses.values()), strict=True)
        ]
        for total in sums:
            total.assign(ops.zeros(total.shape, total.dtype))
        count = len(gradients)
        return dict(zip(losses, values[count:], strict=True)), values[:count]

    def player_update(self, player: Player, inputs: Inputs) -> Tensor:
        """One gradient step of one player, traced once; all writes are held back but those to the player's own.

        Returns the metrics in the order of their names, (metrics,).
        """
        moment = self.moment(player, inputs)
        (losses, seen), gradients, written = self.gradients(player, inputs, moment)
        losses, gradients = self.means(player, losses, gradients)
        norm = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
        gradients = self.clipped(gradients, norm, moment.recipe)
        state = self.state(player)
        self.apply(player, gradients, moment.recipe)
        for variable, value in zip(state, written, strict=True):
            variable.assign(value)
        if player == "generator" and self.average:
            self.follow_average(moment)
        logged = self.observe(player, moment, seen, self.weights(player), gradients)
        return ops.stack([ops.cast(each, keras.config.floatx()) for each in (*losses.values(), norm, *logged)])

    def clipped(self, gradients: list[Tensor], norm: Tensor, recipe: Recipe) -> list[Tensor]:
        """The gradients, scaled down where the norm of all of them together is larger than the recipe allows."""
        if not self.recipe.gradient_clip_norm:
            return gradients
        share = ops.minimum(recipe.gradient_clip_norm / (norm + TINY), 1.0)
        return [each * ops.cast(share, each.dtype) for each in gradients]

    def gradients(
        self,
        player: Player,
        inputs: Inputs,
        moment: Moment,
        loss: Loss = Terms.loss,
        seen: Callable[[Terms], dict[str, Any]] = Terms.observed,
    ) -> tuple[tuple[dict[str, Tensor], dict[str, Any]], list[Tensor], list[Tensor]]:
        """The gradient of a loss of the player by each of its weights, in a traced function that moves nothing.

        Returns ((the loss by its parts, what `seen` makes of the terms), gradients, new values of the player's state).
        """
        factor = 1 if player == "discriminator" else self.recipe.generator_batch_factor

        def compute() -> tuple[Tensor, tuple[dict[str, Tensor], dict[str, Any]]]:
            for index, generator in enumerate(self.seeds.values()):
                generator.state.assign(inputs["seeds"][index])
            batch = self.batch(inputs)
            terms = Terms(self.stack, self.players, self.engine, self.share * factor, moment, self.seeds, batch)
            with refusing_unseeded_randomness(), refusing_repeated_randomness(), reading_only(self.known):
                total, parts = loss(terms)
                return total, (parts, seen(terms))

        size = self.recipe.batch_size // self.parts * factor
        models = self.weights(player), self.state(player), size, self.discarded(player)
        return self.engine.player_gradients(compute, GradientTask(*models, self.players.variables))

    def moment(self, player: Player, inputs: Inputs) -> Moment:
        """When the update happens, with the recipe of then."""
        images = self.since.images_at(inputs["step"], self.recipe)
        recipe = self.scheduled(inputs["step"], images)
        return Moment(player, inputs["step"], inputs["update"], images, recipe)

    def scheduled(self, step: Tensor, images_seen: Tensor) -> Recipe:
        """The recipe with the values that the stack's schedules give it."""
        arguments = self.stack.argument_names("schedule")
        values: dict[str, Tensor] = {}
        terms = {"step": step, "images_seen": images_seen, "recipe": self.recipe}
        if "progress" in arguments:
            terms["progress"] = progress_of(images_seen, self.recipe)
        for plugin, answer in self.stack.each("schedule", **terms):
            for name, value in answer.items():
                if not hasattr(self.recipe, name):
                    raise ZooError(f"{self.stack.answer_of('schedule', plugin)}: '{name}' is no field of the recipe.")
                if name in LEARNING_RATES and plugin != CORE and self.recipe.learning_rate_schedule != "constant":
                    raise ZooError(
                        f"Plugin '{plugin}' has a schedule of its own for '{name}', beside the recipe's: --set "
                        "learning_rate_schedule=constant."
                    )
                values[name] = ops.cast(value, keras.config.floatx())
        values |= self.warmed(images_seen, values)
        if not values:
            return self.recipe
        recipe = copy.copy(self.recipe)
        for name, value in values.items():
            object.__setattr__(recipe, name, value)  # it is frozen for everybody else
        return recipe

    def warmed(self, images_seen: Tensor, scheduled: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The learning rates while they rise, from that of the first step's images on; {} without a warm-up."""
        if not self.recipe.warm_up:
            return {}
        seen = images_seen + self.recipe.critic_steps * self.recipe.batch_size
        share = ops.minimum(ops.cast(seen, keras.config.floatx()) / self.recipe.warm_up, 1.0)
        return {name: share * scheduled.get(name, getattr(self.recipe, name)) for name in LEARNING_RATES}

    def batch(self, inputs: Inputs) -> dict[str, Tensor]:
        """The real batch with the fields that plugins derive; empty where the update sees nothing real."""
        batch = self.seen(inputs, "batch")
        if not batch or not self.stack.implementations("derive"):
            return batch
        other = self.seen(inputs, "other_batch") if "other_batch" in inputs else {}
        return derived(self.stack, batch, other, self.players.classes, self.seeds, self.recipe)

    def seen(self, inputs: Inputs, name: str) -> dict[str, Tensor]:
        """This device's part of a real batch as the step takes it, mirrored where the recipe says so."""
        batch = prepared(self.engine.shard(self.real_batch(inputs[name])))
        if not batch or not self.recipe.mirror:
            return batch
        masks = self.engine.shard(inputs[f"mirrored_{name}"])
        return batch | {
            field: ops.where(ops.reshape(mask, (-1, 1, 1, 1)), ops.flip(batch[field], axis=2), batch[field])
            for field, mask in masks.items()
        }

    def apply(self, player: Player, gradients: Sequence[Tensor], recipe: Recipe) -> None:
        """Move the player's weights, and those of the further networks that are trained with it."""
        optimizers = self.optimizers(player)
        by_weight = {id(weight): each for weight, each in zip(self.weights(player), gradients, strict=True)}
        for optimizer, weights in optimizers:
            before = {name: getattr(optimizer, name, None) for name in OF_OPTIMIZERS}
            if recipe is not self.recipe:
                self.follow_schedule(player, optimizer, recipe)
            optimizer.apply([by_weight[id(weight)] for weight in weights], weights)
            for name, value in before.items():
                if value is not None:
                    setattr(optimizer, name, value)

    def follow_schedule(self, player: Player, optimizer: keras.Optimizer, recipe: Recipe) -> None:
        """Give the player's own optimizer the rates of now; a further network's keeps its own."""
        if optimizer is not self.optimizer(player):
            return
        rate = getattr(recipe, f"{player}_learning_rate")
        if rate is not getattr(self.recipe, f"{player}_learning_rate"):
            optimizer.learning_rate.assign(ops.cast(rate, optimizer.learning_rate.dtype))
        for name in OF_OPTIMIZERS:
            if hasattr(optimizer, name) and getattr(recipe, name) is not getattr(self.recipe, name):
                setattr(optimizer, name, getattr(recipe, name))

    def observe(
        self,
        player: Player,
        moment: Moment,
        seen: Mapping[str, Any],
        weights: Sequence[keras.Variable],
        gradients: Sequence[Tensor],
    ) -> list[Tensor]:
        """Ask the stack's `observe` hooks about the update; returns what they log, its names kept."""
        if not self.stack.implementations("observe"):
            return []
        terms: dict[str, Any] = dict.fromkeys(self.stack.arguments("observe"))
        terms |= {name: getattr(moment, name) for name in ("player", "step", "update", "images_seen", "recipe")}
        if "progress" in self.stack.argument_names("observe"):
            terms["progress"] = moment.progress
        terms |= {name: getattr(self.players, name) for name in OF_PLAYERS}
        terms |= {"networks": self.players.models, "weights": list(weights), "weight_gradients": list(gradients)}
        logged: dict[str, Tensor] = {}
        permitted = [*self.declared, *weights, *self.model(player).non_trainable_variables]
        with self.engine.hook_scope(permitted, self.players.variables) as scope, refusing_unseeded_randomness():
            for plugin, answer in self.stack.each("observe", **{**terms, **seen}):
                for name, value in (answer or {}).items():
                    if not isinstance(value, int | float) and not ops.is_tensor(value):
                        raise ZooError(
                            f"{self.stack.answer_of('observe', plugin)}: '{name}' must be a tensor, received "
                            f"{type(value).__name__}."
                        )
                    if len(ops.shape(value)):
                        raise ZooError(
                            f"{self.stack.answer_of('observe', plugin)}: '{name}' must be a scalar to be logged."
                        )
                    logged[f"{plugin}/{name}"] = value
        for variable, value in scope.writes:
            variable.assign(value)
        self.observed[player] = [f"{player}/{name}" for name in logged]
        return list(logged.values())

    def real_batch(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The batch, gathered by its indices where the data lies on the device."""
        if not batch or not self.resident:
            return dict(batch)
        return {name: ops.take(each, batch[name], axis=0) for name, each in self.resident.items()}

    def check_dependence(self, first: Mapping[str, float]) -> None:
        """Refuse a loss that does not depend on its player's weights, by the first step's metrics."""
        for player in PLAYERS:
            if first[f"{player}_gradient_norm"] == 0:
                raise ZooError(
                    f"The {player}'s loss depends on none of its weights: its first gradient is zero. "
                    f"{self.stack.answer_of(f'{player}_loss')}: "
                    "compute it from the logits, without ops.stop_gradient or NumPy."
                )

    def follow_average(self, moment: Moment) -> None:
        """Move the average towards the weights; early on faster, so that the initial weights are soon forgotten."""
        finished = ops.cast(moment.update, "float32") + 1
        decay = ops.minimum(moment.recipe.average_decay, finished / (finished + 9))
        for weight, average in self.players.averaged_pairs:
            share = ops.cast(1 - decay, average.dtype)
            average.assign(average + share * (weight - average))

    def model(self, player: Player) -> keras.Model:
        """The player's model."""
        return self.players.generator if player == "generator" else self.players.discriminator

    def optimizer(self, player: Player) -> keras.Optimizer:
        """The player's optimizer."""
        return self.players.generator_optimizer if player == "generator" else self.players.discriminator_optimizer

    def optimizers(self, player: Player) -> list[tuple[keras.Optimizer, list[keras.Variable]]]:
        """Every optimizer of the player's update with what it moves, the player's own first."""
        networks = self.players.networks_of(player).values()
        shared = [weight for each in networks if each.optimizer is None for weight in each.weights]
        own = [(each.optimizer, each.weights) for each in networks if each.optimizer is not None]
        return [(self.optimizer(player), [*self.model(player).trainable_variables, *shared]), *own]

    def weights(self, player: Player) -> list[keras.Variable]:
        """What the player's loss moves."""
        return [weight for _, weights in self.optimizers(player) for weight in weights]

    def state(self, player: Player) -> list[keras.Variable]:
        """What the player's hooks and layers may write while its loss is computed."""
        models = [self.model(player), *(each.model for each in self.players.networks_of(player).values())]
        layers = [variable for model in models for variable in model.non_trainable_variables]
        return [*layers, *self.declared]

    @cached_property
    def known(self) -> list[keras.Variable]:
        """Every variable of the stack's models; any other trainable one that a loss reads would never be trained."""
        models = (self.players.generator, self.players.discriminator, *self.players.models.values())
        return [variable for model in models for variable in model.variables]

    @property
    def declared(self) -> list[keras.Variable]:
        """The variables that plugins declared."""
        return list(self.players.variables.values())

    def discarded(self, player: Player) -> list[keras.Variable]:
        """What layers write while the player's loss is computed and no update keeps: the other models' state."""
        mine = {id(each) for each in self.state(player)}
        models = (self.players.generator, self.players.discriminator, *self.players.models.values())
        others = [each for model in models for each in model.non_trainable_variables if id(each) not in mine]
        return [*others, *(each.state for each in self.seeds.values())]

    def owned(self, player: Player) -> list[keras.Variable]:
        """What the player's update may write."""
        average = self.average if player == "generator" else []
        optimizers = [variable for optimizer, _ in self.optimizers(player) for variable in optimizer.variables]
        networks = [each for network in self.players.networks_of(player).values() for each in network.model.variables]
        return [*self.model(player).variables, *networks, *optimizers, *average, *self.declared, *self.sums[player]]

    def read_by(self, player: Player) -> list[keras.Variable]:
        """What the player's update reads and may not write."""
        owned = {id(each) for each in self.owned(player)}
        models = (self.players.generator, self.players.discriminator, *self.players.models.values())
        everything = [*(each for model in models for each in model.variables), *self.average]
        return list({id(each): each for each in everything if id(each) not in owned}.values())

    @cached_property
    def variables(self) -> list[keras.Variable]:
        """All that a step may write."""
        return list({id(each): each for player in PLAYERS for each in self.owned(player)}.values())


def at(inputs: Any, index: int) -> Any:
    """Those of stacked inputs at an index."""
    return {name: at(each, index) for name, each in inputs.items()} if isinstance(inputs, Mapping) else inputs[index]


def prepared(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch as the step takes it: images from uint8 to [-1, 1], labels as they are, all else in the step's floats."""
    return {name: as_computed(tensor) for name, tensor in batch.items()}


def as_computed(values: Tensor) -> Tensor:
    """Images (B, H, W, C) of uint8 as floats in [-1, 1]; floats as floats, whole numbers unchanged."""
    dtype = keras.backend.standardize_dtype(values.dtype)
    if dtype == "uint8":
        return from_pixels(ops.cast(values, keras.config.floatx()))
    return ops.cast(values, keras.config.floatx()) if dtype.startswith("float") else values
