import numpy as np
import pytest
from bare import with_datasets

from zoo import ZooError
from zoo.catalogue import DatasetEntry
from zoo.data import DataOptions, open_dataset

CATALOGUE = with_datasets(
    {name: DatasetEntry(name, "points", reference=name) for name in ("ring8", "grid25", "swissroll", "ring9")}
)


def distances(dataset, centres):
    """(N,) distance of every point to the centre that its label names, in original units."""
    return np.linalg.norm(dataset.samples * dataset.scale - centres[dataset.labels], axis=1)


def test_ring8_is_eight_gaussians_of_deviation_one_hundredth_on_the_unit_circle(tmp_path):
    ring = open_dataset("ring8", CATALOGUE, data_dir=tmp_path)
    centres = np.exp(2j * np.pi * np.arange(8) / 8)
    centres = np.stack([centres.real, centres.imag], axis=1)
    # The mean squared distance of a plane Gaussian from its centre is twice its variance.
    assert np.mean(distances(ring, centres) ** 2) == pytest.approx(2 * 0.01**2, rel=0.02)
    assert np.allclose(ring.description["centres"], centres)
    assert ring.description["standard_deviation"] == 0.01


def test_grid25_is_the_grid_of_even_numbers_from_minus_4_to_4_with_deviation_one_twentieth(tmp_path):
    grid = open_dataset("grid25", CATALOGUE, data_dir=tmp_path)
    centres = np.array([(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)])
    assert np.mean(distances(grid, centres) ** 2) == pytest.approx(2 * 0.05**2, rel=0.02)
    assert np.allclose(grid.description["centres"], centres)


@pytest.mark.parametrize(("name", "modes"), [("ring8", 8), ("grid25", 25)])
def test_points_are_100000_scaled_float32_with_equally_likely_modes(tmp_path, name, modes):
    points = open_dataset(name, CATALOGUE, data_dir=tmp_path)
    assert points.samples.shape == (100_000, 2)
    assert points.sample_shape == (2,)
    assert points.samples.dtype == np.float32
    assert 0.9 < np.abs(points.samples).max() < 1.1
    share = np.bincount(points.labels, minlength=modes) / len(points.labels)
    assert points.classes == modes
    assert share == pytest.approx(1 / modes, rel=0.1)


def test_swissroll_is_a_spiral_whose_radius_grows_with_its_angle(tmp_path):
    roll = open_dataset("swissroll", CATALOGUE, data_dir=tmp_path)
    points = roll.samples * roll.scale * 7.5
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
    # On the spiral the radius is the angle, up to whole turns.
    turns = np.round((radius - angle) / (2 * np.pi))
    deviation = radius - angle - 2 * np.pi * turns
    # The noise across the spiral is the noise of each coordinate, but for what the angle adds to it.
    assert np.median(np.abs(deviation)) == pytest.approx(0.6745 * 0.25, rel=0.05)
    assert 1.5 * np.pi - 1.5 < radius.min() < radius.max() < 4.5 * np.pi + 1.5
    assert roll.labels is None
    assert roll.samples.shape == (100_000, 2)
    assert np.abs(roll.samples).max() < 1.1


def test_swissroll_has_the_moments_of_the_published_generator(tmp_path):
    roll = open_dataset("swissroll", CATALOGUE, data_dir=tmp_path)
    points = roll.samples * roll.scale
    # The integrals of t cos t and t sin t from 1.5 pi to 4.5 pi are 6 pi and 2.
    assert points.mean(axis=0) == pytest.approx((2 / 7.5, 2 / (3 * np.pi) / 7.5), abs=0.01)
    # scikit-learn 1.9.1: make_swiss_roll(200_000, noise=0.25, random_state=0)[0][:, [0, 2]] / 7.5
    assert points.std(axis=0) == pytest.approx((0.885, 0.927), abs=0.01)


def test_the_test_split_is_another_draw_of_the_same_mixture(tmp_path):
    train, test = (
        open_dataset("ring8", CATALOGUE, data_dir=tmp_path, options=DataOptions(split=split))
        for split in ("train", "test")
    )
    assert train.description["split"] != test.description["split"]
    assert train.fingerprint != test.fingerprint
    assert not np.array_equal(train.samples[:100], test.samples[:100])


def test_two_folders_get_the_same_points(tmp_path):
    fingerprints = {open_dataset("ring8", CATALOGUE, data_dir=tmp_path / place).fingerprint for place in "ab"}
    assert len(fingerprints) == 1


def test_an_unknown_set_of_points_lists_the_known_ones(tmp_path):
    with pytest.raises(ZooError, match=r"'ring9'\. Did you mean 'ring8'\? Available: grid25, ring8, swissroll"):
        open_dataset("ring9", CATALOGUE, data_dir=tmp_path)


def test_an_unknown_split_lists_the_known_ones(tmp_path):
    with pytest.raises(ZooError, match=r"Unknown split of 'ring8': 'validation'\. Available: all, test, train"):
        open_dataset("ring8", CATALOGUE, data_dir=tmp_path, options=DataOptions(split="validation"))
