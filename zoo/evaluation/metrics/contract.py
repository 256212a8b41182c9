"""What the hook `metric` returns: what a metric needs, what it is given, and the scores that it returns.

Sizes: N real and M generated samples, F features, K logits, D coordinates of a point.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from zoo.base.progress import Progress, Silent

Needs = Literal["features", "logits", "images", "points", "modes", "training", "pairs", "cycles", "labels"]
Better = Literal["lower", "higher"]
NORMAL_95 = 1.959963984540054  # standard deviations to either side that hold 95% of a normal distribution


@dataclass(frozen=True)
class Score:
    """One number with how sure it is, before its extractor's name is added."""

    name: str  # "fd", "precision"
    value: float
    deviation: float | None = None  # standard deviation of the value, None where nothing estimates it
    interval: tuple[float, float] | None = None  # 95%
    better: Better | None = None

    @classmethod
    def normal(
        cls,
        name: str,
        value: float,
        deviation: float,
        better: Better | None,
        lowest: float = -math.inf,
        highest: float = math.inf,
    ) -> "Score":
        """A score whose interval is 1.96 deviations to either side, as far as its range goes."""
        return cls.within(name, value, deviation, NORMAL_95 * deviation, better, lowest, highest)

    @classmethod
    def within(
        cls,
        name: str,
        value: float,
        deviation: float,
        reach: float,
        better: Better | None,
        lowest: float,
        highest: float,
    ) -> "Score":
        """A score whose interval reaches so far to either side, and no further than the ends of its range."""
        return cls(name, value, deviation, (max(lowest, value - reach), min(highest, value + reach)), better)


@dataclass(frozen=True)
class Side:
    """What was measured of one side, real or generated; arrays may be memory maps, so read them in parts."""

    samples: np.ndarray  # uint8 (N, H, W, C) images, or float32 (N, D) points in original units
    features: np.ndarray | None = None  # float32 (N, F)
    logits: np.ndarray | None = None  # float32 (N, K)
    modes: np.ndarray | None = None  # int64 (N,), the mode that a classifier finds in each image
    labels: np.ndarray | None = None  # int64 (N,), the classes of the dataset

    @property
    def count(self) -> int:
        return len(self.samples)


@dataclass(frozen=True)
class Mixture:
    """The Gaussians that points were drawn from, in original units."""

    centres: np.ndarray  # float64 (modes, D)
    standard_deviation: float


@dataclass(frozen=True)
class Pairs:
    """What a translation made of data, uint8 (P, H, W, C), with the real samples that belong to it."""

    sources: np.ndarray  # uint8 (P, h, w, c), of which it was made
    made: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Cycles:
    """What was translated there and back, uint8 (P, h, w, c)."""

    sources: np.ndarray
    there_and_back: np.ndarray
    other_way: "Cycles | None" = None  # samples that were translated to sources and back, beside the sources


@dataclass(frozen=True)
class Compared:
    """Everything that a metric may read."""

    real: Side
    fake: Side
    training: np.ndarray | None = None  # uint8 (T, H, W, C), the images that the generator learnt from
    training_labels: np.ndarray | None = None  # int64 (T,)
    mixture: Mixture | None = None
    mode_count: int | None = None  # how many modes `modes` may name
    pairs: Pairs | None = None
    cycles: Cycles | None = None
    seed: int = 0  # of subsets, projections and pairs
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True)
class Metric:
    """One metric: what it needs, and how it is computed; its name is that of its entry in the catalogue."""

    needs: frozenset[Needs]
    smallest: int  # samples on either side, below which it means nothing
    settings: Mapping[str, Any]  # what else its numbers depend on: part of the protocol
    measure: Callable[[Compared], Sequence[Score]]
    in_features: bool = True  # whether its numbers depend on the extractor, and carry its name
    default: bool = True  # whether it is measured where no metric is named
    picture: Callable[[Compared], Any] | None = None  # a PIL image that shows what the number can't
    prepare: Callable[[Progress], None] | None = None
    """Fetches what it can't do without, before anything is generated; raises ZooError where that is not to be had."""
