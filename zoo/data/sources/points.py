"""Two-dimensional points to measure mode coverage on: mixtures of Gaussians, and the Swiss roll.

The mixtures are in the setting of PacGAN (Lin et al. 2018, https://arxiv.org/abs/1712.04086), the Swiss roll in that of
WGAN-GP (Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, figure 1 and its code).
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from zoo.catalogue import DatasetEntry
from zoo.data.options import WITHOUT_LABELS, DataOptions
from zoo.data.sources.contract import Contents, Source
from zoo.data.splits import Selection, Splits
from zoo.errors import ZooError, unknown
from zoo.hookspecs import hookimpl

COUNT = 100_000  # points of each split, as in PacGAN's code
SEEDS = {"train": 20171212, "test": 20171213}
MODE = "mode"  # the name of the labels in records


class Distribution(Protocol):
    """Points (N, 2) in original units; stored ones are divided by `scale`."""

    @property
    def scale(self) -> float:
        """The divisor of stored points, which then lie about in [-1, 1]."""

    @property
    def description(self) -> Mapping[str, Any]:
        """The distribution's parameters, JSON-ready."""

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (count, 2), and the index (count,) of each point's mode; None where the distribution has no modes."""


@dataclass(frozen=True)
class Mixture:
    """Equally likely Gaussians of one standard deviation, in original units."""

    centres: tuple[tuple[float, float], ...]
    standard_deviation: float

    @property
    def scale(self) -> float:
        """The largest absolute coordinate of any centre."""
        return max(abs(coordinate) for centre in self.centres for coordinate in centre)

    @property
    def description(self) -> Mapping[str, Any]:
        return {
            "centres": [list(centre) for centre in self.centres],
            "standard_deviation": self.standard_deviation,
        }

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (count, 2), and the index (count,) of the centre that each was drawn around."""
        centres = np.array(self.centres)
        labels = generator.integers(len(centres), size=count)
        return centres[labels] + generator.normal(scale=self.standard_deviation, size=(count, 2)), labels


@dataclass(frozen=True)
class SwissRoll:
    """A spiral: (t cos t, t sin t) / 7.5 for t uniform in [1.5 pi, 4.5 pi], with Gaussian noise before the division."""

    noise: float = 0.25  # standard deviation, before the division
    divisor: float = 7.5

    @property
    def scale(self) -> float:
        """The spiral's outer radius."""
        return 4.5 * math.pi / self.divisor

    @property
    def description(self) -> Mapping[str, Any]:
        """The noise's standard deviation in original units, and the range of the angle."""
        return {"standard_deviation": self.noise / self.divisor, "angles": [1.5 * math.pi, 4.5 * math.pi]}

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        angle = 1.5 * math.pi * (1 + 2 * generator.random(count))
        spiral = np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=1)
        return (spiral + generator.normal(scale=self.noise, size=(count, 2))) / self.divisor, None


GRID = (-4.0, -2.0, 0.0, 2.0, 4.0)
DISTRIBUTIONS: Mapping[str, Distribution] = {
    "ring8": Mixture(
        tuple((math.cos(2 * math.pi * mode / 8), math.sin(2 * math.pi * mode / 8)) for mode in range(8)), 0.01
    ),
    "grid25": Mixture(tuple(itertools.product(GRID, GRID)), 0.05),
    "swissroll": SwissRoll(),
}


@hookimpl
def source(dataset: DatasetEntry, options: DataOptions) -> Source:
    """The set of points of that name."""
    return PointSource(dataset.reference, options)


@dataclass(frozen=True)
class PointSource(Source):
    """100,000 points of one distribution for each split, drawn once from a recorded seed."""

    points: str
    options: DataOptions

    def __post_init__(self) -> None:
        if self.points not in DISTRIBUTIONS:
            raise unknown("set of points", self.points, DISTRIBUTIONS)
        self.options.refuse_images(f"'{self.points}' is a set of points")
        if self.options.label not in (None, WITHOUT_LABELS, MODE):
            raise ZooError(f"The labels of '{self.points}' are its modes. Leave out --label, or --label none.")

    @property
    def name(self) -> str:
        return self.points

    @property
    def identity(self) -> Mapping[str, Any]:
        """All parameters that change the points."""
        return {"source": f"points {self.points}", "seeds": SEEDS, "count": COUNT, **self._parameters()}

    def splits(self) -> Splits:
        """`train` and `test`, drawn from different seeds."""
        return Splits(dict.fromkeys(SEEDS, COUNT), f"'{self.points}'")

    def contents(self, selection: Selection) -> Contents:
        distribution = DISTRIBUTIONS[self.points]
        points, labels = zip(*(self._drawn(part.split, part.rows) for part in selection.parts), strict=True)
        has_modes = labels[0] is not None
        wants_labels = has_modes and self.options.label != WITHOUT_LABELS
        batch = np.concatenate(points) / distribution.scale, np.concatenate(labels) if wants_labels else None
        return Contents(
            shape=(selection.count, 2),
            dtype=np.float32,
            batches=iter([batch]),
            scale=distribution.scale,
            defaults={"label": MODE if has_modes else None},
            resolved={"label": MODE if wants_labels else None},
            description={"points": self.points, "seeds": SEEDS, **self._parameters()},
        )

    def _drawn(self, split: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        points, labels = DISTRIBUTIONS[self.points].draw(np.random.Generator(np.random.Philox(SEEDS[split])), COUNT)
        return points[rows], None if labels is None else labels[rows]

    def _parameters(self) -> dict[str, Any]:
        distribution = DISTRIBUTIONS[self.points]
        return {**distribution.description, "scale": distribution.scale}
