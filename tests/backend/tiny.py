"""Tiny stacks and datasets for the programs of this folder, each of which is a process of its own."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.catalogue import read_catalogue
from zoo.data import Dataset
from zoo.stacks.resolving import resolve_stack
from zoo.stacks.stack import Stack

STACKS = Path(__file__).parents[1] / "stacks"
SETTINGS = {
    "batch_size": 4,
    "latent_size": 3,
    "width": 2,
    "generator_units": "8",
    "discriminator_units": "8,8",
    "critic_steps": 2,
    "residual_blocks": 1,
    "autoencoder_width": 2,
    "horizon": 64,
    "discriminator_width": 2,
    "feature_size": 32,
}
COUNT = 10  # samples: an epoch ends within a batch
IMAGES, POINTS = (16, 16, 1), (2,)


@dataclass(frozen=True)
class Case:
    """A stack with settings, and what it trains on."""

    stack: str
    settings: tuple[str, ...] = ()
    shape: tuple[int, ...] = IMAGES
    classes: int | None = None

    @property
    def name(self) -> str:
        """In one word or a few."""
        return " ".join([self.stack, *self.settings, *(["on points"] if self.shape == POINTS else [])])

    def made(self, *more: str) -> Stack:
        """The stack, `more` plugins of tests/stacks on top."""
        text = "+".join([self.stack, *more])
        catalogue = read_catalogue(
            [STACKS / f"{each}.py" for each in text.split("+") if (STACKS / f"{each}.py").exists()]
        )
        fields = vars(resolve_stack(text, catalogue).recipe)
        small = [f"{name}={value}" for name, value in SETTINGS.items() if name in fields]
        return resolve_stack(text, catalogue, None, [*small, *self.settings])

    def dataset(self) -> Dataset:
        """Random samples, the same in every process."""
        draw = np.random.default_rng(0)
        images = draw.integers(0, 256, (COUNT, *self.shape), dtype=np.uint8)
        samples = images if len(self.shape) == 3 else draw.normal(size=(COUNT, *self.shape)).astype("float32")
        return Dataset(
            name="tiny",
            split="train",
            samples=samples,
            labels=draw.integers(0, self.classes, COUNT) if self.classes else None,
            classes=self.classes,
            class_names=(),
            scale=1.0,
            fingerprint="tiny",
            description={},
        )
