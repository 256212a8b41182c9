"""The trainer: the compiled step, called again and again, and the whole state as arrays."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import backend
from zoo.backend.contract import Engine
from zoo.backend.policy import Policy
from zoo.data import Dataset
from zoo.hookspecs import Player
from zoo.profiling import Phases
from zoo.stacks.stack import Stack
from zoo.training.feed import Ahead, Feed, feed_for
from zoo.training.players import Players, build_players, has_convolutions
from zoo.training.sampler import Sampler
from zoo.training.states import STEPS, assign, misfit, numbered, without_steps
from zoo.training.updates import BEGINNING, PLAYERS, Since, Updates

Tensor = Any
RESIDENT_SHARE = 0.25  # of a device's memory, at most, for the dataset
RESIDENT_BYTES = 4 * 2**30  # at most, where the backend does not say how much memory there is
AHEAD_BYTES = 2**28  # at most, of the batches that are brought to the device for one call


class Trainer:
    """Trains one stack on one dataset with one seed, step by step.

    One step is `critic_steps` updates of the discriminator, each on a fresh real batch, then one of the generator.
    What a step draws is a function of (seed, step) alone, so that `state()` needs no history.
    """

    def __init__(
        self,
        stack: Stack,
        dataset: Dataset,
        seed: int = 0,
        engine: Engine | None = None,
        since: Since = BEGINNING,
    ) -> None:
        self.stack = stack
        self.dataset = dataset
        self.seed = seed
        self.engine = engine or backend.engine()
        self.recipe = stack.recipe
        self.steps = 0  # finished
        self.phases = Phases()
        with dataset.telling_labels():
            self.players: Players = build_players(stack, dataset.fields, seed, self.engine)
        self.feed: Feed = feed_for(stack, dataset, seed, self.players)
        self.updates = Updates(stack, self.players, self.engine, since)
        sums = [each for player in PLAYERS for each in self.updates.sums[player]]
        self.engine.place([*self.variables().values(), *self.frozen_variables, *sums])
        with stack.blaming_plugins():
            self.updates.outline({player: self.feed.update(player, 0, 0) for player in PLAYERS})
        self.compile(self.engine.policy(has_convolutions(self.players)))

    def compile(self, policy: Policy) -> None:
        """Compile the updates as a policy says, each when it is first called."""
        self.policy = policy
        self.calls = {player: self.compiled_update(player) for player in PLAYERS}
        self.accumulations = {player: self.compiled_accumulation(player) for player in PLAYERS}

    @property
    def images(self) -> int:
        """How many real samples the discriminator has consumed."""
        return self.images_at(self.steps)

    def images_at(self, step: int) -> int:
        """How many it has consumed after so many steps."""
        return int(self.updates.since.images_at(step, self.recipe))

    @property
    def images_per_step(self) -> int:
        """How many real samples the discriminator consumes in a step."""
        return self.recipe.critic_steps * self.recipe.batch_size

    @property
    def steps_per_call(self) -> int:
        """How many steps `train` takes at once: what the policy says, if so many batches fit."""
        if self.policy.steps_per_call == 1 or self.resident:
            return self.policy.steps_per_call
        row = sum(array[:1].nbytes for array in self.dataset.arrays.values())
        step = self.feed.batches_per_step * self.recipe.batch_size * row * (1 + self.feed.derives_from_others)
        return max(1, min(self.policy.steps_per_call, AHEAD_BYTES // step))

    def train(self, count: int) -> dict[str, np.ndarray]:
        """Train `count` steps; returns (count,) of each metric: that of the last update of its player in each step."""
        with self.stack.blaming_plugins():  # their layers and optimizers run outside of hooks too
            return self.trained(count)

    def trained(self, count: int) -> dict[str, np.ndarray]:
        """What `train` does."""
        rows: list[np.ndarray] = []
        begun = self.steps
        while self.steps < begun + count:
            if self.policy.steps_per_call == 1:
                rows.append(self.step_by_calls())
                self.steps += 1
            else:
                several = min(begun + count - self.steps, self.steps_per_call)
                rows.extend(self.steps_on_device(several))
        metrics = dict(zip(self.updates.metric_names, np.stack(rows, axis=1), strict=True))
        if begun == 0:
            self.updates.check_dependence({name: float(values[0]) for name, values in metrics.items()})
        return metrics

    def step(self) -> dict[str, float]:
        """Train one step; returns the losses, penalties and gradient norms of the last update of each player."""
        return {name: float(values[0]) for name, values in self.train(1).items()}

    def step_by_calls(self) -> np.ndarray:
        """A step with a call for each update; returns all metrics."""
        rows = {}
        for player in PLAYERS:
            for number in range(self.updates.count_of(player)):
                rows[player] = self.call(player, number)
        with self.phases.timing("metrics"):
            return np.concatenate([ops.convert_to_numpy(rows[player]) for player in PLAYERS])

    def call(self, player: Player, number: int) -> Tensor:
        """One compiled update on the run's own batch, part by part; returns its metrics."""
        last = self.recipe.accumulation - 1
        for part in range(last):
            with self.phases.timing("batches"):
                inputs = self.feed.update(player, self.steps, number, part)
            with self.phases.timing(f"{player} updates"):
                self.accumulations[player](inputs)
        with self.phases.timing("batches"):
            inputs = self.feed.update(player, self.steps, number, last)
        with self.phases.timing(f"{player} updates"):
            metrics = self.calls[player](inputs)
            # JAX computes in the background: a profile waits here, else the time would count as what comes next
            return ops.convert_to_numpy(metrics) if self.phases.is_timing else metrics

    def steps_on_device(self, count: int) -> np.ndarray:
        """Several steps with one call; returns all metrics of each, (count, metrics)."""
        with self.phases.timing("batches"):
            inputs = self.ahead.steps(self.steps)
        with self.phases.timing("steps on the device"):
            rows = self.loop(inputs, np.int32(count))
            self.steps += count
            self.ahead.prepare(self.steps)
            return ops.convert_to_numpy(rows)[:count]

    def update(self, player: Player, number: int, batch: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        """One compiled update of one player, the `number`th in this step, on a batch of choice."""
        row = self.calls[player]({**self.feed.update(player, self.steps, number), "batch": dict(batch)})
        return dict(zip(self.updates.metrics[player], ops.convert_to_numpy(row), strict=True))

    def compiled_update(self, player: Player) -> Callable[..., Tensor]:
        """The player's update as a call."""
        updates = self.updates
        owned, read = updates.owned(player), updates.read_by(player)
        return self.engine.compiled(updates.update_of(player), self.policy, owned, read)

    def compiled_accumulation(self, player: Player) -> Callable[..., Tensor]:
        """What adds a part of a batch to the player's sums, as a call."""
        updates = self.updates
        owned, read = updates.owned(player), updates.read_by(player)
        return self.engine.compiled(updates.accumulation_of(player), self.policy, owned, read)

    @cached_property
    def ahead(self) -> Ahead:
        """The inputs of calls of several steps."""
        return Ahead(replace(self.feed, on_device=bool(self.resident)), self.steps_per_call)

    @cached_property
    def resident(self) -> dict[str, keras.Variable]:
        """The dataset on the device where it fits, else nothing."""
        arrays = self.dataset.arrays
        memory = self.engine.memory()
        limit = RESIDENT_BYTES if memory is None else RESIDENT_SHARE * memory
        if not self.policy.resident or sum(each.nbytes for each in arrays.values()) > limit:
            return {}
        variables = {
            name: keras.Variable(each, trainable=False, dtype=str(each.dtype), name=f"resident_{name}")
            for name, each in arrays.items()
        }
        self.engine.place(list(variables.values()))
        return variables

    @cached_property
    def loop(self) -> Callable[..., Tensor]:
        """Several steps as one call."""
        self.updates.resident = self.resident
        data = [*self.frozen_variables, *self.resident.values()]
        return self.engine.compiled(self.updates.many_steps, self.policy, self.updates.variables, data)

    @property
    def frozen_variables(self) -> list[keras.Variable]:
        """What the networks hold that no update moves."""
        return [variable for model in self.players.frozen.values() for variable in model.variables]

    def variables(self) -> dict[str, keras.Variable]:
        """Every variable of the state by a name that is the same in every process and on every backend."""
        networks = {name: each for name, each in self.players.networks.items() if each.trained_with}
        owners = {
            "generator": self.players.generator.variables,
            "discriminator": self.players.discriminator.variables,
            "generator_optimizer": self.players.generator_optimizer.variables,
            "discriminator_optimizer": self.players.discriminator_optimizer.variables,
            "average": self.updates.average,
            **{f"network_{name}": network.model.variables for name, network in networks.items()},
            **{
                f"network_{name}_optimizer": network.optimizer.variables
                for name, network in networks.items()
                if network.optimizer is not None
            },
        }
        return {**numbered(owners), **{f"plugin/{name}": each for name, each in self.players.variables.items()}}

    def state(self) -> dict[str, np.ndarray]:
        """The whole state: every variable, and the count of finished steps."""
        arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in self.variables().items()}
        return {**arrays, STEPS: np.int64(self.steps)}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a state; ZooError where it belongs to other models."""
        variables = self.variables()
        assign(without_steps(state), variables)
        self.engine.place(list(variables.values()))
        self.steps = int(state[STEPS])

    def misfit(self, state: Mapping[str, np.ndarray]) -> str:
        """What a state has otherwise than the models; empty where it fits."""
        return misfit(without_steps(state), self.variables())

    @cached_property
    def sampler(self) -> Sampler:
        """Draws samples from the generator as it is when it draws."""
        return Sampler(self.stack, self.players.generating, self.engine, self.updates.average, self.dataset.rows)
