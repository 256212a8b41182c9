"""What the updates are fed: real batches and seeds, all of them functions of (seed, step), for one update or many."""

import zlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zoo.data import Dataset, SampleOrder
from zoo.hookspecs import Player
from zoo.recipe import Recipe
from zoo.stacks.stack import CORE, HOOKS_OF_PLAYER, Stack
from zoo.training.players import Players
from zoo.training.terms import REAL

Arrays = dict[str, np.ndarray]
SEED_WORDS = 2  # uint32 in the state of a Keras seed generator
OTHER = "other"  # the order of the batches that a plugin derives unpaired fields from
MIRROR = zlib.crc32(b"mirror")  # of the draws by which images are mirrored


@dataclass(frozen=True)
class Feed:
    """The inputs of every update of one run.

    `batch` of an update's inputs holds each field as it is at rest, or, where the data lies on the device, the indices
    of each field's rows. `other_batch` holds other rows of the same, where a plugin derives fields from them. Where
    the recipe mirrors images, `mirrored_batch` and `mirrored_other_batch` say which, by field.
    """

    dataset: Dataset
    seed: int
    plugins: tuple[str, ...]
    """Those that draw, the core first."""
    recipe: Recipe
    generator_sees_real: bool
    derives_from_others: bool = False
    on_device: bool = False

    @cached_property
    def orders(self) -> dict[str, SampleOrder]:
        """The order of the rows, that of each field which is not aligned with the samples, and that of other rows."""
        size = self.recipe.batch_size
        found = {"samples": SampleOrder(self.dataset.count, size, self.seed)}
        if self.derives_from_others:
            found[OTHER] = SampleOrder(self.dataset.count, size, [self.seed, zlib.crc32(OTHER.encode())])
        for name, field in self.dataset.fields.items():
            if not field.aligned:
                count = len(self.dataset.arrays[name])
                found[name] = SampleOrder(count, size, [self.seed, zlib.crc32(name.encode())])
        return found

    @property
    def batches_per_step(self) -> int:
        """How many real batches a step consumes."""
        of_generator = self.recipe.generator_steps * self.recipe.generator_batch_factor
        return self.recipe.critic_steps + of_generator * self.generator_sees_real

    def update(self, player: Player, step: int, number: int, part: int = 0) -> dict[str, Any]:
        """The inputs of the player's `number`th update in the step: of that part of its batch, if it has several."""
        of_discriminator = player == "discriminator"
        updates = self.recipe.critic_steps if of_discriminator else self.recipe.generator_steps
        inputs = {
            "step": np.int32(step),
            "update": np.int32(step * updates + number),
            "seeds": self.seed_states(player, step, number, part),
            "batch": {},
        }
        if not (of_discriminator or self.generator_sees_real):
            return inputs
        count = 1 if of_discriminator else self.recipe.generator_batch_factor
        first = number if of_discriminator else self.recipe.critic_steps + number * count
        numbers = range(step * self.batches_per_step + first, step * self.batches_per_step + first + count)
        orders = {"batch": "samples", **({"other_batch": OTHER} if self.derives_from_others else {})}
        for name, order in orders.items():
            inputs[name] = self.batches(numbers, order, part)
            if self.recipe.mirror:
                inputs[f"mirrored_{name}"] = self.mirrored(numbers, order, part)
        return inputs

    def seed_states(self, player: Player, step: int, number: int, part: int = 0) -> np.ndarray:
        """A state for each seed generator, (plugins + 1, 2) uint32: a function of run seed, step, player and plugin."""
        update, parts = [self.seed, step, zlib.crc32(player.encode()), number], [part] if part else []
        states = [
            np.random.SeedSequence([*update, zlib.crc32(name.encode()), *parts]).generate_state(SEED_WORDS)
            for name in self.plugins
        ]
        return np.stack(states)

    def batch(self, number: int) -> Arrays:
        """The real batch of that number."""
        return self.batches(range(number, number + 1), "samples")

    def batches(self, numbers: range, order: str, part: int = 0) -> Arrays:
        """A part of the batches of these numbers as one, the aligned fields in an order of that name."""
        found: Arrays = {}
        rows: Arrays = {}  # of each order, which aligned fields share
        for name, array in self.dataset.arrays.items():
            own = self.order_of(name, order)
            if own not in rows:
                rows[own] = self.part(np.concatenate([self.orders[own].indices(number) for number in numbers]), part)
            found[name] = rows[own].astype("int32") if self.on_device else np.asarray(array[rows[own]])
        return found

    def mirrored(self, numbers: range, order: str, part: int) -> Arrays:
        """Which images of the same batches are mirrored, by field: every other one by chance, aligned fields alike."""
        found: Arrays = {}
        for name, field in self.dataset.fields.items():
            if field.is_image:
                key = [self.seed, MIRROR, zlib.crc32(self.order_of(name, order).encode())]
                draws = [np.random.default_rng([*key, number]).random(self.recipe.batch_size) for number in numbers]
                found[name] = self.part(np.concatenate(draws), part) < 0.5
        return found

    def order_of(self, field: str, order: str) -> str:
        """The order of a field's rows: its own where it is not aligned with the samples."""
        return field if field in self.orders and field != "samples" else order

    def part(self, rows: np.ndarray, part: int) -> np.ndarray:
        """Those of a batch's rows that are computed at once."""
        size = len(rows) // self.recipe.accumulation
        return rows[part * size : (part + 1) * size]

    def step(self, step: int) -> dict[str, Any]:
        """The inputs of all updates of a step, those of each player stacked along a first axis."""
        counts: tuple[tuple[Player, int], ...] = (
            ("discriminator", self.recipe.critic_steps),
            ("generator", self.recipe.generator_steps),
        )
        return {
            player: stacked([self.whole_update(player, step, number) for number in range(count)])
            for player, count in counts
        }

    def whole_update(self, player: Player, step: int, number: int) -> dict[str, Any]:
        """The inputs of an update, those of its parts stacked along a first axis where it has several."""
        parts = self.recipe.accumulation
        if parts == 1:
            return self.update(player, step, number)
        return dict(stacked([self.update(player, step, number, part) for part in range(parts)]))

    def steps(self, first: int, length: int) -> dict[str, Any]:
        """The inputs of `length` steps from `first` on, stacked along a first axis."""
        return stacked([self.step(step) for step in range(first, first + length)])


def feed_for(stack: Stack, dataset: Dataset, seed: int, players: Players) -> Feed:
    """The feed of a stack on a dataset."""
    arguments = stack.argument_names(*HOOKS_OF_PLAYER["generator"], "move_latents")
    sees_real = (
        bool(arguments & REAL)
        or "real_batch" in stack.argument_names("latents")
        or players.generator_needs_batch
        or (players.generating.is_conditional and stack.recipe.fake_labels == "batch")
    )
    from_others = "other_batch" in stack.argument_names("derive")
    return Feed(dataset, seed, (CORE, *stack.plugins), stack.recipe, sees_real, from_others)


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
