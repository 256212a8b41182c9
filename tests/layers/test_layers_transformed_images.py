"""Warps, colours and bands of frequencies beside SciPy's, and what each keeps as it is."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from scipy.ndimage import map_coordinates
from scipy.signal import convolve, correlate, upfirdn

from zoo import layers
from zoo.layers.transformed_images import DELAY, SYM6, bands

DRAW = np.random.default_rng(0)
IMAGES = DRAW.normal(size=(3, 9, 12, 2))
FILTER = np.array(SYM6)
SYM2 = np.array([1 - 3**0.5, 3 - 3**0.5, 3 + 3**0.5, 1 + 3**0.5]) / 2**0.5 / 4
SMOOTH = np.cos(np.arange(12)[:, None, None] / 2 + np.arange(12)[None, :, None] ** 1.3 / 5 + np.arange(2))[None]

pytestmark = pytest.mark.usefixtures("float64")


def warped(images: np.ndarray, inverse: Any) -> np.ndarray:
    matrices = np.broadcast_to(np.array(inverse, "float64"), (len(images), 3, 3))
    return ops.convert_to_numpy(layers.warped(ops.convert_to_tensor(images), ops.convert_to_tensor(matrices)))


def reference(image: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """One channel (H, W): padded far, doubled, interpolated and halved by SciPy."""
    pad = 40
    doubled = np.pad(image, pad, mode="reflect")
    for axis in (0, 1):
        doubled = upfirdn(FILTER * 2**0.5, doubled, up=2, axis=axis)
    middle = [(size - 1) / 2 for size in image.shape]
    rows, columns = (
        (np.arange(2 * size + 10) - DELAY) / 2 - half for size, half in zip(image.shape, middle, strict=True)
    )
    places = np.stack([*np.meshgrid(columns, rows), np.ones((len(rows), len(columns)))])
    x, y, _ = np.tensordot(inverse, places, 1)
    positions = [2 * (each + half + pad) + DELAY for each, half in zip((y, x), middle, strict=True)]
    found = map_coordinates(doubled, positions, order=1)
    for axis in (0, 1):
        kernel = np.expand_dims(FILTER / 2**0.5, 1 - axis)
        found = np.take(correlate(found, kernel, "valid"), range(0, 2 * image.shape[axis], 2), axis)
    return found


def test_sym6_is_orthonormal_with_six_vanishing_moments() -> None:
    products = [FILTER[2 * shift :] @ FILTER[: 12 - 2 * shift] for shift in range(6)]
    assert products == pytest.approx([1, 0, 0, 0, 0, 0], abs=1e-9)
    moments = [(FILTER * (-1.0) ** np.arange(12)) @ np.arange(12.0) ** power for power in range(7)]
    assert moments[:6] == pytest.approx([0] * 6, abs=1e-7)
    assert abs(moments[6]) > 1


def test_warps_are_those_of_scipy() -> None:
    inverses = np.stack([np.eye(3), np.eye(3), np.eye(3)])
    inverses[:, :2] += DRAW.normal(size=(3, 2, 3)) * 0.4
    found = ops.convert_to_numpy(layers.warped(ops.convert_to_tensor(IMAGES), ops.convert_to_tensor(inverses)))
    for image, inverse, made in zip(IMAGES, inverses, found, strict=True):
        for channel in (0, 1):
            assert made[..., channel] == pytest.approx(reference(image[..., channel], inverse), abs=1e-9)


def test_the_identity_changes_nothing_and_constants_stay() -> None:
    assert warped(IMAGES, np.eye(3)) == pytest.approx(IMAGES, abs=1e-9)
    assert warped(np.ones((1, 9, 12, 1)), [[0.4, 1.1, 3], [-2, 0.3, 0.2], [0, 0, 1]]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("inverse", "expected"),
    [
        ([[-1, 0, 0], [0, 1, 0], [0, 0, 1]], SMOOTH[:, :, ::-1]),
        ([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.rot90(SMOOTH, -1, (1, 2))),  # clockwise
        ([[1, 0, -2], [0, 1, 1], [0, 0, 1]], np.pad(SMOOTH, ((0, 0), (0, 1), (2, 0), (0, 0)), "reflect")[:, 1:, :12]),
    ],
)
def test_flips_quarter_turns_and_shifts_are_those_of_pixels(inverse: Any, expected: np.ndarray) -> None:
    """Smooth images come out but for the filter's slight asymmetry, which shows where the border makes a kink."""
    inside = np.s_[:, 3:-3, 3:-3]
    assert warped(SMOOTH, inverse)[inside] == pytest.approx(expected[inside], abs=0.02)


