"""An evaluation from both sides' samples to scores: features, every metric, every score with its protocol."""

import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import backend
from zoo.base.progress import Progress, Silent
from zoo.errors import ZooError, ZooWarning
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.features import measured, real_side
from zoo.evaluation.images import Images, check_usable, generated_images
from zoo.evaluation.metrics.contract import Compared, Cycles, Metric, Mixture, Pairs, Score, Side
from zoo.evaluation.names import of_direction, score_name
from zoo.evaluation.options import EvaluationOptions
from zoo.evaluation.protocol import Protocol
from zoo.evaluation.translations import cycles_of, pairs_of
from zoo.training.names import SAMPLES

if TYPE_CHECKING:
    from zoo.training.sampler import Rows, Sampler

COORDINATES = "coordinates"  # the extractor of points, which are their own features


@dataclass(frozen=True)
class EvaluationTask:
    """What is measured and against what: all but the generated samples, the same for every checkpoint of a run."""

    real: Images
    metrics: Mapping[str, Metric]  # by name, in the order in which they are measured
    extractor: Extractor | None  # None for points
    training: np.ndarray | None = None
    training_labels: np.ndarray | None = None
    mixture: Mixture | None = None
    mode_count: int | None = None
    seed: int = 0
    data_dir: Path | None = None
    rows: "Rows | None" = None
    """The real side's data, which a translation starts from."""
    pairs: int = 0
    """How many rows of that data belong to the samples that are made of them: 0 for what is no translation of pairs."""
    cycles: bool = False  # whether the generator translates there and back
    to: str = SAMPLES  # the field that is measured: another one is named by its scores
    progress: Progress = field(default_factory=Silent)

    @property
    def needs(self) -> set[str]:
        """What any of the metrics needs."""
        return {need for metric in self.metrics.values() for need in metric.needs}

    @property
    def extractor_record(self) -> dict[str, Any]:
        """What a protocol says of the extractor."""
        if self.extractor is None:
            return {"name": COORDINATES, "sha256": "", "preparation": "original units"}
        return extractor_record(self.extractor)

    def score(
        self, generated: Images, folder: Path, pairs: Pairs | None = None, cycles: Cycles | None = None
    ) -> "EvaluationResult":
        """All scores of generated samples, whose features are written to `folder` and read from there."""
        began = time.monotonic()
        check_usable(self.real, generated)
        compared = Compared(
            replace(self.real_side(), labels=self.real.labels),
            replace(self.side(generated.samples, folder), labels=generated.labels),
            training=self.training,
            training_labels=self.training_labels,
            mixture=self.mixture,
            mode_count=self.mode_count,
            pairs=pairs,
            cycles=cycles,
            seed=self.seed,
            progress=self.progress,
        )
        protocol = Protocol(self.extractor_record, self.real.description, generated.description, self.seed)
        scores, pictures = list[dict[str, Any]](), dict[str, Any]()
        for number, (name, metric) in enumerate(self.metrics.items()):
            self.progress.counting("metrics", number, len(self.metrics))
            found = [recorded(score, metric, protocol, self.to) for score in metric.measure(compared)]
            scores += without_known(found, name, {score["name"] for score in scores})
            if metric.picture is not None and (picture := metric.picture(compared)) is not None:
                pictures[name] = picture
        self.progress.counting("metrics", len(self.metrics), len(self.metrics))
        if not scores:
            raise ZooError(f"No metric gave a score: {', '.join(self.metrics)}.")
        return EvaluationResult(scores, pictures, time.monotonic() - began)

    def score_generator(self, sampler: "Sampler", options: EvaluationOptions) -> "EvaluationResult":
        """All scores of a generator, whose samples and their features lie on disk meanwhile."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            with backend.fixed():
                made = generated_images(sampler, self.rows, options, folder, self.progress)
                pairs, cycles = None, None
                if self.rows is not None and "pairs" in self.needs:
                    pairs = pairs_of(sampler, self.rows, made, self.pairs, options.seed, folder)
                if self.rows is not None and "cycles" in self.needs:
                    cycles = cycles_of(sampler, self.rows, made, options)
            return self.score(made, folder, pairs, cycles)

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
        """Whether a metric needs what only the network gives."""
        return bool(self.needs & {"features", "logits", "modes"})

    def without_network(self, samples: np.ndarray) -> Side:
        """Points are their own features; images have none without a network."""
        return Side(samples, features=samples if self.real.are_points else None)


@dataclass(frozen=True)
class EvaluationResult:
    """Scores as evaluation.json keeps them, pictures by their metric's name, and the seconds that all took."""

    scores: list[dict[str, Any]]
    pictures: Mapping[str, Any]
    seconds: float


def without_known(scores: list[dict[str, Any]], metric: str, known: set[str]) -> list[dict[str, Any]]:
    """A metric's scores without those whose names another metric has taken, each of which costs a ZooWarning."""
    for name in sorted(known & {score["name"] for score in scores}):
        warnings.warn(
            f"The metric '{metric}' gives a score '{name}', and so does one before it. It is left out; to have it, "
            f"measure without the other: --metrics {metric}",
            ZooWarning,
            stacklevel=2,
        )
    return [score for score in scores if score["name"] not in known]


def extractor_record(extractor: Extractor) -> dict[str, str]:
    """What a protocol says of a network."""
    return {name: getattr(extractor, name) for name in ("name", "sha256", "preparation")}


def recorded(score: Score, metric: Metric, protocol: Protocol, to: str = SAMPLES) -> dict[str, Any]:
    """A score as plain data under the name that it may carry, of another field than samples with `_to_source`."""
    extractor = protocol.extractor["name"] if protocol.extractor else None
    classified = "modes" in metric.needs and extractor != COORDINATES  # by the extractor, though no name says so
    return {
        "name": score_name(score.name, extractor if metric.in_features else None) + of_direction(to),
        "value": float(score.value),
        "deviation": None if score.deviation is None else float(score.deviation),
        "interval": None if score.interval is None else [float(end) for end in score.interval],
        "better": score.better,
        "protocol": protocol.of_score(metric.in_features or classified, metric.settings),
    }
