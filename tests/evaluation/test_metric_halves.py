"""Half-samples, intervals of shares, seeded draws, and what all metrics have in common."""

import numpy as np
import pytest
from scipy.stats import binomtest, t

from zoo.catalogue import plugin_summary, read_catalogue
from zoo.evaluation.metrics.checks import parts
from zoo.evaluation.metrics.draws import generator, some
from zoo.evaluation.metrics.halves import half_sample_deviation, half_samples
from zoo.evaluation.metrics.intervals import STUDENT_95, of_share
from zoo.evaluation.metrics.selection import every_metric


def test_the_deviation_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(1).standard_normal((1000, 2)) * [1, 3]
    found = half_sample_deviation(lambda half: values[half].mean(axis=0), 1000, seed=0, halves=400)
    np.testing.assert_allclose(found, [1 / np.sqrt(1000), 3 / np.sqrt(1000)], rtol=0.1)


def test_halves_are_distinct_sorted_and_a_function_of_the_seed() -> None:
    halves = half_samples(101, seed=3)
    assert len(halves) == 10
    assert all(len(half) == 50 and (np.diff(half) > 0).all() for half in halves)
    assert not np.array_equal(halves[0], halves[1])
    np.testing.assert_array_equal(halves, half_samples(101, seed=3))


@pytest.mark.parametrize(("hits", "count"), [(0, 50), (3, 200), (100, 100), (40, 80)])
def test_intervals_of_shares_are_those_of_scipy(hits: int, count: int) -> None:
    found = of_share("share", hits / count, count, "higher").interval
    expected = binomtest(hits, count).proportion_ci(0.95, "wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_ten_values_have_nine_degrees_of_freedom() -> None:
    assert pytest.approx(t.ppf(0.975, 9)) == STUDENT_95


def test_draws_of_one_purpose_are_not_those_of_another() -> None:
    assert generator(1, "kid").integers(1 << 40) == generator(1, "kid").integers(1 << 40)
    assert generator(1, "kid").integers(1 << 40) != generator(1, "swd").integers(1 << 40)
    assert some(1, "kid", 5, 9).tolist() == [0, 1, 2, 3, 4]
    assert len(set(some(1, "kid", 100, 9))) == 9


def test_parts_go_over_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.evaluation.metrics.checks.VALUES_AT_ONCE", 12)
    assert [(part.start, part.stop) for part in parts(np.zeros((10, 4)))] == [(0, 3), (3, 6), (6, 9), (9, 10)]


def test_every_metric_is_found_under_its_name_with_a_paper() -> None:
    catalogue = read_catalogue()
    metrics = every_metric(catalogue)
    assert list(metrics) == list(catalogue.extensions["metrics"])
    for name, metric in metrics.items():
        assert metric.smallest >= 2
        assert metric.settings
        assert plugin_summary(catalogue.extensions["metrics"][name])


def test_metrics_are_measured_in_their_customary_order() -> None:
    of_samples = "fd kid precision-recall density-coverage is modes swd ms-ssim memorisation"
    order = f"{of_samples} paired perceptual lpips-alex lpips-vgg cycle class-accuracy classifier"
    assert " ".join(every_metric(read_catalogue())) == order
