"""What is checked: a stack on tiny random data, trained once for all checks that look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.backend.policy import Policy
from zoo.catalogue import read_catalogue
from zoo.data import Dataset
from zoo.data.fields import Field, derived_field, samples_field
from zoo.recipe import as_text
from zoo.stacks.resolving import resolve_stack
from zoo.stacks.stack import Stack
from zoo.training.trainer import Trainer

STEPS = 3  # so that with one update of the discriminator an epoch ends
SEED = 3
BATCHES = 2.5  # in an epoch, so that one ends within a batch
SHIPPED = "zoo_plugins."  # the package of the zoo's own plugins
SMALL = {
    "width": 2, "generator_units": (8,), "discriminator_units": (8, 8), "residual_blocks": 1, "autoencoder_width": 2,
    "mapping_layers": 1, "discriminator_width": 2, "feature_size": 32, "heads": 1, "head_size": 4,
    "transformer_blocks": 4,
}  # fmt: skip
"""Values of the zoo's own plugins that make their networks small; a plugin's own values stay as they are."""
ALWAYS = {"batch_size": 4, "average_decay": 0.9, "horizon": 64}
"""Values for every stack; a horizon and an average that a stack sets itself stay as they are."""
PLAIN = Policy(False, 1, False, "XLA takes longer to compile than a few steps do")

State = Mapping[str, np.ndarray]
Shape = tuple[int, ...]


class NotApplicableError(Exception):
    """A check has nothing to look at in this stack; says what it would need."""


class NotTrainedError(Exception):
    """A check needs a trained stack, and an earlier one has told why it does not train."""


@dataclass(frozen=True)
class Trained:
    """A trainer after some steps: its states before and after, and its last metrics."""

    trainer: Trainer
    first: State
    last: State
    metrics: dict[str, float]
    hashes: dict[str, str]
    """Of the frozen networks, before training."""


@dataclass(eq=False)
class Subject:
    """A stack and the kind of data that it is checked on; everything else follows, and is made when first needed."""

    text: str  # of the stack, such as dcgan+my_gan
    shape: Shape = (28, 28, 1)
    files: Sequence[Path] = ()
    classes: int | None = None
    fields: Mapping[str, Shape | Field] = field(default_factory=dict)
    """What the data holds beside samples and labels."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy = PLAIN
    """How its steps are compiled where a check does not say."""
    failure: Exception | None = field(default=None, init=False)
    """Why it does not train, once that was found."""

    @property
    def name(self) -> str:
        """What an error begins with."""
        own = self.files[-1].stem if self.files else self.text.rpartition("+")[2]
        data = f"{self.shape}" + (f" with {self.classes} classes" if self.classes else "")
        return f"Plugin '{own}' (stack '{self.text}' on samples of shape {data})"

    def fail(self, expected: str, received: str) -> NoReturn:
        """Raise an AssertionError that names plugin, stack, data, what was expected and what came."""
        __tracebackhide__ = True
        raise AssertionError(f"{self.name}: expected {expected}; received {received}.")

    @cached_property
    def stack(self) -> Stack:
        """The stack, its networks small."""
        catalogue = read_catalogue(list(self.files))
        plain = resolve_stack(self.text, catalogue)
        settings = {**small_values(plain), **self.settings}
        return resolve_stack(self.text, catalogue, None, [f"{name}={as_text(each)}" for name, each in settings.items()])

    @cached_property
    def dataset(self) -> Dataset:
        """Random samples: uint8 images or float32 points, each class as often as another."""
        count = int(self.stack.recipe.batch_size * BATCHES)
        draw = np.random.default_rng(0)
        others = {name: each if isinstance(each, Field) else derived_field(each) for name, each in self.fields.items()}
        return Dataset(
            name="tiny",
            split="train",
            samples=random_rows(draw, count, samples_field(self.shape)),
            labels=draw.permutation(np.arange(count) % self.classes) if self.classes else None,
            classes=self.classes,
            class_names=(),
            scale=1.0,
            fingerprint="tiny",
            description={"source": "random numbers"},
            others={name: (spec, random_rows(draw, count, spec)) for name, spec in others.items()},
        )

    def trainer(
        self, options: EngineOptions = DEFAULT_ENGINE, stack: Stack | None = None, policy: Policy | None = None
    ) -> Trainer:
        """A new trainer of the stack, or of another one."""
        trainer = Trainer(stack or self.stack, self.dataset, SEED, backend.engine(options))
        trainer.compile(policy or self.policy)
        return trainer

    @cached_property
    def trained(self) -> Trained:
        """The stack after training; raises NotTrainedError where an earlier check has told why it fails."""
        if self.failure:
            raise NotTrainedError(f"{self.name} does not train: {self.failure}")
        try:
            return self.after_training()
        except Exception as error:
            self.failure = error
            raise

    @backend.fixed()
    def after_training(self) -> Trained:
        """Build and train the stack."""
        trainer = self.trainer()
        hashes, first = trainer.players.hashes(), trainer.state()
        metrics = steps(trainer, STEPS)
        return Trained(trainer, first, trainer.state(), metrics, hashes)


def op_by_op() -> Policy:
    """Where it can be done, without a graph, which takes longer to make than a step or two do."""
    return PLAIN if keras.backend.backend() == "jax" else replace(PLAIN, traced=False)


def steps(trainer: Trainer, count: int) -> dict[str, float]:
    """Train so many steps; returns the last one's metrics."""
    for _ in range(count):
        metrics = trainer.step()
    return metrics


def small_values(stack: Stack) -> dict[str, Any]:
    """Values that make a stack small and quick, of fields that no plugin under test has set to values of its own."""
    shipped = {name for name, module in stack.plugins.items() if module.__name__.startswith(SHIPPED)}
    small = {name: each for name, each in SMALL.items() if stack.recipe_sources.get(name) in shipped}
    always = {name: each for name, each in ALWAYS.items() if name == "batch_size" or not getattr(stack.recipe, name)}
    return {**small, **always}


def random_rows(draw: np.random.Generator, count: int, spec: Field) -> np.ndarray:
    """Rows as they are at rest: uint8 for images, float32 for anything else."""
    if spec.is_image:
        return draw.integers(0, 256, (count, *spec.shape), dtype=np.uint8)
    return draw.normal(size=(count, *spec.shape)).astype("float32")