def test_what_is_too_fine_to_be_seen_smaller_is_filtered_away_instead_of_aliasing() -> None:
    """A checkerboard turned by an eighth has no frequency below those of its pixels, and goes half grey."""
    board = (-1.0) ** np.add.outer(np.arange(32), np.arange(32))[None, :, :, None]
    half = 2**-0.5
    found = warped(board, [[half, half, 0], [-half, half, 0], [0, 0, 1]])[0, 8:-8, 8:-8]
    assert np.abs(found).max() < 0.5


def test_bands_are_those_of_the_convolved_filter_bank_and_add_up_to_the_image() -> None:
    low = convolve(SYM2, SYM2[::-1]) / 2
    high = convolve(*(each * (-1.0) ** np.arange(4) for each in (SYM2, SYM2[::-1]))) / -2
    high = high if high[3] > 0 else -high

    def spread(taps: np.ndarray, factor: int) -> np.ndarray:
        found = np.zeros(factor * (len(taps) - 1) + 1)
        found[::factor] = taps
        return found

    lower = [low, convolve(low, spread(low, 2)), convolve(convolve(low, spread(low, 2)), spread(low, 4))]
    expected = [lower[2], convolve(lower[1], spread(high, 4)), convolve(lower[0], spread(high, 2)), high]
    line = DRAW.normal(size=30)
    for matrix, taps in zip(bands(30), expected, strict=True):
        padded = np.pad(line, len(taps) // 2, mode="reflect")
        assert matrix @ line == pytest.approx(convolve(padded, taps, "valid"), abs=1e-9)
    assert bands(30).sum(axis=0) == pytest.approx(np.eye(30))
    gains = ops.convert_to_tensor(np.full((3, 4), 2.0))  # along both axes
    made = layers.weighed_bands(ops.convert_to_tensor(IMAGES), gains)
    assert ops.convert_to_numpy(made) == pytest.approx(4 * IMAGES, abs=1e-9)


def test_each_image_has_bands_and_colours_of_its_own() -> None:
    gains = ops.convert_to_tensor(np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], "float64"))
    made = ops.convert_to_numpy(layers.weighed_bands(ops.convert_to_tensor(IMAGES), gains))
    assert made[0] == pytest.approx(IMAGES[0])
    assert made[1, ..., 0] == pytest.approx(bands(9)[0] @ IMAGES[1, ..., 0] @ bands(12)[0].T)
    assert made[2] == pytest.approx(0)
    matrices, colours = DRAW.normal(size=(3, 4, 4)), DRAW.normal(size=(3, 4, 5, 3))
    made = ops.convert_to_numpy(layers.recoloured(ops.convert_to_tensor(colours), ops.convert_to_tensor(matrices)))
    expected = np.einsum("bij,bhwj->bhwi", matrices[:, :3, :3], colours) + matrices[:, None, None, :3, 3]
    assert made == pytest.approx(expected)
    grays = colours[..., :1]
    made = ops.convert_to_numpy(layers.recoloured(ops.convert_to_tensor(grays), ops.convert_to_tensor(matrices)))
    repeated = np.repeat(grays, 3, axis=3)
    expected = np.einsum("bij,bhwj->bhwi", matrices[:, :3, :3], repeated) + matrices[:, None, None, :3, 3]
    assert made == pytest.approx(expected.mean(axis=3, keepdims=True))


def test_a_hole_is_where_both_axes_are_marked() -> None:
    rows, columns = (ops.convert_to_tensor(np.arange(n)[None] < k) for n, k in ((9, 2), (12, 3)))
    made = ops.convert_to_numpy(layers.without(ops.convert_to_tensor(IMAGES[:1]), rows, columns))
    assert (made[:, :2, :3] == 0).all()
    assert (made != 0).sum() == made.size - 2 * 3 * 2
    assert keras.backend.standardize_dtype(made.dtype) == "float64"
