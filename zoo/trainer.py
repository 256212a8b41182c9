"""The step: the two players' updates, the same for every stack, and the whole state as arrays."""

import re
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from zoo import backend
from zoo.backend.scopes import apply_writes
from zoo.data import Dataset, SampleOrder
from zoo.errors import ZooError
from zoo.players import Players, build_players, refusing_unseeded_randomness
from zoo.sampler import Sampler
from zoo.stack import CORE, HOOKS_OF_PLAYER, Stack
from zoo.terms import REAL, Terms

Tensor = Any
Player = Literal["discriminator", "generator"]
COUNTER = re.compile(r"_\d+")  # Keras numbers names by what else the process has built
SEED_WORDS = 2  # uint32 in the state of a Keras seed generator


class Trainer:
    """Trains one stack on one dataset with one seed, step by step.

    One step is `critic_steps` updates of the discriminator, each on a fresh real batch, then one of the generator.
    What a step draws is a function of (seed, step) alone, so that `state()` needs no history.
    """

    def __init__(self, stack: Stack, dataset: Dataset, seed: int = 0) -> None:
        self.stack = stack
        self.dataset = dataset
        self.seed = seed
        self.recipe = stack.recipe
        self.steps = 0  # finished
        self.order = SampleOrder(len(dataset.samples), self.recipe.batch_size, seed)
        self.players: Players = build_players(stack, dataset.sample_shape, dataset.classes, seed)
        self.seeds = {name: keras.random.SeedGenerator(0) for name in (CORE, *stack.plugins)}
        self.average = self.build_average()
        self.generator_sees_real = bool(
            stack.asked_for(*HOOKS_OF_PLAYER["generator"]) & REAL or "real_batch" in stack.asked_for("latents")
        )
        compiled = backend.current().compiled
        self.updates = {
            "discriminator": compiled(self.discriminator_update),
            "generator": compiled(self.generator_update),
        }

    def build_average(self) -> list[keras.Variable]:
        """Copies of the generator's trainable variables, to average them over steps; none where the recipe has none."""
        if not self.recipe.average_decay:
            return []
        weights = self.players.generator.trainable_variables
        return [keras.Variable(weight.numpy(), trainable=False, name=f"average_{weight.name}") for weight in weights]

    @property
    def images(self) -> int:
        """How many real samples the discriminator has consumed."""
        return self.steps * self.images_per_step

    @property
    def images_per_step(self) -> int:
        """How many real samples the discriminator consumes in a step."""
        return self.recipe.critic_steps * self.recipe.batch_size

    def step(self) -> dict[str, float]:
        """Train one step; returns the losses, penalties and gradient norms of the last update of each player."""
        batches_per_step = self.recipe.critic_steps + self.generator_sees_real
        first = self.steps * batches_per_step
        for number in range(self.recipe.critic_steps):
            metrics = self.update("discriminator", number, self.batch(first + number))
        real = self.batch(first + self.recipe.critic_steps) if self.generator_sees_real else {}
        metrics = {**metrics, **self.update("generator", 0, real)}
        self.steps += 1
        return {name: float(value) for name, value in metrics.items()}

    def update(self, player: Player, number: int, batch: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        """One compiled update of one player, the `number`th in this step."""
        with refusing_unseeded_randomness():  # it matters in the first call, which traces
            result: dict[str, Tensor] = self.updates[player](
                np.int32(self.steps), self.seed_states(player, number), dict(batch)
            )
        return result

    def batch(self, number: int) -> dict[str, np.ndarray]:
        """The real batch of that number, as it is at rest."""
        indices = self.order.indices(number)
        batch = {"samples": self.dataset.batch(indices)}
        labels = self.dataset.batch_labels(indices)
        return batch if labels is None else {**batch, "labels": labels.astype("int32")}

    def seed_states(self, player: Player, number: int) -> np.ndarray:
        """A state for each seed generator, (plugins + 1, 2) uint32: a function of run seed, step, player and plugin."""
        update = [self.seed, self.steps, zlib.crc32(player.encode()), number]
        states = [
            np.random.SeedSequence([*update, zlib.crc32(name.encode())]).generate_state(SEED_WORDS)
            for name in self.seeds
        ]
        return np.stack(states)

    def discriminator_update(self, step: Tensor, seed_states: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Move the discriminator; of the generator nothing changes, moving statistics included."""
        return self.player_update("discriminator", step, seed_states, batch)

    def generator_update(self, step: Tensor, seed_states: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Move the generator and its average; of the discriminator nothing changes, moving statistics included."""
        metrics = self.player_update("generator", step, seed_states, batch)
        if self.average:
            self.follow_average(step)
        return metrics

    def player_update(
        self, player: Player, step: Tensor, seed_states: Tensor, batch: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """One gradient step of one player, traced once; all writes are held back but those to the player's own."""
        model, optimizer = self.model(player), self.optimizer(player)

        def compute() -> tuple[Tensor, dict[str, Tensor]]:
            for index, generator in enumerate(self.seeds.values()):
                generator.state.assign(seed_states[index])
            terms = Terms(self.stack, self.players, self.dataset.classes, step, self.seeds, prepared(batch))
            return terms.loss(player)

        weights = model.trainable_variables
        state = [*model.non_trainable_variables, *self.players.variables.values()]
        metrics, gradients, scope = backend.current().player_gradients(compute, weights, state)
        if all(gradient is None for gradient in gradients):
            raise ZooError(
                f"The {player}'s loss depends on none of its weights. "
                f"Plugin '{self.stack.provider(f'{player}_loss')}', hook '{player}_loss': "
                "compute it from the logits, without ops.stop_gradient or NumPy."
            )
        gradients = [
            ops.zeros_like(weight) if gradient is None else gradient
            for weight, gradient in zip(weights, gradients, strict=True)
        ]
        metrics[f"{player}_gradient_norm"] = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
        optimizer.apply(gradients, weights)
        apply_writes(scope, state)
        return metrics

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

    def variables(self) -> dict[str, keras.Variable]:
        """Every variable of the state by a name that is the same in every process and on every backend."""
        owners = {
            "generator": self.players.generator.variables,
            "discriminator": self.players.discriminator.variables,
            "generator_optimizer": self.players.generator_optimizer.variables,
            "discriminator_optimizer": self.players.discriminator_optimizer.variables,
            "average": self.average,
        }
        numbered = {
            f"{owner}/{index:03d}/{COUNTER.sub('', variable.name)}": variable
            for owner, variables in owners.items()
            for index, variable in enumerate(variables)
        }
        return {**numbered, **{f"plugin/{name}": variable for name, variable in self.players.variables.items()}}

    def state(self) -> dict[str, np.ndarray]:
        """The whole state: every variable, and the count of finished steps."""
        arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in self.variables().items()}
        return {**arrays, "steps": np.int64(self.steps)}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a state; ZooError where it belongs to other models."""
        variables = self.variables()
        names = set(state) - {"steps"}
        if names != set(variables):
            raise ZooError(f"The checkpoint holds other variables: {sorted(names ^ set(variables))[:4]}.")
        for name, variable in variables.items():
            if tuple(variable.shape) != state[name].shape:
                raise ZooError(
                    f"The checkpoint's '{name}' is {state[name].shape}, the model's {tuple(variable.shape)}."
                )
            variable.assign(state[name])
        self.steps = int(state["steps"])

    @property
    def sampler(self) -> Sampler:
        """Draws samples from the generator as it is now."""
        return Sampler(self.stack, self.players.generator, self.average, self.dataset.classes)


def prepared(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch as the step takes it: images from uint8 to [-1, 1]; points and labels as they are."""
    return {name: to_unit_range(tensor) if name == "samples" else tensor for name, tensor in batch.items()}


def to_unit_range(samples: Tensor) -> Tensor:
    """Images (B, H, W, C) of uint8 as floats in [-1, 1]; points unchanged."""
    if keras.backend.standardize_dtype(samples.dtype) != "uint8":
        return ops.cast(samples, keras.config.floatx())
    return ops.cast(samples, keras.config.floatx()) / 127.5 - 1.0
