"""The Inception Score against scores worked by hand."""

import numpy as np
import pytest

from zoo import ZooError
from zoo.evaluation.metrics.contract import Compared, Side
from zoo.evaluation.metrics.inception_score import METRIC, log_softmax, score, split_scores

SAMPLES = np.zeros((1000, 2, 2, 1), "uint8")


def test_logits_that_tell_nothing_score_one() -> None:
    assert score(np.zeros((500, 10))) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_sure_and_even_decisions_score_the_number_of_classes(classes: int) -> None:
    logits = 1000.0 * np.eye(classes)[np.arange(2 * classes) % classes]
    assert score(logits) == pytest.approx(classes, rel=1e-12)


def test_two_samples_give_the_score_worked_by_hand() -> None:
    # p = (3/4, 1/4) and (1/4, 3/4), marginal (1/2, 1/2): KL = 3/4 ln(3/2) + 1/4 ln(1/2), each.
    logits = np.log([[3.0, 1.0], [1.0, 3.0]])
    assert score(logits) == pytest.approx(1.5**0.75 * 0.5**0.25, rel=1e-12)


def test_a_class_that_nothing_is_of_does_not_spoil_the_score() -> None:
    logits = np.array([[0.0, 0.0, -1e5], [0.0, 0.0, -1e5]])
    assert score(logits) == pytest.approx(1)


def test_large_logits_keep_their_probabilities() -> None:
    np.testing.assert_allclose(np.exp(log_softmax(np.array([[1e4, 1e4]], "float32"))), [[0.5, 0.5]])


def test_sorted_samples_are_shuffled_before_they_are_split() -> None:
    logits = 1000.0 * np.eye(10)[np.repeat(np.arange(10), 100)]  # contiguous tenths would each score 1
    assert split_scores(logits).min() > 8


def test_the_score_is_the_mean_of_ten_splits_and_its_interval_that_of_the_mean() -> None:
    draw = np.random.default_rng(1)
    logits = draw.standard_normal((1000, 10)).astype("float32")
    scores = split_scores(logits, seed=3)
    assert scores.shape == (10,)
    told = METRIC.measure(Compared(Side(SAMPLES), Side(SAMPLES, logits=logits), seed=3))[0]
    assert (told.value, told.deviation) == (
        pytest.approx(scores.mean()),
        pytest.approx(scores.std(ddof=1) / np.sqrt(10)),
    )
    assert told.interval is not None
    assert told.interval[1] - told.value == pytest.approx(2.262 * scores.std(ddof=1) / np.sqrt(10), rel=1e-3)


def test_the_interval_holds_the_mean_of_other_draws() -> None:
    def told(seed: int) -> tuple[float, tuple[float, float]]:
        logits = 2 * np.random.default_rng(seed).standard_normal((1000, 10))
        found = METRIC.measure(Compared(Side(SAMPLES), Side(SAMPLES, logits=logits), seed=seed))[0]
        assert found.interval is not None
        return found.value, found.interval

    found = [told(seed) for seed in range(60)]
    expected = np.mean([value for value, _ in found])
    assert np.mean([low <= expected <= high for _, (low, high) in found]) >= 0.85


def test_unusable_logits_are_refused() -> None:
    with pytest.raises(ZooError, match="at least 10 logits, one for each of 10 splits; received 9"):
        split_scores(np.zeros((9, 3)))
    with pytest.raises(ZooError, match=r"Row 4 of the logits.* holds a value that is not finite"):
        split_scores(np.where(np.arange(20)[:, None] == 4, np.inf, np.zeros((20, 3))))
    with pytest.raises(ZooError, match="needs logits"):
        METRIC.measure(Compared(Side(SAMPLES), Side(SAMPLES)))
