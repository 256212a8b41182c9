"""The zoo's own trainer; the only module of this benchmark that knows the zoo's engine."""

from typing import Any

import keras
import numpy as np

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.catalogue import read_catalogue
from zoo.data import Dataset
from zoo.stacks.resolving import resolve_stack
from zoo.training.trainer import Trainer

from ..cases import Case
from ..contenders import Options
from ..data import random_images

if keras.backend.backend() == "jax":
    from .on_jax import device_memory, device_name, library, multiplication
else:
    from .on_tensorflow import device_memory, device_name, library, multiplication

__all__ = ["Zoo", "build", "device_memory", "device_name", "multiplication", "versions"]


class Zoo:
    """A `zoo.training.trainer.Trainer` on images in memory."""

    def __init__(self, case: Case, options: Options) -> None:
        stack = resolve_stack(case.stack, read_catalogue(), settings=case.settings)
        engine = backend.engine(EngineOptions(precision=options.spec.precision))
        self.trainer = Trainer(stack, dataset_of(random_images(case)), 0, engine)
        players = self.trainer.players
        self.parameters = (parameters(players.generator), parameters(players.discriminator))
        self.notes: list[str] = []

    def train(self, steps: int) -> dict[str, float]:
        """Train; the losses are those of the last step."""
        metrics = self.trainer.train(steps)
        return {player: float(metrics[f"{player}_loss"][-1]) for player in ("discriminator", "generator")}


def build(case: Case, options: Options) -> Zoo:
    """The case's training."""
    return Zoo(case, options)


def dataset_of(images: Any) -> Dataset:
    """The images as a prepared dataset."""
    return Dataset(
        name="noise",
        split="train",
        samples=images,
        labels=None,
        classes=None,
        class_names=(),
        scale=1.0,
        fingerprint="noise",
        description={"source": "uniform noise"},
    )


def parameters(model: keras.Model) -> int:
    """Trainable numbers of a model."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


def versions() -> dict[str, str]:
    """What computes."""
    return {**library(), "keras": keras.__version__}
