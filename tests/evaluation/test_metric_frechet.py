"""The Fréchet distance against scipy's matrix root and against closed forms."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from zoo import ZooError
from zoo.evaluation.metrics.contract import Compared, Side
from zoo.evaluation.metrics.frechet import METRIC, fitted, frechet_distance, moments


def features(seed: int, count: int, width: int, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """float32 (count, width): correlated, cut off at 0 as a network's are, and far from 0 on average."""
    mixing = np.random.default_rng(7).standard_normal((width, width)) / np.sqrt(width)
    drawn = np.random.default_rng(seed).standard_normal((count, width))
    return np.maximum(scale * drawn @ mixing + 0.5 + shift, 0).astype("float32")


def textbook_distance(real: np.ndarray, fake: np.ndarray) -> float:
    real, fake = real.astype("float64"), fake.astype("float64")
    one, other = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    difference = real.mean(axis=0) - fake.mean(axis=0)
    return float(difference @ difference + np.trace(one) + np.trace(other) - 2 * np.trace(sqrtm(one @ other)).real)


@pytest.mark.parametrize(("real_count", "fake_count"), [(2000, 1500), (2000, 600), (1000, 3000)])
def test_the_distance_is_that_of_a_general_matrix_root(real_count: int, fake_count: int) -> None:
    real, fake = features(1, real_count, 512), features(2, fake_count, 512, shift=0.1, scale=1.2)
    assert frechet_distance(real, fake) == pytest.approx(textbook_distance(real, fake), rel=1e-9)


@pytest.mark.parametrize(("real_count", "fake_count"), [(200, 200), (150, 200), (2000, 200), (200, 2000), (512, 512)])
def test_fewer_samples_than_features_give_the_same_distance(real_count: int, fake_count: int) -> None:
    # The general root of a singular matrix is itself only right to about the root of float64's precision.
    real, fake = features(1, real_count, 512), features(2, fake_count, 512, shift=0.1)
    assert frechet_distance(real, fake) == pytest.approx(textbook_distance(real, fake), rel=1e-5)


def test_gaussians_of_known_moments_have_the_closed_form() -> None:
    # Diagonal covariances commute: |m1 - m2|^2 + sum (s1 - s2)^2.
    draw = np.random.default_rng(3)
    drawn = draw.standard_normal((4000, 3))
    whitened = (drawn - drawn.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn, rowvar=False))).T
    real, fake = whitened * [1.0, 2.0, 3.0], whitened[::-1] * [2.0, 2.0, 1.0] + [1.0, 0.0, 2.0]
    assert frechet_distance(real, fake) == pytest.approx(1 + 4 + 1 + 0 + 4, rel=1e-10)


@pytest.mark.parametrize("count", [100, 1000])
def test_a_set_has_no_distance_from_itself(count: int) -> None:
    real = features(1, count, 300)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)


def test_features_without_variance_change_nothing() -> None:
    real, fake = features(1, 500, 64), features(2, 500, 64, shift=0.2)
    wide = [np.concatenate([each, np.full((500, 20), 3, "float32")], axis=1) for each in (real, fake)]
    assert frechet_distance(*wide) == pytest.approx(frechet_distance(real, fake), rel=1e-6)


def test_moments_read_in_parts_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.evaluation.metrics.checks.VALUES_AT_ONCE", 64 * 100)
    values = features(1, 1050, 64) + np.float32(1000)
    mean, covariance = moments(values)
    np.testing.assert_allclose(mean, values.astype("float64").mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(covariance, np.cov(values.astype("float64"), rowvar=False), rtol=1e-9, atol=1e-12)


def test_the_root_is_one_of_the_covariance() -> None:
    values = features(1, 300, 40)
    root = fitted(values).root
    np.testing.assert_allclose(root.T @ root, np.cov(values.astype("float64"), rowvar=False), atol=1e-12)


def test_the_deviation_is_the_spread_over_draws_of_generated_samples() -> None:
    real = features(0, 1000, 64)
    scores = []
    for seed in range(1, 25):
        fake = features(seed, 1000, 64, shift=0.3)
        scores += METRIC.measure(Compared(Side(real, real), Side(fake, fake), seed=seed))
    spread = np.std([each.value for each in scores], ddof=1)
    estimated = np.sqrt(np.mean([each.deviation**2 for each in scores if each.deviation is not None]))
    assert estimated == pytest.approx(spread, rel=0.35)


def test_the_score_is_a_function_of_the_seed_and_lies_in_its_interval() -> None:
    real, fake = features(0, 200, 16), features(1, 200, 16)
    one, same = (METRIC.measure(Compared(Side(real, real), Side(fake, fake), seed=5))[0] for _ in range(2))
    assert one == same
    assert one.interval is not None
    assert one.interval[0] < one.value < one.interval[1]


def test_unusable_features_are_refused_in_a_sentence() -> None:
    good, broken = features(1, 50, 8), features(1, 50, 8)
    broken[17, 3] = np.nan
    for real, fake, text in [
        (good, broken, "Row 17 of the generated features holds a value that is not finite"),
        (good, np.ones((50, 8), "float32"), "All 50 generated features are the same one"),
        (good, good[:, :4], "of one width; received 8 and 4"),
        (good[0], good, r"of shape \(samples, numbers of each\); received \(8,\)"),
        (good, good[:1], "at least 2 generated features; received 1"),
    ]:
        with pytest.raises(ZooError, match=text):
            frechet_distance(real, fake)


def test_a_side_without_features_is_refused() -> None:
    side = Side(features(1, 50, 8))
    with pytest.raises(ZooError, match="needs features, and there are none"):
        METRIC.measure(Compared(side, side))
