"""MS-SSIM against TensorFlow's and SSIM against scikit-image's."""

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import structural_similarity

from zoo import ZooError
from zoo.evaluation.metrics.contract import Compared, Side
from zoo.evaluation.metrics.ms_ssim import METRIC, WEIGHTS, halved, ms_ssim, pair_similarities, scales, similarity


def images(seed: int, count: int, height: int, width: int, channels: int) -> np.ndarray:
    """uint8: half of each image is common to all, so that similarities are neither 0 nor 1."""
    common = np.random.default_rng(0).integers(0, 256, (1, height, width, channels))
    own = np.random.default_rng(seed).integers(0, 256, (count, height, width, channels))
    return ((common + own) // 2).astype("uint8")


@pytest.mark.parametrize(
    ("height", "width", "channels"), [(28, 28, 1), (32, 32, 3), (64, 64, 3), (64, 45, 3), (176, 176, 1)]
)
def test_every_size_has_the_similarity_of_tensorflow(height: int, width: int, channels: int) -> None:
    one, other = images(1, 6, height, width, channels), images(2, 6, height, width, channels)
    weights = np.array(WEIGHTS[: scales(height, width)])
    expected = tf.image.ssim_multiscale(one, other, 255, power_factors=(weights / weights.sum()).tolist())
    found = ms_ssim(one, other)
    assert 0.05 < found.mean() < 0.95
    np.testing.assert_allclose(found, expected.numpy(), rtol=2e-4)


def test_scales_are_as_many_as_hold_a_window() -> None:
    assert [scales(side, side) for side in (11, 20, 28, 32, 64, 128, 176, 512)] == [1, 1, 2, 2, 3, 4, 5, 5]


def test_one_scale_has_the_similarity_of_scikit_image() -> None:
    one, other = images(1, 1, 40, 30, 1)[0, ..., 0], images(2, 1, 40, 30, 1)[0, ..., 0]
    expected = structural_similarity(
        one, other, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    found, _ = similarity(one.astype("float64"), other.astype("float64"))
    assert found == pytest.approx(expected, rel=1e-9)


def test_an_image_is_wholly_similar_to_itself() -> None:
    one = images(1, 3, 28, 28, 3)
    np.testing.assert_allclose(ms_ssim(one, one), 1, rtol=1e-12)


def test_no_image_is_in_two_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def record(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        seen.extend([*one[:, 0, 0, 0], *other[:, 0, 0, 0]])
        return np.zeros(len(one))

    monkeypatch.setattr("zoo.evaluation.metrics.ms_ssim.ms_ssim", record)
    numbered = np.broadcast_to(np.arange(201, dtype="uint8")[:, None, None, None], (201, 28, 28, 1))
    assert len(pair_similarities(numbered, seed=1)) == 100
    assert len(set(seen)) == 200


def test_generated_and_real_pairs_are_told_apart() -> None:
    real = images(1, 60, 28, 28, 1)
    collapsed = np.clip(real[:1] + np.random.default_rng(2).integers(0, 5, real.shape), 0, 255).astype("uint8")
    fake_score, real_score = METRIC.measure(Compared(Side(real), Side(collapsed)))
    assert (fake_score.name, real_score.name) == ("ms-ssim", "ms-ssim_real")
    assert fake_score.value > 0.95 > real_score.value
    expected = pair_similarities(real)
    assert real_score.deviation == pytest.approx(expected.std(ddof=1) / np.sqrt(30))


def test_images_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(ZooError, match=r"at least 11 x 11 pixels; received \(8, 8\)"):
        pair_similarities(images(1, 30, 8, 8, 1))
    with pytest.raises(ZooError, match="as uint8 of shape"):
        pair_similarities(np.zeros((30, 28, 28, 1)))


def test_five_scales_have_the_published_weights_as_they_are() -> None:
    one, other = (images(seed, 2, 176, 176, 1) for seed in (1, 2))
    left, right = one[..., 0].astype("float64"), other[..., 0].astype("float64")
    expected = np.ones(2)
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):  # Wang et al. 2003, 1.0001 in all
        whole, structure = similarity(left, right)
        expected *= (whole if scale == 4 else structure) ** weight
        left, right = halved(left), halved(right)
    np.testing.assert_allclose(ms_ssim(one, other), expected, rtol=1e-12)
