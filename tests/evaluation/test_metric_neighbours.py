"""Precision, recall, density and coverage against the package prdc, and ties against plain definitions."""

import numpy as np
import prdc
import pytest

from zoo import ZooError
from zoo.evaluation.metrics import density_coverage, precision_recall
from zoo.evaluation.metrics.contract import Compared, Metric, Score, Side
from zoo.evaluation.metrics.density_coverage import neighbourhoods
from zoo.evaluation.metrics.distances import Frame, frame
from zoo.evaluation.metrics.halves import half_samples
from zoo.evaluation.metrics.precision_recall import coverings


def features(seed: int, count: int, width: int, shift: float = 0.0) -> np.ndarray:
    """float32 (count, width) of few real dimensions, cut off at 0, far from 0 on average."""
    mixing = np.random.default_rng(7).standard_normal((16, width)) / 4
    draw = np.random.default_rng(seed)
    drawn = draw.standard_normal((count, 16)) @ mixing + 0.2 * draw.standard_normal((count, width))
    return np.maximum(drawn + 3 + shift, 0).astype("float32")


def pairwise(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared distances by differences."""
    return np.stack([np.sum(np.square(other.astype("float64") - each), axis=1) for each in one.astype("float64")])


def squared_radii(side: np.ndarray, k: int) -> np.ndarray:
    return np.sort(pairwise(side, side), axis=1)[:, k]  # the first is the sample itself


@pytest.mark.parametrize(("count", "others", "width", "k"), [(3000, 2500, 1280, 5), (700, 900, 200, 3)])
def test_all_four_are_those_of_prdc(count: int, others: int, width: int, k: int) -> None:
    real, fake = features(1, count, width), features(2, others, width, shift=0.1)
    expected = prdc.compute_prdc(real.astype("float64"), fake.astype("float64"), nearest_k=k)
    shares, balls = coverings(real, fake, k), neighbourhoods(real, fake, k)
    found = [shares.precision, shares.recall, balls.density, balls.coverage]
    assert min(found) > 0.1, "a comparison of nothing"
    assert found == pytest.approx([expected[name] for name in ("precision", "recall", "density", "coverage")])


def test_features_far_from_zero_lose_no_digits() -> None:
    real, fake = features(1, 200, 50) + np.float32(10000), features(2, 200, 50) + np.float32(10000)
    np.testing.assert_allclose(frame(real, fake).squared(real, fake), pairwise(real, fake), rtol=1e-10)


def test_distances_that_only_rounding_tells_from_a_radius_tie_with_it() -> None:
    around = Frame(np.zeros(1), rounding=1e-10)
    squared = np.array([0.9, 1 - 1e-12, 1, 1 + 1e-12, 1.1])
    assert around.within(squared, np.ones(1)).tolist() == [True, True, True, True, False]
    assert around.inside(squared, np.ones(1)).tolist() == [True, False, False, False, False]


def with_ties(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Real samples with duplicates, and generated ones that are copies of them: distances equal to radii."""
    draw = np.random.default_rng(seed)
    distinct = features(seed, 60, 300)
    return distinct[draw.integers(0, 60, 150)], distinct[draw.integers(0, 60, 130)]


@pytest.mark.parametrize("seed", range(5))
def test_ties_are_within_reach_for_precision_and_recall(seed: int) -> None:
    real, fake = with_ties(seed)
    distances = pairwise(real, fake)
    found = coverings(real, fake, 3)
    precise = (distances <= squared_radii(real, 3)[:, None]).any(axis=0)
    recalled = (distances <= squared_radii(fake, 3)).any(axis=1)
    np.testing.assert_array_equal(found.precise, precise)
    np.testing.assert_array_equal(found.recalled, recalled)


@pytest.mark.parametrize("seed", range(5))
def test_ties_are_outside_for_density_and_coverage(seed: int) -> None:
    real, fake = with_ties(seed)
    inside = pairwise(real, fake) < squared_radii(real, 5)[:, None]
    found = neighbourhoods(real, fake, 5)
    np.testing.assert_array_equal(found.reached, inside.sum(axis=0))
    np.testing.assert_array_equal(found.held, inside.sum(axis=1))


def test_copies_of_the_real_samples_are_dense_once_and_cover_all() -> None:
    real = features(1, 400, 1280)
    found, shares = neighbourhoods(real, real.copy()), coverings(real, real.copy())
    assert (found.density, found.coverage, shares.precision, shares.recall) == (1, 1, 1, 1)


def test_points_on_a_line_give_the_shares_worked_by_hand() -> None:
    # With k = 1 real radii are 1, 1, 8 around 0, 1, 9; generated radii are 2, 2, 20 around 3, 5, 25.
    real, fake = np.array([[0.0], [1.0], [9.0]]), np.array([[3.0], [5.0], [25.0]])
    shares, balls = coverings(real, fake, k=1), neighbourhoods(real, fake, k=1)
    assert (shares.precision, shares.recall) == (2 / 3, 2 / 3)  # 1 is at 2 of 3; 9 is within 20 of 25
    assert (balls.density, balls.coverage) == (2 / 3, 1 / 3)
    np.testing.assert_array_equal(balls.alone, [0, 0, 0])


def test_small_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = features(1, 300, 20), features(2, 250, 20)
    halves = half_samples(250, 0)
    whole, dense = coverings(real, fake, 3, halves), neighbourhoods(real, fake, 5)
    monkeypatch.setattr("zoo.evaluation.metrics.distances.BLOCK_VALUES", 250 * 7)
    monkeypatch.setattr("zoo.evaluation.metrics.checks.VALUES_AT_ONCE", 20 * 11)
    again = coverings(real, fake, 3, halves)
    np.testing.assert_array_equal(again.precise, whole.precise)
    np.testing.assert_array_equal(again.recalled_by_halves, whole.recalled_by_halves)
    np.testing.assert_array_equal(neighbourhoods(real, fake, 5).alone, dense.alone)


def test_half_samples_are_measured_as_if_they_were_all() -> None:
    real, fake = features(1, 300, 20), features(2, 250, 20, shift=0.2)
    halves = half_samples(250, 0, halves=3)
    found = coverings(real, fake, 3, halves)
    for half, recalled in zip(halves, found.recalled_by_halves, strict=True):
        np.testing.assert_array_equal(recalled, coverings(real, fake[half], 3).recalled)


def test_leaving_out_a_sample_loses_the_neighbourhoods_that_it_holds_alone() -> None:
    real, fake = features(1, 100, 5), features(2, 40, 5)
    found = neighbourhoods(real, fake)
    left_out = [neighbourhoods(real, np.delete(fake, index, axis=0)).coverage for index in range(40)]
    np.testing.assert_allclose(found.coverage - found.alone / 100, left_out, atol=1e-12)


def test_pairs_of_neighbourhoods_that_hold_the_same_samples_are_counted() -> None:
    real, fake = features(1, 60, 5), features(2, 50, 5)
    inside = pairwise(real, fake) < squared_radii(real, 5)[:, None]
    held = [frozenset(np.flatnonzero(row)) for row in inside]
    expected = [sum(one == other for one in held for other in held if len(one) == size) for size in (1, 2, 3)]
    assert min(expected) > 0
    assert neighbourhoods(real, fake).alike == tuple(expected)


@pytest.mark.parametrize(("scale", "coverage"), [(1.0, 0.97), (0.6, 0.91), (0.3, 0.4)])
def test_the_deviation_of_coverage_is_that_over_draws_where_it_is_high_too(scale: float, coverage: float) -> None:
    """The jackknife would be 1.5 and 1.3 times as large at the first two."""
    draw, found = np.random.default_rng(0), []
    real = draw.standard_normal((400, 6))
    for _ in range(60):
        found.append(neighbourhoods(real, scale * draw.standard_normal((400, 6))))
    values = [each.coverage for each in found]
    assert np.mean(values) == pytest.approx(coverage, abs=0.03)
    estimated = np.sqrt(np.mean([each.coverage_deviation**2 for each in found]))
    assert 0.8 < estimated / np.std(values, ddof=1) < 1.25


def test_the_deviation_is_small_where_nearly_every_neighbourhood_holds_many() -> None:
    real, fake = features(1, 300, 5), features(2, 3000, 5)
    found = neighbourhoods(real, fake)
    assert found.coverage > 0.99
    assert 0 <= found.coverage_deviation < 0.01


@pytest.mark.parametrize(
    "metric", [precision_recall.METRIC, density_coverage.METRIC], ids=["precision-recall", "density-coverage"]
)
def test_deviations_are_spreads_over_draws_of_generated_samples(metric: Metric) -> None:
    real = features(0, 600, 12)
    draws: list[tuple[Score, ...]] = []
    for seed in range(1, 33):
        fake = features(seed, 600, 12, shift=0.3)
        draws.append(tuple(metric.measure(Compared(Side(real, real), Side(fake, fake), seed=seed))))
    for scores in zip(*draws, strict=True):
        spread = np.std([each.value for each in scores], ddof=1)
        estimated = np.mean([each.deviation for each in scores if each.deviation is not None])
        assert 0.7 * spread < estimated < 1.3 * spread, scores[0].name


def test_fewer_samples_than_neighbours_are_refused() -> None:
    few, many = features(1, 3, 4), features(2, 30, 4)
    with pytest.raises(ZooError, match="at least 4 real features; received 3"):
        coverings(few, many)
    with pytest.raises(ZooError, match="at least 6 generated features; received 3"):
        neighbourhoods(many, few)
