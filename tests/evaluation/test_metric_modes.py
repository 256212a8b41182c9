"""Modes counted by hand."""

import numpy as np
import pytest

from zoo import ZooError
from zoo.evaluation.metrics.contract import Compared, Mixture, Score, Side
from zoo.evaluation.metrics.modes import METRIC, count_score, divergence, of_images, of_mixture

THREE = Mixture(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]), 1.0)
SAMPLES = np.zeros((8, 28, 28, 3), "uint8")


def by_name(scores: object) -> dict[str, Score]:
    return {each.name: each for each in scores}  # type: ignore[attr-defined]


def test_a_mode_is_reached_within_three_deviations_and_not_beyond() -> None:
    real = np.repeat(THREE.centres, 2, axis=0).astype("float32")
    fake = np.array([[3, 0], [2.2, 2.2], [10, 3.01], [0, 9]], "float32")  # at 3, 3.11, 3.01 and 1 from the nearest
    found = by_name(of_mixture(real, fake, THREE))
    assert found["modes"].value == 2
    assert found["high_quality"].value == 0.5


def test_every_sample_counts_for_its_nearest_mode_in_the_reverse_divergence() -> None:
    real = np.repeat(THREE.centres, [2, 1, 1], axis=0).astype("float32")  # 1/2, 1/4, 1/4
    fake = np.array([[4, 0], [-50, 0], [0, 1], [90, 0]], "float32")  # 3/4, 1/4, 0
    found = by_name(of_mixture(real, fake, THREE))
    assert found["reverse_kl"].value == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(1.0))


def test_a_mode_without_real_samples_keeps_the_divergence_finite() -> None:
    real = np.array([[0, 0], [0.5, 0], [10, 0]], "float32")
    fake = np.array([[0, 10], [0, 10.5]], "float32")
    found = by_name(of_mixture(real, fake, THREE))
    assert found["reverse_kl"].value == pytest.approx(np.log(3.5 / 0.5))  # as if half a sample were there


def test_classified_images_are_compared_with_even_modes() -> None:
    modes = np.array([0, 0, 1, 2])
    found = by_name(of_images(modes, 4))
    assert found["modes"].value == 3
    assert found["kl"].value == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(1))
    assert "high_quality" not in found


def test_a_generator_of_one_mode_diverges_by_the_logarithm_of_their_number() -> None:
    found = by_name(of_images(np.full(100, 7), 1000))
    assert (found["modes"].value, found["modes"].deviation) == (1, 0)
    assert found["kl"].value == pytest.approx(np.log(1000))


def test_even_draws_diverge_by_what_their_number_explains() -> None:
    draw = np.random.default_rng(1)
    values = [divergence(np.bincount(draw.integers(0, 100, 2000), minlength=100), np.ones(100)) for _ in range(50)]
    assert np.mean(values) == pytest.approx(99 / (2 * 2000), rel=0.1)


@pytest.mark.parametrize(("modes", "count"), [(1000, 500), (1000, 2000), (1000, 5000), (100, 120)])
def test_the_interval_of_modes_is_as_wide_as_the_closed_form_of_even_draws(modes: int, count: int) -> None:
    """The variance of the number of empty cells (Johnson and Kotz 1977, section 3.1)."""
    missed, both = (1 - 1 / modes) ** count, (1 - 2 / modes) ** count
    expected = np.sqrt(modes * missed + modes * (modes - 1) * both - (modes * missed) ** 2)
    draws = [np.bincount(np.random.default_rng(each).integers(0, modes, count), minlength=modes) for each in range(60)]
    found = [count_score(each) for each in draws]
    assert np.sqrt(np.mean([each.deviation**2 for each in found])) == pytest.approx(expected, rel=0.12)
    mean = modes * (1 - missed)
    held = [each.interval[0] <= mean <= each.interval[1] for each in found if each.interval]
    assert 0.85 <= np.mean(held) <= 1


def test_modes_that_no_sample_can_reach_add_nothing() -> None:
    assert count_score(np.array([40, 30, 0, 0])).interval == (2, 2)


def test_deviations_are_spreads_over_draws() -> None:
    draw = np.random.default_rng(2)
    shares = draw.dirichlet(np.full(200, 0.7))
    draws = [by_name(of_images(draw.choice(200, 1000, p=shares), 200, seed)) for seed in range(40)]
    for name in ("modes", "kl"):
        spread = np.std([each[name].value for each in draws], ddof=1)
        estimated = np.mean([each[name].deviation for each in draws])
        assert 0.65 * spread < estimated < 1.6 * spread, name


def test_the_metric_takes_a_mixture_or_a_classifier() -> None:
    points = np.concatenate([THREE.centres, THREE.centres + 0.1]).astype("float32")
    mixture = METRIC.measure(Compared(Side(points), Side(points), mixture=THREE))
    assert [each.name for each in mixture] == ["modes", "high_quality", "reverse_kl"]
    side = Side(SAMPLES, modes=np.arange(8))
    images = METRIC.measure(Compared(side, side, mode_count=1000))
    assert [each.name for each in images] == ["modes", "kl"]


def test_what_has_no_known_modes_is_refused() -> None:
    with pytest.raises(ZooError, match="Modes can only be counted of a known mixture"):
        METRIC.measure(Compared(Side(SAMPLES), Side(SAMPLES)))
    with pytest.raises(ZooError, match="needs modes"):
        METRIC.measure(Compared(Side(SAMPLES), Side(SAMPLES), mode_count=10))
    with pytest.raises(ZooError, match="modes from 0 to 9; received 0 to 12"):
        of_images(np.array([0, 12]), 10)
    with pytest.raises(ZooError, match="points of 2 coordinates, as the centres have; received 3"):
        of_mixture(np.eye(3), np.eye(3), THREE)
