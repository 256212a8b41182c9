"""Sliced Wasserstein distances against scipy, closed forms, and pyramids against their inverse."""

import numpy as np
import pytest
from scipy.ndimage import convolve1d
from scipy.stats import wasserstein_distance

from zoo import ZooError
from zoo.evaluation.metrics import sliced_wasserstein
from zoo.evaluation.metrics.contract import Compared, Side
from zoo.evaluation.metrics.draws import generator
from zoo.evaluation.metrics.pyramids import (
    BINOMIAL,
    blurred,
    enlarged,
    level_patches,
    normalised,
    patches,
    pyramid,
    sides,
)
from zoo.evaluation.metrics.sliced_wasserstein import METRIC, directions, of_images, of_points, sliced, wasserstein_1d


def images(seed: int, count: int, side: int, channels: int = 1, contrast: float = 1.0) -> np.ndarray:
    """uint8 (count, side, side, channels): smooth, so that patches differ from noise."""
    drawn = np.random.default_rng(seed).standard_normal((count, side // 4 + 1, side // 4 + 1, channels))
    smooth = blurred(drawn.repeat(4, axis=1).repeat(4, axis=2)[:, :side, :side].astype("float32"))
    return np.clip(127 + 60 * contrast * smooth, 0, 255).astype("uint8")


@pytest.mark.parametrize(("count", "others"), [(50, 50), (50, 25), (37, 64), (1000, 999)])
def test_one_direction_gives_the_distance_of_scipy(count: int, others: int) -> None:
    draw = np.random.default_rng(1)
    one, other = draw.standard_normal((1, count)), draw.standard_normal((1, others)) + 0.2
    expected = wasserstein_distance(one[0], other[0])
    assert wasserstein_1d(np.sort(one), np.sort(other)) == pytest.approx(expected, rel=1e-12)


def test_a_shift_gives_the_mean_of_its_length_along_all_directions() -> None:
    real = np.random.default_rng(1).standard_normal((100, 2))
    shift = np.array([3.0, 4.0])
    along = directions(20000, 2, np.random.default_rng(2))
    value, _ = sliced(real, real + shift, along)
    assert value == pytest.approx(5 * 2 / np.pi, rel=0.01)  # the mean of |cos| on a circle is 2 / pi


def test_points_are_measured_in_their_own_units() -> None:
    draw = np.random.default_rng(1)
    real, fake = draw.standard_normal((400, 2)), draw.standard_normal((500, 2)) + 1
    (one,), (other,) = of_points(real, fake), of_points(10 * real, 10 * fake)
    assert other.value == pytest.approx(10 * one.value, rel=1e-9)
    assert one.deviation is not None
    assert other.deviation == pytest.approx(10 * one.deviation, rel=1e-9)


def test_halves_are_measured_as_if_they_were_all() -> None:
    draw = np.random.default_rng(1)
    real, fake = draw.standard_normal((300, 3)), draw.standard_normal((200, 3))
    along, halves = directions(7, 3, draw), [np.arange(0, 200, 2), np.arange(100)]
    _, by_halves = sliced(real, fake, along, halves, halved=4)
    assert by_halves == pytest.approx([sliced(real, fake[half], along[:4])[0] for half in halves])


def test_few_directions_at_once_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    real, fake = draw.standard_normal((300, 3)), draw.standard_normal((200, 3))
    along, halves = directions(7, 3, draw), [np.arange(100)]
    whole = sliced(real, fake, along, halves, halved=4)
    monkeypatch.setattr(sliced_wasserstein, "VALUES_AT_ONCE", 600)
    again = sliced(real, fake, along, halves, halved=4)
    assert (again[0], again[1][0]) == (pytest.approx(whole[0]), pytest.approx(whole[1][0]))


def test_the_deviation_is_the_spread_over_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliced_wasserstein, "POINT_DIRECTIONS", 50)
    draw = np.random.default_rng(1)
    real = draw.standard_normal((500, 2))
    scores = [of_points(real, draw.standard_normal((500, 2)) + 0.3, seed=0)[0] for _ in range(40)]
    spread = np.std([each.value for each in scores], ddof=1)
    assert np.mean([each.deviation for each in scores]) == pytest.approx(spread, rel=0.35)


def test_levels_go_down_to_two_patches() -> None:
    assert [sides(side, side) for side in (28, 32, 64, 128, 27, 45)] == [
        [28, 14],
        [32, 16],
        [64, 32, 16],
        [128, 64, 32, 16],
        [27, 14],
        [45, 23],
    ]


@pytest.mark.parametrize("side", [28, 45, 64])
def test_a_pyramid_adds_up_to_the_image(side: int) -> None:
    whole = images(1, 3, side, 2)
    *finer, rebuilt = pyramid(whole)
    for level in reversed(finer):
        rebuilt = level + enlarged(rebuilt, level.shape)
    np.testing.assert_allclose(rebuilt, whole, atol=1e-3)


def test_blurring_is_the_mirrored_filter_of_scipy_and_keeps_constants() -> None:
    whole = images(1, 2, 28).astype("float32")
    expected = convolve1d(convolve1d(whole, BINOMIAL, axis=1, mode="mirror"), BINOMIAL, axis=2, mode="mirror")
    np.testing.assert_allclose(blurred(whole), expected, rtol=1e-5)
    for side in (28, 27):
        constant = np.full((1, (side + 1) // 2, (side + 1) // 2, 1), 5, "float32")
        np.testing.assert_allclose(enlarged(constant, (1, side, side, 1)), 5, rtol=1e-6)


def test_patches_are_pieces_of_their_own_image() -> None:
    level = np.arange(2 * 9 * 10 * 3, dtype="float32").reshape(2, 9, 10, 3)
    found = patches(level, 40, np.random.default_rng(1)).reshape(2, 40, 7, 7, 3)
    for image, pieces in zip(level, found, strict=True):
        places = {
            (int(np.argwhere(image == piece[0, 0, 0])[0, 0]), int(np.argwhere(image == piece[0, 0, 0])[0, 1]))
            for piece in pieces
        }
        assert places == {(top, left) for top in range(3) for left in range(4)}
        for piece in pieces:
            top, left, _ = np.argwhere(image == piece[0, 0, 0])[0]
            np.testing.assert_array_equal(piece, image[top : top + 7, left : left + 7])


def test_patches_are_normalised_in_each_channel() -> None:
    draw = np.random.default_rng(1)
    flat = (draw.standard_normal((50, 7, 7, 3)) * [1, 5, 0] + [0, 100, 7]).astype("float32").reshape(50, -1)
    found = normalised(flat, 3).reshape(-1, 3)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 0], atol=1e-4)


def test_images_have_a_score_for_each_level_and_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliced_wasserstein, "DIRECTIONS", 32)
    real = images(1, 60, 28)
    scores = {each.name: each.value for each in METRIC.measure(Compared(Side(real), Side(images(2, 50, 28))))}
    assert list(scores) == ["swd", "swd_28", "swd_14"]
    assert scores["swd"] == pytest.approx((scores["swd_28"] + scores["swd_14"]) / 2)


