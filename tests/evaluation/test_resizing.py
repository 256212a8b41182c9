from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo.backend import engine
from zoo.errors import ZooError
from zoo.evaluation.extractors.resizing import KINDS, clean, pytorch, resized, tf1

GOLDEN = Path(__file__).with_name("golden") / "resizing.npz"
SMALL = 11  # pixels, of the golden numbers
SIZES = ((28, 28), (5, 7), (40, 23), (300, 200), (31, 299), (1, 3))
WANTED = (11, 64, 299)
Images = Callable[[int, int], np.ndarray]


@pytest.fixture
def images() -> Images:
    """Makes float32 noise (2, height, width, 3) in [0, 255], the hardest there is to resize."""

    def make(height: int, width: int) -> np.ndarray:
        return np.random.default_rng(height * width).integers(0, 256, (2, height, width, 3)).astype("float32")

    return make


def made(batch: np.ndarray, kind: str, wanted: int) -> np.ndarray:
    return keras.ops.convert_to_numpy(resized(keras.ops.convert_to_tensor(batch), kind, wanted))


@pytest.mark.parametrize("kind", ["tf1", "pytorch"])
@pytest.mark.parametrize("size", ["5x7", "7x30", "40x23", "11x3"])
def test_the_references_give_the_same_pixels(kind: str, size: str) -> None:
    with np.load(GOLDEN) as golden:
        batch, expected = (golden[f"{size}/{each}"].transpose(0, 2, 3, 1) for each in ("input", kind))
    np.testing.assert_allclose(made(batch.astype("float32"), kind, SMALL), expected, atol=1e-4)


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("size", SIZES)
def test_tf1_is_what_tensorflow_1_did(size: tuple[int, int], wanted: int, images: Images) -> None:
    expected = tf.compat.v1.image.resize_bilinear(images(*size), (wanted, wanted)).numpy()
    np.testing.assert_allclose(made(images(*size), "tf1", wanted), expected, atol=2e-4)


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("size", SIZES)
def test_clean_is_pillows_bicubic_on_floats_clipped(size: tuple[int, int], wanted: int, images: Images) -> None:
    batch = images(*size)
    expected = np.empty((2, wanted, wanted, 3), "float32")
    for index in np.ndindex(2, 3):
        channel = Image.fromarray(batch[index[0], ..., index[1]])
        assert channel.mode == "F"
        expected[index[0], ..., index[1]] = channel.resize((wanted, wanted), Image.Resampling.BICUBIC)
    found = made(batch, "clean", wanted)
    np.testing.assert_allclose(found, expected.clip(0, 255), atol=2e-4)
    assert found.min() >= 0
    assert found.max() <= 255


@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_image_stays_flat(kind: str) -> None:
    np.testing.assert_allclose(made(np.full((1, 9, 31, 1), 77, "float32"), kind, 20), 77, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_of_the_wanted_size_keeps_its_pixels(kind: str, images: Images) -> None:
    np.testing.assert_array_equal(made(images(16, 16), kind, 16), images(16, 16))


def test_doubling_two_pixels_is_worked_by_hand() -> None:
    np.testing.assert_allclose(tf1(2, 4), [[1, 0], [0.5, 0.5], [0, 1], [0, 1]])
    np.testing.assert_allclose(pytorch(2, 4), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])


def test_halving_by_the_antialiased_way_alone_sees_every_pixel() -> None:
    assert (np.abs(clean(64, 8)).sum(axis=0) > 0).all()
    assert (np.abs(pytorch(64, 8)).sum(axis=0) == 0).any()


@pytest.mark.parametrize("kind", KINDS)
def test_it_compiles(kind: str, images: Images) -> None:
    compiled = engine().compiled_here(lambda batch: resized(batch, kind, 20))
    found = keras.ops.convert_to_numpy(compiled(keras.ops.convert_to_tensor(images(6, 9))))
    np.testing.assert_allclose(found, made(images(6, 9), kind, 20), atol=1e-4)


def test_another_way_is_refused_with_those_there_are(images: Images) -> None:
    with pytest.raises(ZooError, match=r"Unknown kind of resizing: 'cleen'\. Did you mean 'clean'\? Available: cl"):
        made(images(4, 4), "cleen", 8)
