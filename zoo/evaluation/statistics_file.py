"""Statistics of real features in a file, as the field passes them around: `mu` (F,) and `sigma` (F, F) in an .npz.

TTUR, pytorch-fid (`--save-stats`) and ADM's reference batches have them. How they were measured does not stand in
them: of which images, how many, through which preparation. Ours say so in a further array, `protocol`.
"""

import json
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.files import atomic_file
from zoo.base.plain_data import plain
from zoo.base.progress import Progress
from zoo.catalogue import Catalogue
from zoo.errors import ZooError
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.lookup import default_name, open_extractor
from zoo.evaluation.features import measured, real_side
from zoo.evaluation.images import Images, real_images
from zoo.evaluation.metrics.frechet import METRIC, SMALLEST, Gaussian, distance_to, gaussian_of, moments
from zoo.evaluation.metrics.halves import half_sample_deviation
from zoo.evaluation.metrics.intervals import of_ten
from zoo.evaluation.names import INCEPTION
from zoo.evaluation.options import EvaluationOptions
from zoo.evaluation.protocol import Protocol
from zoo.evaluation.task import EvaluationResult, extractor_record, recorded

if TYPE_CHECKING:
    from zoo.data import Dataset

MU, SIGMA, PROTOCOL = "mu", "sigma", "protocol"
INCEPTION_SIZE = 2048  # features of the network that the FID is defined in
ASYMMETRY = 1e-5  # of the largest value, that rounding may leave


@dataclass(frozen=True)
class Statistics:
    """What a file says of real features."""

    path: Path
    mean: np.ndarray  # float64 (F,)
    covariance: np.ndarray  # float64 (F, F)
    protocol: Mapping[str, Any] | None  # None where the file does not say how it was measured

    @property
    def gaussian(self) -> Gaussian:
        """The Gaussian of these moments."""
        return gaussian_of(self.mean, self.covariance)

    @property
    def description(self) -> dict[str, Any]:
        """What a score's protocol says of the real side."""
        digest = sha256(self.mean.tobytes() + self.covariance.tobytes()).hexdigest()
        known = self.protocol["real"] if self.protocol else {}
        unknown = {"dataset": self.path.name, "split": "not known", "count": 0, "sample_shape": []}
        says = "as the file says" if self.protocol else "not known: which images, how many and how prepared"
        return {**unknown, **known, "fingerprint": digest, "statistics": self.path.name, "protocol": says}


def is_statistics(path: Path) -> bool:
    """Whether a file holds statistics, whatever else it holds."""
    if path.suffix != ".npz" or not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{MU}.npy", f"{SIGMA}.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_statistics(path: Path) -> Statistics:
    """The statistics of a file; raises ZooError where they are none."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, covariance = (np.asarray(arrays[name], "float64") for name in (MU, SIGMA))
            protocol = json.loads(str(arrays[PROTOCOL])) if PROTOCOL in arrays.files else None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ZooError(f"Cannot read the statistics in {path}: {error}.") from error
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise ZooError(f"{path}: expected mu (F,) and sigma (F, F); received {mean.shape} and {covariance.shape}.")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ZooError(f"{path} holds statistics that are not finite.")
    if np.abs(covariance - covariance.T).max() > ASYMMETRY * np.abs(covariance).max():
        raise ZooError(f"{path}: sigma is no covariance, for it is not symmetric.")
    return Statistics(path, mean, covariance, protocol)


def write_statistics(
    dataset: "Dataset",
    path: Path,
    options: EvaluationOptions,
    catalogue: Catalogue,
    progress: Progress,
    count: int | None = None,
) -> dict[str, Any]:
    """Write the statistics of `count` images of a dataset (all where it is None); returns their protocol.

    pytorch-fid and TTUR read them. Raises ZooError for points, and a file that does not end in .npz.
    """
    if path.suffix != ".npz":
        raise ZooError(f"Statistics are an .npz; received {path}.")
    if not dataset.is_image:
        raise ZooError("Statistics are of images' features, and this dataset holds points.")
    with tempfile.TemporaryDirectory() as scratch:
        real = real_images(dataset, count, Path(scratch))
        name = options.extractor or default_name(None, progress)
        extractor = open_extractor(name, catalogue, options.resize, options.weights, progress)
        found = extractor_record(extractor)
        key = {"fingerprint": dataset.fingerprint, "count": len(real.samples), "extractor": found}
        features = real_side(real.samples, key, extractor, options.data_dir, progress).features
    if features is None or len(features) < SMALLEST:
        raise ZooError(f"Statistics need features of at least {SMALLEST} images.")
    mean, covariance = moments(features)
    protocol = {"real": plain(real.description), "extractor": found, "covariance": "unbiased"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        arrays = {MU: mean, SIGMA: covariance, PROTOCOL: np.array(json.dumps(protocol))}
        np.savez(file, **arrays)  # type: ignore[arg-type]
    return protocol


def extractor_for(
    statistics: Statistics, options: EvaluationOptions, catalogue: Catalogue, progress: Progress
) -> Extractor:
    """The network in which statistics are compared: that which their protocol names, else Inception by their size.

    Raises ZooError where another one is asked for than measured them.
    """
    known = (statistics.protocol or {}).get("extractor")
    of_size = INCEPTION if len(statistics.mean) == INCEPTION_SIZE else default_name(None, progress)
    name = options.extractor or (known["name"] if known else of_size)
    extractor = open_extractor(name, catalogue, options.resize, options.weights, progress)
    if known and (mine := extractor_record(extractor)) != known:
        raise ZooError(
            f"{statistics.path} was measured in {known['name']} {known['sha256'][:8]} ({known['preparation']}), not in "
            f"{mine['name']} {mine['sha256'][:8]} ({mine['preparation']}): --extractor and --resize must be the same."
        )
    return extractor


def score_against(
    statistics: Statistics, generated: Images, extractor: Extractor, seed: int, folder: Path, progress: Progress
) -> EvaluationResult:
    """The Fréchet distance of generated images to statistics, which is all that statistics allow."""
    began = time.monotonic()
    if generated.are_points:
        raise ZooError(f"{statistics.path} holds statistics of images' features, and the samples are points.")
    if len(generated.samples) < SMALLEST:
        raise ZooError(f"The metric 'fd' needs at least {SMALLEST} samples; there are {len(generated.samples)}.")
    side = measured(generated.samples, extractor, folder, progress, f"generated images through {extractor.name}")
    features = side.features
    if features is None or features.shape[1] != len(statistics.mean):
        size = None if features is None else features.shape[1]
        raise ZooError(
            f"{statistics.path} is of {len(statistics.mean)} features, and '{extractor.name}' gives {size}. Choose the "
            "network that measured it: --extractor."
        )
    gaussian = statistics.gaussian
    deviation = half_sample_deviation(lambda half: distance_to(gaussian, features, half), len(features), seed)
    score = of_ten("fd", distance_to(gaussian, features), float(deviation), "lower", lowest=0.0)
    protocol = Protocol(extractor_record(extractor), statistics.description, generated.description, seed)
    return EvaluationResult([recorded(score, METRIC, protocol)], {}, time.monotonic() - began)
