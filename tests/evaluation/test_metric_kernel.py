"""KID against plain loops, and its deviation against true spreads."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from zoo.evaluation.metrics import kernel
from zoo.evaluation.metrics.contract import Compared, Side
from zoo.evaluation.metrics.kernel import METRIC, discrepancies, discrepancy, kernel_distance


def normal(seed: int, count: int, width: int, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((count, width)) + shift).astype("float32")


def looped(real: np.ndarray, fake: np.ndarray) -> float:
    """Equation 4 term by term."""

    def cubed(one: np.ndarray, other: np.ndarray) -> float:
        return (float(np.dot(one.astype("float64"), other.astype("float64"))) / len(one) + 1) ** 3

    def among(side: np.ndarray) -> float:
        return float(np.mean([cubed(one, other) for one, other in itertools.permutations(side, 2)]))

    across = np.mean([cubed(one, other) for one in real for other in fake])
    return among(real) + among(fake) - 2 * float(across)


def test_the_discrepancy_is_that_of_plain_loops() -> None:
    real, fake = normal(1, 30, 20), normal(2, 25, 20, shift=0.3)
    value, contributions = discrepancy(real.astype("float64"), fake.astype("float64"))
    assert value == pytest.approx(looped(real, fake), rel=1e-12)
    assert contributions.shape == (25,)


def test_one_subset_of_all_samples_is_the_whole_discrepancy() -> None:
    real, fake = normal(1, 30, 20), normal(2, 30, 20, shift=0.3)
    found = kernel_distance(real, fake, subsets=3)
    assert found.value == pytest.approx(looped(real, fake), rel=1e-12)
    assert found.between_subsets == pytest.approx(0, abs=1e-12)
    assert found.deviation > 0


@pytest.mark.parametrize("count", [20, 60])  # subsets that overlap share their kernels; those of 60 would not gain
def test_subsets_are_measured_as_each_by_itself(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "BLOCK", 7)
    real, fake = normal(1, count, 12), normal(2, count + 3, 12, shift=0.3)
    draw = np.random.default_rng(3)
    rows, columns = (draw.permuted(np.tile(np.arange(len(side)) < 9, (6, 1)), axis=1) for side in (real, fake))
    for number, (value, contributions) in enumerate(discrepancies(real, fake, rows, columns)):
        one, other = real[rows[number]], fake[columns[number]]
        assert value == pytest.approx(looped(one, other), rel=1e-10)
        assert contributions == pytest.approx(discrepancy(one.astype("float64"), other.astype("float64"))[1], rel=1e-10)


def test_two_numbers_give_the_distance_worked_by_hand() -> None:
    # Real 0 and 1: k = 1. Fake 1 and 2: k = (2 + 1)^3 = 27. Across 1, 1, 8, 27: mean 37 / 4.
    real, fake = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    assert kernel_distance(real, fake, subsets=1).value == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_equal_distributions_have_a_distance_around_zero() -> None:
    found = [kernel_distance(normal(1, 1000, 32), normal(seed, 1000, 32), subsets=5, size=300) for seed in range(2, 22)]
    values = np.array([each.value for each in found])
    assert values.min() < 0 < values.max()


@pytest.mark.parametrize(("shift", "count", "size"), [(0.3, 800, 100), (0.3, 150, 1000)])
def test_the_deviation_is_the_spread_over_draws(shift: float, count: int, size: int) -> None:
    real = normal(0, count, 16)
    found = [kernel_distance(real, normal(seed, count, 16, shift), seed, 40, size) for seed in range(1, 41)]
    spread = np.std([each.value for each in found], ddof=1)
    assert np.mean([each.deviation for each in found]) == pytest.approx(spread, rel=0.35)
    assert np.mean([each.between_subsets for each in found]) / np.sqrt(40) < 0.6 * spread  # what is often printed


def test_few_subsets_are_trusted_less_than_many() -> None:
    real, fake = normal(0, 1000, 16), normal(1, 1000, 16, shift=0.3)
    found = kernel_distance(real, fake, subsets=4, size=30)
    assert found.deviation > found.between_subsets / 2
    values = [kernel_distance(real, fake, seed, 4, 30).value for seed in range(40)]  # the same samples, other subsets
    assert found.between_subsets / 2 == pytest.approx(np.std(values, ddof=1), rel=0.6)


def test_the_score_takes_subsets_of_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def seen(
        real: np.ndarray, fake: np.ndarray, rows: np.ndarray, columns: np.ndarray
    ) -> Iterator[tuple[float, np.ndarray]]:
        sizes.extend(zip(rows.sum(axis=1), columns.sum(axis=1), strict=True))
        return ((0.0, np.zeros(each.sum())) for each in columns)

    monkeypatch.setattr(kernel, "discrepancies", seen)
    real, fake = normal(1, 1200, 2), normal(2, 1500, 2)
    METRIC.measure(Compared(Side(real, real), Side(fake, fake)))
    assert sizes == [(1000, 1000)] * 100
    assert dict(METRIC.settings) == {"subsets": 100, "subset_size": 1000}


def test_the_score_is_a_function_of_the_seed() -> None:
    real, fake = normal(1, 300, 8), normal(2, 400, 8)
    one, same, other = (kernel_distance(real, fake, seed, 5, 100).value for seed in (1, 1, 2))
    assert one == same != other
