"""Resampling, padding and shuffling against an upfirdn in NumPy and numbers worked out by hand."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from plain_numpy import drawn, numpy, upfirdn

from zoo import ZooError, layers

FILTERS = [(1, 1), (1, 2, 1), (1, 3, 3, 1), (1, 2, 5, 3, 1)]  # the last is not symmetric


def row(*pixels: float) -> Any:
    """An image of one row, which is repeated so that columns are as well."""
    return np.tile(np.array(pixels, "float32")[None, None, :, None], (1, len(pixels), 1, 1))


@pytest.mark.parametrize("taps", FILTERS)
def test_images_are_doubled_as_by_upfirdn(taps: tuple[int, ...]) -> None:
    images = drawn(2, 3, 5, 2)
    padding = ((len(taps) + 1) // 2, (len(taps) - 2) // 2)
    expected = upfirdn(images, taps, up=2, down=1, padding=padding, gain=4)
    assert numpy(layers.Upsample(taps)(images)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("taps", FILTERS)
@pytest.mark.parametrize("size", [(4, 6), (7, 5)])
def test_images_are_halved_as_by_upfirdn(taps: tuple[int, ...], size: tuple[int, int]) -> None:
    images = drawn(2, *size, 2)
    padding = ((len(taps) - 1) // 2, (len(taps) - 2) // 2)
    expected = upfirdn(images, taps, up=1, down=2, padding=padding)
    assert numpy(layers.Downsample(taps)(images)) == pytest.approx(expected, abs=1e-5)


def test_pixels_between_are_a_quarter_and_three_quarters_of_their_neighbours() -> None:
    outputs = numpy(layers.Upsample(border="edge")(row(0, 4, 8)))
    assert outputs[0, 2, :, 0] == pytest.approx([0, 1, 3, 5, 7, 8])
    outputs = numpy(layers.Upsample()(row(0, 4, 8)))
    assert outputs[0, 2, :, 0] == pytest.approx([0, 1, 3, 5, 7, 6])  # the last is a quarter of the zero beyond


def test_a_pixel_of_the_half_is_the_weighted_mean_around_it() -> None:
    assert numpy(layers.Downsample((1, 2, 1), border="reflect")(row(0, 4, 8, 4)))[0, 0, :, 0] == pytest.approx([2, 6])
    assert numpy(layers.Downsample((1, 3, 3, 1), border="edge")(row(0, 8, 16, 8)))[0, 0, :, 0] == pytest.approx([5, 11])


@pytest.mark.parametrize("kind", [layers.Upsample, layers.Downsample])
@pytest.mark.parametrize("taps", [(1, 2, 1), (1, 3, 3, 1)])
def test_constants_stay_away_from_the_border_and_everywhere_where_it_is_continued(
    kind: type[keras.Layer], taps: tuple[int, ...]
) -> None:
    images = np.full((1, 8, 6, 1), 3.0, "float32")
    inside = numpy(kind(taps)(images))[:, 1:-1, 1:-1]
    assert inside == pytest.approx(np.full(inside.shape, 3.0))
    for border in ("edge", "reflect"):
        whole = numpy(kind(taps, border=border)(images))
        assert whole == pytest.approx(np.full(whole.shape, 3.0))


def test_two_equal_taps_repeat_and_average() -> None:
    images = drawn(2, 4, 6, 3)
    repeated, averaged = keras.layers.UpSampling2D(), keras.layers.AveragePooling2D(2)
    assert numpy(layers.Upsample((1, 1))(images)) == pytest.approx(numpy(repeated(images)))
    assert numpy(layers.Downsample((1, 1))(images)) == pytest.approx(numpy(averaged(images)), abs=1e-6)


def test_the_finest_stripes_do_not_alias() -> None:
    stripes = row(*([1.0, -1.0] * 4))
    assert numpy(layers.Downsample((1, 2, 1), border="reflect")(stripes)) == pytest.approx(np.zeros((1, 4, 4, 1)))


def test_seven_pixels_become_fourteen_and_twenty_eight_and_come_back() -> None:
    images = np.ones((1, 7, 7, 2), "float32")
    large = layers.Upsample()(layers.Upsample()(images))
    assert large.shape == (1, 28, 28, 2)
    assert layers.Downsample()(layers.Downsample()(large)).shape == images.shape


def test_a_factor_of_three_spreads_three_times() -> None:
    images = drawn(1, 2, 3, 1)
    assert numpy(layers.Upsample((1, 1, 1), factor=3)(images)) == pytest.approx(images.repeat(3, 1).repeat(3, 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Upsample((1,)), r"Taps \(1,\) can't resample by 2: there must be at least as many"),
        (lambda: layers.Downsample((1, -1)), r"Taps \(1, -1\) can't resample by 2: .* with a sum above 0"),
        (
            lambda: layers.Upsample(border="edges"),
            r"Unknown border: 'edges'. Did you mean 'edge'\? Available: edge",
        ),
        (lambda: layers.Downsample()(np.ones((1, 1, 1, 1))), r"can't take 1 of 2 pixels from an image of 1"),
        (lambda: layers.Upsample()(np.ones((2, 3))), r"needs images of shape \(B, H, W, C\) .*; received \(2, 3\)"),
        (lambda: layers.Upsample()(keras.Input((None, 4, 1))), r"whose size is known; received \(None, None, 4, 1\)"),
    ],
)
def test_what_can_not_be_resampled_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        make()


def test_padding_mirrors_at_the_border_pixel() -> None:
    images = drawn(2, 4, 5, 3)
    expected = np.pad(images, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    assert (numpy(layers.ReflectionPadding2D(3)(images)) == expected).all()


def test_images_too_small_to_be_mirrored_are_refused() -> None:
    with pytest.raises(ZooError, match=r"can't mirror 4 pixels of images of shape \(4, 5, 3\)"):
        layers.ReflectionPadding2D(4)(drawn(2, 4, 5, 3))


def test_a_positions_channels_become_a_square_row_by_row() -> None:
    channels = np.array([[[[10, 11, 20, 21, 30, 31, 40, 41]]]], "float32")
    squares = numpy(layers.PixelShuffle()(channels))
    assert squares.tolist() == [[[[10, 11], [20, 21]], [[30, 31], [40, 41]]]]


def test_shuffling_is_tensorflows_depth_to_space() -> None:
    images = drawn(2, 2, 3, 18)
    assert (numpy(layers.PixelShuffle(3)(images)) == tf.nn.depth_to_space(images, 3).numpy()).all()


def test_channels_that_fill_no_squares_are_refused() -> None:
    with pytest.raises(ZooError, match=r"squares of 2 x 2 pixels from 6 channels: .* a multiple of 4 filters"):
        layers.PixelShuffle()(drawn(1, 2, 2, 6))
