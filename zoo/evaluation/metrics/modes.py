"""Modes that a generator reaches, as PacGAN counts them (Lin et al. 2018), https://arxiv.org/abs/1712.04086"""

import math
from collections.abc import Sequence

import numpy as np

from zoo.errors import ZooError
from zoo.evaluation.metrics.checks import check_both, parts, present
from zoo.evaluation.metrics.contract import Compared, Metric, Mixture, Score
from zoo.evaluation.metrics.halves import HALVES, half_sample_deviation
from zoo.evaluation.metrics.intervals import of_share, of_ten
from zoo.hookspecs import hookimpl

REACH = 3.0  # standard deviations around a centre within which a sample is of high quality
SMALLEST = 10
UNSEEN = 0.5  # real samples that a mode without any is taken to have: the divergence would be infinite


def nearest_centres(points: np.ndarray, mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
    """For each point (N, D) its nearest centre, int64 (N,), and whether it lies within 3 deviations, bool (N,)."""
    nearest, near = np.empty(len(points), "int64"), np.empty(len(points), bool)
    # All distances of a part at once are as many values as it has, times the modes.
    for part in parts(np.broadcast_to(points[:, None], (len(points), len(mixture.centres), points.shape[1]))):
        offsets = points[part, None].astype("float64") - mixture.centres
        squared = np.sum(np.square(offsets), axis=-1)
        nearest[part] = squared.argmin(axis=1)
        near[part] = squared.min(axis=1) <= (REACH * mixture.standard_deviation) ** 2
    return nearest, near


def divergence(counts: np.ndarray, reference: np.ndarray) -> float:
    """KL(generated || reference) in nats of counts (modes,); both are normalised, no sample in a mode adds 0.

    Equal distributions have about (modes - 1) / (2 M) where the reference is known, for M generated samples.
    """
    probabilities, expected = counts / counts.sum(), reference / reference.sum()
    found = probabilities > 0
    return float(np.sum(probabilities[found] * np.log(probabilities[found] / expected[found])))


def count_score(counts: np.ndarray) -> Score:
    """`modes`, how many of the counts (modes,) are not 0.

    Its variance is that of the number that other samples would miss, by `missed_variance`.
    """
    value, deviation = int(np.sum(counts > 0)), math.sqrt(missed_variance(counts))
    return Score.normal("modes", value, deviation, "higher", lowest=0.0, highest=float(len(counts)))


def missed_variance(counts: np.ndarray) -> float:
    """The variance of how many modes M samples miss, from the counts (modes,) of one draw.

    With f1 and f2 modes of one and two samples, f0 = f1 (f1 + 1) / (2 (f2 + 1)) modes are to be expected that another
    draw reaches and this one misses (Chao 1984). A mode is missed independently of others, but for the fixed number of
    samples: f0 (1 - f0 / (reached + f0)) - f1^2 / M. The delete-one jackknife's f1 (1 - f1 / M) is 1.2 to 2.3 times too
    wide.
    """
    once, twice = (int(np.sum(counts == number)) for number in (1, 2))
    reached, total = int(np.sum(counts > 0)), int(counts.sum())
    if not total:
        return 0.0
    missed = once * (once + 1) / (2 * (twice + 1))
    return max(0.0, missed * (1 - missed / (reached + missed)) - once**2 / total)


def divergence_score(name: str, modes: np.ndarray, reference: np.ndarray, seed: int) -> Score:
    """The divergence of samples' modes (M,) from a reference (modes,)."""

    def of(chosen: np.ndarray) -> float:
        return divergence(np.bincount(chosen, minlength=len(reference)), reference)

    deviation = half_sample_deviation(lambda half: of(modes[half]), len(modes), seed)
    most = -math.log(reference.min() / reference.sum())  # all samples in the mode that is rarest
    return of_ten(name, of(modes), float(deviation), "lower", lowest=0.0, highest=most)


def of_mixture(real: np.ndarray, fake: np.ndarray, mixture: Mixture, seed: int = 0) -> list[Score]:
    """Section 4.1 for points (N, D) and (M, D): modes reached, share of high quality, reverse KL over nearest modes.

    A mode is reached by a sample within 3 standard deviations of its centre. For the divergence every sample counts
    for its nearest mode, however far, and the reference is the real samples' own histogram.
    """
    check_both(real, fake, "points")
    if fake.shape[1] != mixture.centres.shape[1]:
        raise ZooError(
            f"Expected points of {mixture.centres.shape[1]} coordinates, as the centres have; received {fake.shape[1]}."
        )
    nearest, near = nearest_centres(fake, mixture)
    modes = len(mixture.centres)
    reference = np.bincount(nearest_centres(real, mixture)[0], minlength=modes)
    return [
        count_score(np.bincount(nearest[near], minlength=modes)),
        of_share("high_quality", float(near.mean()), len(fake), "higher"),
        divergence_score("reverse_kl", nearest, np.maximum(reference, UNSEEN), seed),
    ]


def of_images(modes: np.ndarray, mode_count: int, seed: int = 0) -> list[Score]:
    """Section 4.2 for the modes (M,) that a classifier finds: how many, and KL(generated || uniform).

    Uniform over all modes, as the paper and those after it take stacked digits to be, although MNIST's digits are
    from 9.0% to 11.2%: real samples have a divergence above 0 themselves.
    """
    if modes.ndim != 1 or len(modes) < 2:
        raise ZooError(f"Expected the mode of each of at least 2 generated samples; received shape {modes.shape}.")
    found = np.asarray(modes, "int64")
    if found.min() < 0 or found.max() >= mode_count:
        raise ZooError(f"Expected modes from 0 to {mode_count - 1}; received {found.min()} to {found.max()}.")
    counts = np.bincount(found, minlength=mode_count)
    return [count_score(counts), divergence_score("kl", found, np.ones(mode_count), seed)]


def measure(compared: Compared) -> Sequence[Score]:
    """`modes`, `high_quality` and `reverse_kl` of points of a known mixture; `modes` and `kl` of classified images."""
    if compared.mixture is not None:
        return of_mixture(compared.real.samples, compared.fake.samples, compared.mixture, compared.seed)
    if compared.mode_count is None:
        raise ZooError("Modes can only be counted of a known mixture, or with a classifier of a known number of modes.")
    return of_images(present(compared.fake.modes, "modes"), compared.mode_count, compared.seed)


METRIC = Metric(
    needs=frozenset({"modes"}),
    smallest=SMALLEST,
    settings={"reach": REACH, "kl_reference": "uniform", "reverse_kl_reference": "real", "halves": HALVES},
    measure=measure,
    in_features=False,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
