"""What the updates are fed: real batches and seeds, all of them functions of (seed, step), for one update or many."""

import zlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from zoo.data import Dataset, SampleOrder
from zoo.stacks.stack import CORE, HOOKS_OF_PLAYER, Stack
from zoo.training.terms import REAL

Player = Literal["discriminator", "generator"]
Arrays = dict[str, np.ndarray]
SEED_WORDS = 2  # uint32 in the state of a Keras seed generator


@dataclass(frozen=True)
class Feed:
    """The inputs of every update of one run.

    `batch` of an update's inputs holds samples as they are at rest, and labels where there are any, or, where the data
    lies on the device, their `indices`.
    """

    dataset: Dataset
    order: SampleOrder
    seed: int
    plugins: tuple[str, ...]
    """Those that draw, the core first."""
    critic_steps: int
    generator_sees_real: bool
    on_device: bool = False

    def update(self, player: Player, step: int, number: int) -> dict[str, Any]:
        """The inputs of the player's `number`th update in the step."""
        sees_real = player == "discriminator" or self.generator_sees_real
        batches_per_step = self.critic_steps + self.generator_sees_real
        position = number if player == "discriminator" else self.critic_steps
        return {
            "step": np.int32(step),
            "seeds": self.seed_states(player, step, number),
            "batch": self.batch(step * batches_per_step + position) if sees_real else {},
        }

    def seed_states(self, player: Player, step: int, number: int) -> np.ndarray:
        """A state for each seed generator, (plugins + 1, 2) uint32: a function of run seed, step, player and plugin."""
        update = [self.seed, step, zlib.crc32(player.encode()), number]
        states = [
            np.random.SeedSequence([*update, zlib.crc32(name.encode())]).generate_state(SEED_WORDS)
            for name in self.plugins
        ]
        return np.stack(states)

    def batch(self, number: int) -> Arrays:
        """The real batch of that number."""
        indices = self.order.indices(number)
        if self.on_device:
            return {"indices": indices.astype("int32")}
        batch = {"samples": self.dataset.batch(indices)}
        labels = self.dataset.batch_labels(indices)
        return batch if labels is None else {**batch, "labels": labels.astype("int32")}

    def step(self, step: int) -> dict[str, Any]:
        """The inputs of all updates of a step: the discriminator's stacked along a first axis."""
        updates = [self.update("discriminator", step, number) for number in range(self.critic_steps)]
        return {"discriminator": stacked(updates), "generator": self.update("generator", step, 0)}

    def steps(self, first: int, length: int) -> dict[str, Any]:
        """The inputs of `length` steps from `first` on, stacked along a first axis."""
        return stacked([self.step(step) for step in range(first, first + length)])


def feed_for(stack: Stack, dataset: Dataset, seed: int) -> Feed:
    """The feed of a stack on a dataset."""
    asked = stack.argument_names(*HOOKS_OF_PLAYER["generator"])
    return Feed(
        dataset,
        SampleOrder(len(dataset.samples), stack.recipe.batch_size, seed),
        seed,
        (CORE, *stack.plugins),
        stack.recipe.critic_steps,
        bool(asked & REAL or "real_batch" in stack.argument_names("latents")),
    )


def stacked(inputs: list[Any]) -> Any:
    """A list of equal nests as one nest of arrays with a new first axis."""
    if isinstance(inputs[0], Mapping):
        return {name: stacked([each[name] for each in inputs]) for name in inputs[0]}
    return np.stack(inputs)


class Ahead:
    """Prepares the inputs of the next call while the device is busy with this one."""

    def __init__(self, feed: Feed, length: int) -> None:
        self.feed = feed
        self.length = length
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self.next: tuple[int, Future[Any]] | None = None

    def steps(self, first: int) -> Any:
        """The inputs of `length` steps from `first` on."""
        if self.next and self.next[0] == first:
            return self.next[1].result()
        return self.feed.steps(first, self.length)

    def prepare(self, first: int) -> None:
        """Begin with those from `first` on."""
        self.next = first, self.worker.submit(self.feed.steps, first, self.length)
