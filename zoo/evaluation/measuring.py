"""The straight line of an evaluation: features of both sides, every metric, every score with its protocol."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.progress import Progress, Silent
from zoo.errors import ZooError, unknown
from zoo.evaluation.features import measured, real_side
from zoo.evaluation.images import Images, check_usable, generated_images
from zoo.evaluation.metrics import METRICS
from zoo.evaluation.metrics.contract import Compared, Metric, Mixture, Side
from zoo.evaluation.metrics.contract import Score as Measure
from zoo.evaluation.names import score_name
from zoo.evaluation.options import EvaluationOptions
from zoo.evaluation.protocol import Protocol
from zoo.extractor import Extractor

if TYPE_CHECKING:
    from zoo.training.sampler import Rows, Sampler

COORDINATES = "coordinates"  # the extractor of points, which are their own features


@dataclass(frozen=True)
class Question:
    """What is to be measured, beside the generated samples: the same for every checkpoint of a run."""

    real: Images
    metrics: Sequence[Metric]
    extractor: Extractor | None  # None for points
    training: np.ndarray | None = None
    mixture: Mixture | None = None
    mode_count: int | None = None
    seed: int = 0
    data_dir: Path | None = None
    rows: "Rows | None" = None
    """The real side's data, which a translation starts from."""
    progress: Progress = field(default_factory=Silent)

    @property
    def needs(self) -> set[str]:
        """What any of the metrics needs."""
        return {need for metric in self.metrics for need in metric.needs}

    @property
    def extractor_record(self) -> dict[str, Any]:
        """What a protocol says of the extractor."""
        if self.extractor is None:
            return {"name": COORDINATES, "sha256": "", "preparation": "original units"}
        return extractor_record(self.extractor)

    def answer(self, generated: Images, folder: Path) -> "Answer":
        """All scores of generated samples; `folder` holds features for as long as they are read."""
        began = time.monotonic()
        check_usable(self.real, generated)
        compared = Compared(
            self.real_side(),
            self.side(generated.samples, folder),
            training=self.training,
            mixture=self.mixture,
            mode_count=self.mode_count,
            seed=self.seed,
            progress=self.progress,
        )
        protocol = Protocol(self.extractor_record, self.real.description, generated.description, self.seed)
        scores, pictures = [], {}
        for number, metric in enumerate(self.metrics):
            self.progress.counting("metrics", number, len(self.metrics))
            scores += [recorded(score, metric, protocol) for score in metric.measure(compared)]
            if metric.picture is not None:
                pictures[metric.name] = metric.picture(compared)
        self.progress.counting("metrics", len(self.metrics), len(self.metrics))
        return Answer(scores, pictures, time.monotonic() - began)

    def answer_of(self, sampler: "Sampler", options: EvaluationOptions) -> "Answer":
        """All scores of a generator, whose samples and their features are on disk for as long as they are read."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            return self.answer(generated_images(sampler, self.rows, options, folder, self.progress), folder)

    def real_side(self) -> Side:
        """The real samples' features, kept for the next time."""
        key = {name: self.real.description[name] for name in ("fingerprint", "count")}
        key["extractor"] = self.extractor_record
        if self.extractor is None or not self.reads_network:
            return self.without_network(self.real.samples)
        return real_side(self.real.samples, key, self.extractor, self.data_dir, self.progress)

    def side(self, samples: np.ndarray, folder: Path) -> Side:
        """Generated samples' features."""
        if self.extractor is None or not self.reads_network:
            return self.without_network(samples)
        return measured(
            samples, self.extractor, folder, self.progress, f"generated images through {self.extractor.name}"
        )

    @property
    def reads_network(self) -> bool:
        """Whether a metric asks for what only the network says."""
        return bool(self.needs & {"features", "logits", "modes"})

    def without_network(self, samples: np.ndarray) -> Side:
        """Points are their own features; images have none without a network."""
        return Side(samples, features=samples if samples.ndim == 2 else None)


@dataclass(frozen=True)
class Answer:
    """Scores as evaluation.json keeps them, pictures by their metric's name, and the seconds that all took."""

    scores: list[dict[str, Any]]
    pictures: Mapping[str, Any]
    seconds: float


def extractor_record(extractor: Extractor) -> dict[str, str]:
    """What a protocol says of a network."""
    return {name: getattr(extractor, name) for name in ("name", "sha256", "preparation")}


def recorded(score: Measure, metric: Metric, protocol: Protocol) -> dict[str, Any]:
    """A score as plain data under the name that it may carry."""
    extractor = protocol.extractor["name"] if protocol.extractor else None
    classified = "modes" in metric.needs and extractor != COORDINATES  # by the extractor, though no name says so
    return {
        "name": score_name(score.name, extractor if metric.in_features else None),
        "value": float(score.value),
        "deviation": None if score.deviation is None else float(score.deviation),
        "interval": None if score.interval is None else [float(end) for end in score.interval],
        "better": score.better,
        "protocol": protocol.of_score(metric.in_features or classified, metric.settings),
    }


def chosen_metrics(
    names: Sequence[str], available: set[str], why_not: Mapping[str, str], counts: Mapping[str, int]
) -> list[Metric]:
    """The metrics of these names, or all usual ones that the samples allow where none is named.

    `available` is what the samples have of a metric's `needs`; `why_not` says for each other need why it is missing;
    `counts` is how many real and generated samples there are. Raises ZooError for a name that can't be measured.
    """
    whose = min(counts, key=lambda side: counts[side])
    possible = [each for each in METRICS.values() if each.needs <= available and each.smallest <= counts[whose]]
    listed = ", ".join(each.name for each in possible) or "none"
    if not names:
        if not possible:
            raise ZooError(f"{counts[whose]} {whose} samples are too few for any metric. Take more: --samples.")
        return [each for each in possible if each.default]
    chosen = {}
    for name in names:
        metric = METRICS.get(name)
        if metric is None:
            raise unknown("metric", name, METRICS)
        if missing := sorted(metric.needs - available):
            reasons = "; ".join(why_not.get(need, f"there are no {need}") for need in missing)
            raise ZooError(f"The metric '{name}' can't be measured here: {reasons}. Possible: {listed}.")
        if metric not in possible:
            raise ZooError(
                f"The metric '{name}' needs at least {metric.smallest} samples on either side; there are "
                f"{counts[whose]} {whose} ones. Take more (--samples). Possible: {listed}."
            )
        chosen[name] = metric
    return list(chosen.values())
