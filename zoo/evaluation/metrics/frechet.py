"""Fréchet distance of features: FID in Inception's (Heusel et al. 2017), https://arxiv.org/abs/1706.08500"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics.checks import VALUES_AT_ONCE, check_both, features_of, parts
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.halves import HALVES, half_sample_deviation
from zoo.evaluation.metrics.intervals import of_ten
from zoo.hookspecs import hookimpl

SMALLEST = 10


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian fitted to features, its covariance as root.T @ root with as few rows as its rank allows."""

    mean: np.ndarray  # float64 (F,)
    root: np.ndarray  # float64 (R, F), R at most min(N, F)

    @property
    def trace(self) -> float:
        """Of the covariance."""
        return float(np.sum(np.square(self.root)))


def chunks(features: np.ndarray, rows: np.ndarray | None) -> Iterator[np.ndarray]:
    """The features of the chosen rows, or of all, a few at a time: they may not fit in memory."""
    if rows is None:
        yield from (features[part] for part in parts(features))
        return
    at_once = max(1, VALUES_AT_ONCE // features.shape[1])
    for start in range(0, len(rows), at_once):
        yield features[rows[start : start + at_once]]


def moments(features: np.ndarray, rows: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean (F,) and unbiased covariance (F, F) in float64 of features (N, F), or of some rows, read in parts."""
    count = len(features) if rows is None else len(rows)
    mean = np.zeros(features.shape[1])
    for chunk in chunks(features, rows):
        mean += np.sum(chunk, axis=0, dtype="float64")
    mean /= count
    covariance = np.zeros((len(mean), len(mean)))
    for chunk in chunks(features, rows):
        centred = chunk.astype("float64") - mean
        covariance += centred.T @ centred
    return mean, covariance / (count - 1)


def centred_root(features: np.ndarray) -> Gaussian:
    """A root of N rows without a decomposition: the centred features (N, F) themselves, for N below F."""
    values = np.asarray(features, "float64")
    mean = values.mean(axis=0)
    return Gaussian(mean, (values - mean) / np.sqrt(len(values) - 1))


def fitted(features: np.ndarray) -> Gaussian:
    """The Gaussian of features (N, F); directions without variance are left out of its root."""
    if len(features) < features.shape[1]:
        return centred_root(features)
    return gaussian_of(*moments(features))


def gaussian_of(mean: np.ndarray, covariance: np.ndarray) -> Gaussian:
    """The Gaussian of a mean (F,) and a covariance (F, F)."""
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > len(variances) * np.finfo("float64").eps * variances[-1]
    return Gaussian(mean, np.sqrt(variances[kept])[:, None] * directions[:, kept].T)


def distance_to(real: Gaussian, features: np.ndarray, rows: np.ndarray | None = None) -> float:
    """|m_r - m_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2)) for features (M, F), at least 0; in the features' unit squared.

    `rows` chooses some of the features.
    With S = A.T A on either side, the last trace is the sum of the singular values of A_r A_f.T, that is of the square
    roots of the eigenvalues of A_r S_f A_r.T, or of A_f S_r A_f.T where M is smaller: symmetric, so that no
    general matrix root with its complex rounding is needed.
    """
    if (len(features) if rows is None else len(rows)) < len(real.root):
        fake = centred_root(features if rows is None else features[rows])
        mean, trace, product = fake.mean, fake.trace, fake.root @ real.root.T
        gram = product @ product.T
    else:
        mean, covariance = moments(features, rows)
        trace, gram = float(np.trace(covariance)), real.root @ covariance @ real.root.T
    shared = np.sum(np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0)))
    return max(0.0, float(np.sum(np.square(real.mean - mean)) + real.trace + trace - 2 * shared))


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """The Fréchet distance between the Gaussians of real (N, F) and generated (M, F) features."""
    check_both(real, fake)
    return distance_to(fitted(real), fake)


def measure(compared: Compared) -> Sequence[Score]:
    """`fd` with its deviation over half-samples; the real side is decomposed once."""
    real, fake = features_of(compared, SMALLEST)
    gaussian = fitted(real)
    deviation = half_sample_deviation(lambda half: distance_to(gaussian, fake, half), len(fake), compared.seed)
    return [of_ten("fd", distance_to(gaussian, fake), float(deviation), "lower", lowest=0.0)]


METRIC = Metric(
    needs=frozenset({"features"}),
    smallest=SMALLEST,
    settings={"covariance": "unbiased", "halves": HALVES},
    measure=measure,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
