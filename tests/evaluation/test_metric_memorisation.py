"""Nearest training images against plain searches, and shares of copies that are known."""

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import cdist

from zoo import ZooError
from zoo.evaluation.metrics.contract import Compared, Score, Side
from zoo.evaluation.metrics.nearest_training import METRIC, nearest, scores


def images(seed: int, count: int, side: int = 12) -> np.ndarray:
    """uint8 (count, side, side, 1) of few real dimensions, so that nearest distances differ."""
    mixing = np.random.default_rng(0).standard_normal((8, side * side))
    drawn = np.random.default_rng(seed).standard_normal((count, 8)) @ mixing
    return np.clip(127 + 20 * drawn, 0, 255).astype("uint8").reshape(count, side, side, 1)


def measured(fake: np.ndarray) -> dict[str, Score]:
    compared = Compared(Side(images(2, 1000)), Side(fake), training=images(1, 2000), seed=3)
    return {each.name: each for each in METRIC.measure(compared)}


def test_neighbours_are_those_of_a_plain_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.evaluation.metrics.nearest_training.TRAINING_VALUES", 144 * 70)
    queries, training = images(1, 40), images(2, 500)
    rows, distances = nearest(queries, training, k=5)
    expected = cdist(queries.reshape(40, -1).astype("float64"), training.reshape(500, -1).astype("float64"))
    np.testing.assert_array_equal(distances, np.sort(expected, axis=1)[:, :5])
    np.testing.assert_array_equal(np.take_along_axis(expected, rows, 1), distances)


def test_a_copy_has_no_distance_even_among_bright_images() -> None:
    training = np.random.default_rng(1).integers(240, 256, (300, 32, 32, 3)).astype("uint8")
    rows, distances = nearest(training[[17, 250]], training)
    assert rows.ravel().tolist() == [17, 250]
    assert distances.ravel().tolist() == [0, 0]


def test_parts_smaller_than_the_number_of_neighbours_lose_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.evaluation.metrics.nearest_training.TRAINING_VALUES", 144 * 2)
    rows, _ = nearest(images(1, 3), images(2, 9), k=5)
    monkeypatch.undo()
    np.testing.assert_array_equal(rows, nearest(images(1, 3), images(2, 9), k=5)[0])


def test_new_images_are_near_copies_one_time_in_a_hundred() -> None:
    found = measured(images(4, 1000))
    assert 0.002 < found["near_copies"].value < 0.025
    assert found["nearest_ratio"].value == pytest.approx(1, abs=0.05)


def test_copied_training_images_are_counted() -> None:
    mixed = np.concatenate([images(1, 2000)[:300], images(4, 700)])
    found = measured(mixed)["near_copies"]
    assert found.value == pytest.approx(0.3 + 0.7 * 0.01, abs=0.012)
    assert found.interval is not None
    assert found.interval[0] < 0.307 < found.interval[1]


def test_scores_are_those_worked_by_hand() -> None:
    held_out = np.arange(1.0, 102.0)  # its 1% quantile is 2, its median 51
    near, ratio = scores(np.array([1.0, 1.9, 2.0, 60.0]), held_out)
    assert near.value == 0.5
    assert ratio.value == pytest.approx((1.9 + 2.0) / 2 / 51)


def test_real_images_from_training_are_refused() -> None:
    training = images(1, 200)
    with pytest.raises(ZooError, match="At least half of the real images are among the training images"):
        METRIC.measure(Compared(Side(training), Side(images(2, 200)), training=training))
    with pytest.raises(ZooError, match="needs training images"):
        METRIC.measure(Compared(Side(training), Side(training)))


def test_the_picture_shows_suspects_beside_their_neighbours() -> None:
    training, fake = images(1, 300), images(4, 200)
    fake[[5, 70]] = training[[30, 40]]
    assert METRIC.picture is not None
    picture = METRIC.picture(Compared(Side(images(2, 100)), Side(fake), training=training))
    assert isinstance(picture, Image.Image)
    factor = picture.width // (6 * 14 + 2)
    pixels = np.asarray(picture)[::factor, ::factor, 0]
    assert picture.height // factor == 8 * 14 + 2
    for row, index in enumerate((30, 40)):
        suspect, neighbour = (pixels[2 + 14 * row : 14 + 14 * row, left : left + 12] for left in (2, 16))
        np.testing.assert_array_equal(suspect, training[index, ..., 0])
        np.testing.assert_array_equal(neighbour, training[index, ..., 0])