def test_a_level_has_a_thousand_times_the_distance_of_its_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliced_wasserstein, "DIRECTIONS", 6)
    real, fake = images(1, 30, 28), images(2, 30, 28)
    value, _ = sliced_wasserstein.of_level(real, fake, level=1, seed=4)
    sets = [
        level_patches(each, 1, 128, generator(seed, f"swd {whose} patches 1"))
        for whose, seed, each in (("real", 0, real), ("generated", 4, fake))
    ]
    along = directions(6, 49, generator(0, "swd directions 1"))
    expected = [wasserstein_distance(sets[0] @ each, sets[1] @ each) for each in along]
    assert value == pytest.approx(1000 * np.mean(expected), rel=1e-4)


def test_worse_images_are_farther(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliced_wasserstein, "DIRECTIONS", 32)
    real, alike = images(1, 100, 28), images(2, 100, 28)
    noisy = np.clip(alike + np.random.default_rng(3).normal(0, 40, alike.shape), 0, 255).astype("uint8")
    near, far = of_images(real, alike)[0], of_images(real, noisy)[0]
    assert far.value > 3 * near.value


def test_images_smaller_than_two_patches_are_refused() -> None:
    with pytest.raises(ZooError, match=r"at least 14 x 14 pixels; received \(8, 8\)"):
        of_images(images(1, 20, 8), images(2, 20, 8))
    with pytest.raises(ZooError, match="Expected samples of one shape"):
        of_images(images(1, 20, 28), images(2, 20, 32))
