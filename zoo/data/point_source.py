"""Mixtures of Gaussians in two dimensions, in the setting of PacGAN (Lin et al. 2018, https://arxiv.org/abs/1712.04086)."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.writer import Contents
from zoo.errors import unknown

COUNT = 100_000  # points, as in the paper's code
SEEDS = {"train": 20171212, "test": 20171213}


@dataclass(frozen=True)
class Mixture:
    """Equally likely Gaussians of one standard deviation, in original units."""

    centres: tuple[tuple[float, float], ...]
    standard_deviation: float

    @property
    def scale(self) -> float:
        """The largest coordinate of any centre: stored points lie about in [-1, 1]."""
        return max(abs(coordinate) for centre in self.centres for coordinate in centre)


GRID = (-4.0, -2.0, 0.0, 2.0, 4.0)
MIXTURES = {
    "ring8": Mixture(
        tuple((math.cos(2 * math.pi * mode / 8), math.sin(2 * math.pi * mode / 8)) for mode in range(8)), 0.01
    ),
    "grid25": Mixture(tuple(itertools.product(GRID, GRID)), 0.05),
}


@dataclass(frozen=True)
class PointSource:
    """100,000 points of one mixture, drawn once from a recorded seed; a label is the index of the point's centre."""

    points: str
    split: str

    def __post_init__(self) -> None:
        if self.points not in MIXTURES:
            raise unknown("set of points", self.points, MIXTURES)

    @property
    def name(self) -> str:
        """The mixture's own name."""
        return self.points

    @property
    def slug(self) -> str:
        """The readable part of the folder's name."""
        return f"{self.points}-{self.split}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that changes the points."""
        return {"source": "points", **self._description()}

    def prepare(self) -> None:
        """Nothing: points are drawn, not fetched."""

    def contents(self) -> Contents:
        """Draws the points."""
        mixture = MIXTURES[self.points]
        centres = np.array(mixture.centres)
        generator = np.random.Generator(np.random.Philox(SEEDS[self.split]))
        labels = generator.integers(len(centres), size=COUNT)
        points = centres[labels] + generator.normal(scale=mixture.standard_deviation, size=(COUNT, 2))
        return Contents(
            shape=points.shape,
            dtype=np.float32,
            batches=iter([(points / mixture.scale, labels)]),
            scale=mixture.scale,
            description={"source": f"points {self.points}", **self._description()},
        )

    def _description(self) -> dict[str, Any]:
        mixture = MIXTURES[self.points]
        return {
            "points": self.points,
            "split": self.split,
            "seed": SEEDS[self.split],
            "count": COUNT,
            "centres": [list(centre) for centre in mixture.centres],
            "standard_deviation": mixture.standard_deviation,
            "scale": mixture.scale,
        }
