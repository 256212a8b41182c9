"""An evaluation from both sides' samples to scores: features, every metric, every score with its protocol."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.progress import Progress, Silent
from zoo.errors import ZooError
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.features import measured, real_side
from zoo.evaluation.images import Images, check_usable, generated_images
from zoo.evaluation.metrics.contract import Compared, Metric, Mixture, Score, Side
from zoo.evaluation.names import score_name
from zoo.evaluation.options import EvaluationOptions
from zoo.evaluation.protocol import Protocol

if TYPE_CHECKING:
    from zoo.training.sampler import Sampler

COORDINATES = "coordinates"  # the extractor of points, which are their own features


@dataclass(frozen=True)
class EvaluationTask:
    """What is measured and against what: all but the generated samples, the same for every checkpoint of a run."""

    real: Images
    metrics: Mapping[str, Metric]  # by name, in the order in which they are measured
    extractor: Extractor | None  # None for points
    training: np.ndarray | None = None
    mixture: Mixture | None = None
    mode_count: int | None = None
    seed: int = 0
    data_dir: Path | None = None
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

    def score(self, generated: Images, folder: Path) -> "EvaluationResult":
        """All scores of generated samples, whose features are written to `folder` and read from there."""
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
        scores, pictures, owners = list[dict[str, Any]](), dict[str, Any](), dict[str, str]()
        for number, (name, metric) in enumerate(self.metrics.items()):
            self.progress.counting("metrics", number, len(self.metrics))
            found = [recorded(score, metric, protocol) for score in metric.measure(compared)]
            check_names(found, name, owners)
            scores += found
            if metric.picture is not None and (picture := metric.picture(compared)) is not None:
                pictures[name] = picture
        self.progress.counting("metrics", len(self.metrics), len(self.metrics))
        return EvaluationResult(scores, pictures, time.monotonic() - began)

    def score_generator(
        self, sampler: "Sampler", sample_shape: tuple[int, ...], scale: float, options: EvaluationOptions
    ) -> "EvaluationResult":
        """All scores of a generator, whose samples and their features lie on disk meanwhile."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            return self.score(generated_images(sampler, sample_shape, scale, options, folder, self.progress), folder)

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
class EvaluationResult:
    """Scores as evaluation.json keeps them, pictures by their metric's name, and the seconds that all took."""

    scores: list[dict[str, Any]]
    pictures: Mapping[str, Any]
    seconds: float


def check_names(scores: Sequence[Mapping[str, Any]], metric: str, owners: dict[str, str]) -> None:
    """Raises ZooError where a score has the name of another metric's; `owners` are the metrics of the names so far."""
    for score in scores:
        owner = owners.setdefault(score["name"], metric)
        if owner != metric:
            raise ZooError(
                f"The metrics '{owner}' and '{metric}' both give a score '{score['name']}'. Measure one of them: "
                "--metrics, or rename it."
            )


def extractor_record(extractor: Extractor) -> dict[str, str]:
    """What a protocol says of a network."""
    return {name: getattr(extractor, name) for name in ("name", "sha256", "preparation")}


def recorded(score: Score, metric: Metric, protocol: Protocol) -> dict[str, Any]:
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
