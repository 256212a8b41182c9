"""Inception Score (Salimans et al. 2016), https://arxiv.org/abs/1606.03498"""

import math
from collections.abc import Sequence

import numpy as np

from zoo.evaluation.metrics.checks import check_vectors, present
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import generator
from zoo.evaluation.metrics.intervals import of_ten
from zoo.hookspecs import hookimpl

SPLITS = 10
SMALLEST = 100


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """float64 log probabilities of logits (N, K)."""
    shifted = logits.astype("float64") - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def score(logits: np.ndarray) -> float:
    """exp(mean KL(p(y|x) || p(y))) of logits (N, K), section 4: from 1 to K."""
    conditional = log_softmax(logits)
    probabilities = np.exp(conditional)
    marginal = probabilities.mean(axis=0)
    # A class whose every probability underflows adds 0 log 0 = 0.
    log_marginal = np.log(np.where(marginal > 0, marginal, 1))
    return float(np.exp(np.mean(np.sum(probabilities * (conditional - log_marginal), axis=1))))


def split_scores(logits: np.ndarray, seed: int = 0, splits: int = SPLITS) -> np.ndarray:
    """The score of each of `splits` equal parts of logits (N, K), float64 (splits,).

    Samples are shuffled first, as torch-fidelity does and Salimans' code does not: where a generator's labels go round
    the classes or files come sorted, contiguous parts are no fair samples.
    """
    # Equal logits everywhere are a score of 1, and no mistake.
    check_vectors(logits, f"logits, one for each of {splits} splits", smallest=splits, varied=False)
    order = generator(seed, "is").permutation(len(logits))
    return np.array([score(np.asarray(logits[np.sort(part)])) for part in np.array_split(order, splits)])


def measure(compared: Compared) -> Sequence[Score]:
    """`is`, the mean over splits; what papers print behind it is the spread between splits, sqrt(10) times ours."""
    logits = present(compared.fake.logits, "logits")
    scores = split_scores(logits, compared.seed)
    deviation = float(scores.std(ddof=1)) / math.sqrt(len(scores))  # splits are disjoint, so independent
    return [of_ten("is", float(scores.mean()), deviation, "higher", lowest=1.0, highest=float(logits.shape[1]))]


METRIC = Metric(
    needs=frozenset({"logits"}),
    smallest=SMALLEST,
    settings={"splits": SPLITS},
    measure=measure,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
