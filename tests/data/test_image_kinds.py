import struct
import warnings

import numpy as np
import pytest
from bare import BARE
from PIL import Image

from zoo import ZooError
from zoo.data import DataOptions, images, open_dataset
from zoo.data.values import SIXTEEN_BITS

ORIENTATION = 0x0112  # the EXIF tag
# What makes a stored image upright, by its EXIF orientation (https://exiftool.org/TagNames/EXIF.html).
TURNED = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored.swapaxes(0, 1)[::-1, ::-1],
    8: lambda stored: np.rot90(stored),
}
SWATCHES = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
GRAYS_OF_SWATCHES = [[76, 150], [29, 255]]  # 0.299 R + 0.587 G + 0.114 B


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images"
    path.mkdir()
    return path


@pytest.fixture
def opened(tmp_path):
    """Opens all images of a folder or file."""

    def opened(path, **options):
        chosen = DataOptions(split="all", **options)
        return open_dataset(str(path), BARE, data_dir=tmp_path / "data", options=chosen)

    return opened


@pytest.fixture
def noise():
    return np.random.default_rng(0)


@pytest.mark.parametrize("ending", ["png", "tiff", "webp"])
def test_images_are_turned_upright_whatever_their_orientation(opened, folder, noise, ending):
    uprights = {}
    for orientation, turned in TURNED.items():
        stored = noise.integers(0, 256, (6, 10, 3), dtype=np.uint8)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        more = {"lossless": True} if ending == "webp" else {}
        Image.fromarray(stored).save(folder / f"{orientation}.{ending}", exif=exif, **more)
        uprights[orientation] = turned(stored)
    samples = opened(folder, crop="square").samples
    for sample, (orientation, upright) in zip(samples, uprights.items(), strict=True):
        top, left = (upright.shape[0] - 6) // 2, (upright.shape[1] - 6) // 2
        assert np.array_equal(sample, upright[top : top + 6, left : left + 6]), orientation


def test_photographs_are_turned_upright_too(opened, folder):
    upright = np.zeros((16, 16, 3), np.uint8)
    upright[:8] = 255  # the sky is above
    for orientation in TURNED:
        # Of these transforms all but the quarter turns undo themselves, and those undo each other.
        stored = TURNED[{6: 8, 8: 6}.get(orientation, orientation)](upright)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        Image.fromarray(stored).save(folder / f"{orientation}.jpg", exif=exif, quality=95)
    samples = opened(folder).samples.astype(int)
    assert samples.shape == (8, 16, 16, 3)
    assert np.abs(samples - upright).max() <= 8


def test_transparency_lies_over_white(opened, folder):
    rgba = np.array([[[200, 100, 0, 0], [200, 100, 0, 51]], [[200, 100, 0, 204], [200, 100, 0, 255]]], np.uint8)
    Image.fromarray(rgba).save(folder / "rgba.png")
    # A fifth of the colour over four fifths of white, and the other way round.
    expected = [[[255, 255, 255], [244, 224, 204]], [[211, 131, 51], [200, 100, 0]]]
    assert np.abs(opened(folder).samples[0].astype(int) - expected).max() <= 1


def test_gray_with_transparency_stays_gray(opened, folder):
    Image.fromarray(np.array([[[50, 0], [50, 51]], [[50, 204], [50, 255]]], np.uint8), "LA").save(folder / "la.png")
    dataset = opened(folder)
    assert dataset.sample_shape == (2, 2, 1)
    assert np.abs(dataset.samples[0, ..., 0].astype(int) - [[255, 214], [91, 50]]).max() <= 1


def test_a_palette_s_transparent_colour_is_white(opened, folder):
    palette = Image.fromarray(np.array([[0, 1], [1, 2]], np.uint8), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    palette.save(folder / "1.png", transparency=1)  # one colour of the palette
    palette.save(folder / "2.png", transparency=b"\xff\x00\x33")  # an alpha for each
    palette.save(folder / "3.gif", transparency=1)
    palette.save(folder / "4.png")
    red, green, blue, white, pale = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [204, 204, 255]
    expected = [[[red, white], [white, last]] for last in (blue, pale, blue)] + [[[red, green], [green, blue]]]
    assert np.abs(opened(folder).samples.astype(int) - expected).max() <= 1


def test_a_single_transparent_colour_is_white(opened, folder):
    Image.fromarray(SWATCHES).save(folder / "key.png", transparency=(0, 255, 0))
    expected = SWATCHES.copy()
    expected[0, 1] = 255
    assert np.array_equal(opened(folder).samples[0], expected)


def test_four_channels_keep_the_transparency(opened, folder, noise):
    rgba = noise.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    Image.fromarray(rgba).save(folder / "rgba.png")
    assert np.array_equal(opened(folder, channels=4).samples[0], rgba)


def test_colours_become_gray_by_their_brightness_and_opaque_with_four_channels(opened, folder):
    Image.fromarray(SWATCHES).save(folder / "rgb.png")
    assert opened(folder, channels=1).samples[0, ..., 0].tolist() == GRAYS_OF_SWATCHES
    assert np.array_equal(opened(folder, channels=3).samples[0], SWATCHES)
    opaque = opened(folder, channels=4).samples[0]
    assert np.array_equal(opaque[..., :3], SWATCHES)
    assert (opaque[..., 3] == 255).all()


def test_gray_becomes_colour_by_repeating_it(opened, folder, noise):
    gray = noise.integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(gray).save(folder / "gray.png")
    assert opened(folder).sample_shape == (8, 8, 1)
    assert np.array_equal(opened(folder, channels=3).samples[0], np.stack([gray] * 3, axis=-1))


# Each 8-bit value k is the 16-bit value 257 k.
DEEP = np.array([[0, 257 * 3, 65535], [128, 129, 257 * 200], [32767, 32768, 65406]], np.uint16)
DEEP_IN_8_BITS = [[0, 3, 255], [0, 1, 200], [127, 128, 254]]


@pytest.mark.parametrize("name", ["gray.png", "gray.tiff"])
def test_sixteen_bits_are_scaled_to_eight_over_their_full_range(opened, folder, name):
    Image.fromarray(DEEP).save(folder / name)
    dataset = opened(folder)
    assert dataset.sample_shape == (3, 3, 1)
    assert dataset.samples[0, ..., 0].tolist() == DEEP_IN_8_BITS


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_arrays_of_sixteen_bits_are_scaled_alike(opened, tmp_path, order):
    np.savez(tmp_path / "deep.npz", samples=DEEP[np.newaxis].astype(order))
    assert opened(tmp_path / "deep.npz").samples[0, ..., 0].tolist() == DEEP_IN_8_BITS


def test_integers_of_32_bits_count_as_16_and_are_refused_beyond_them(opened, folder):
    Image.fromarray(DEEP.astype(np.int32)).save(folder / "1.tiff")
    assert opened(folder).samples[0, ..., 0].tolist() == DEEP_IN_8_BITS
    Image.fromarray(DEEP.astype(np.int32) + 1).save(folder / "1.tiff")
    with pytest.raises(
        ZooError, match=r"1\.tiff holds values from 0 to 65,536, beyond 16 bits. Store it with 8 or 16 bits"
    ):
        opened(folder)


def test_floating_point_images_are_refused_by_name(opened, folder, noise):
    Image.fromarray(noise.random((8, 8), dtype=np.float32)).save(folder / "depth.tiff")
    with pytest.raises(ZooError, match=r"depth\.tiff holds floating-point values of unknown range. Store it with 8"):
        opened(folder)


def test_a_photograph_for_print_becomes_rgb(opened, folder):
    inks = {"cyan": (255, 0, 0, 0), "magenta": (0, 255, 0, 0), "paper": (0, 0, 0, 0), "soot": (0, 0, 0, 255)}
    for name, ink in inks.items():
        Image.new("CMYK", (8, 8), ink).save(folder / f"{name}.jpg", quality=95)
    expected = {"cyan": (0, 255, 255), "magenta": (255, 0, 255), "paper": (255, 255, 255), "soot": (0, 0, 0)}
    samples = opened(folder).samples.astype(int)
    for sample, name in zip(samples, sorted(inks), strict=True):
        assert np.abs(sample - expected[name]).max() <= 4, name
    grays = opened(folder, channels=1).samples[:, 0, 0, 0].astype(int)
    assert np.abs(grays - [179, 105, 255, 0]).max() <= 4


def test_one_bit_is_black_and_white(opened, folder, noise):
    bits = noise.integers(0, 2, (8, 8)).astype(bool)
    Image.fromarray(bits).save(folder / "bits.png")
    dataset = opened(folder)
    assert dataset.sample_shape == (8, 8, 1)
    assert np.array_equal(dataset.samples[0, ..., 0], np.where(bits, 255, 0))


@pytest.mark.parametrize(
    ("ending", "more"),
    [
        ("gif", {}),
        ("bmp", {}),
        ("png", {}),
        ("tif", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("tiff", {"compression": "tiff_deflate"}),
        ("webp", {"lossless": True}),
        ("Jpeg", {"quality": 100, "subsampling": 0}),
    ],
)
def test_every_known_ending_is_read_as_pillow_reads_it(opened, folder, noise, ending, more):
    levels = noise.integers(0, 5, (8, 8, 3), dtype=np.uint8) * 60  # few enough for a palette
    Image.fromarray(levels).save(folder / f"image.{ending}", **more)
    with Image.open(folder / f"image.{ending}") as image:
        assert np.array_equal(opened(folder).samples[0], np.asarray(image.convert("RGB")))


def test_of_moving_pictures_the_first_is_taken(opened, folder):
    frames = [Image.new("L", (8, 8), level) for level in (10, 100, 200)]
    for ending in ("gif", "tiff"):
        frames[0].save(folder / f"moving.{ending}", save_all=True, append_images=frames[1:])
    assert (opened(folder, channels=1).samples == 10).all()


SIZES = [(8, 8), (9, 31), (31, 9), (200, 60), (8, 64), (13, 12)]  # width and height


@pytest.mark.parametrize("crop", [None, 7])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_of_many_sizes_become_their_centre_square_resized_as_by_pillow(opened, folder, noise, crop, mode):
    expected = []
    for number, (width, height) in enumerate(SIZES):
        image = Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)
        image.save(folder / f"{number}.png")
        side = crop or min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        centre = image.crop((left, top, left + side, top + side))
        expected.append(np.asarray(centre.resize((8, 8), Image.Resampling.BICUBIC)).reshape(8, 8, -1))
    assert np.array_equal(opened(folder, image_size=8, crop=crop or "square").samples, expected)


def test_a_crop_alone_gives_one_size_to_images_of_many(opened, folder):
    for number, size in enumerate(SIZES):
        Image.new("L", size, number).save(folder / f"{number}.png")
    dataset = opened(folder, crop=8)
    assert dataset.samples[:, 0, 0, 0].tolist() == list(range(len(SIZES)))
    with pytest.raises(ZooError, match="measures 8 pixels, less than the crop of 9 pixels"):
        opened(folder, crop=9)


def test_transparent_colours_do_not_bleed_when_four_channels_are_resized(opened, folder):
    rgba = np.full((32, 32, 4), 200, np.uint8)
    rgba[..., 3] = np.where(np.indices((32, 32)).sum(axis=0) % 2, 255, 0)
    Image.fromarray(rgba).save(folder / "board.png")
    assert (opened(folder, channels=4, image_size=8).samples[..., :3] == 200).all()


def odd_photograph(path):
    """A JPEG whose EXIF data are cut off, of which Pillow warns."""
    Image.new("RGB", (8, 8), "white").save(path, exif=b"Exif\0\0II*\0" + struct.pack("<IHHHI", 8, 9, 0x010F, 2, 99))


def test_oddities_in_metadata_are_passed_over_without_a_word(opened, folder):
    for number in range(40):  # more images than threads, so that all are busy
        odd_photograph(folder / f"{number:02}.jpg")
    with pytest.warns(UserWarning, match="EXIF"):
        images.decoded((folder / "00.jpg").read_bytes(), "it", 3)
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert (opened(folder).samples == 255).all()
        assert warnings.filters[0][0] == "always"
    assert not caught
    assert warnings.filters == before


def smooth(height, width, channels, dtype):
    """Waves of another length in each channel, over the whole range."""
    rows, columns = np.indices((height, width)) / 10
    waves = [np.sin(rows * (1 + channel) / 2 + columns + channel) for channel in range(channels)]
    return np.rint((np.stack(waves, axis=-1) + 1) / 2 * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("stored", [1, 2, 3, 4])
def test_tensorflow_and_pillow_make_the_same_of_an_image(dtype, stored):
    image = smooth(37, 52, stored, dtype)
    for channels in (1, 3) if stored == 2 else (1, 3, 4):
        assert_the_same(image, channels)


def test_tensorflow_and_pillow_keep_the_transparency_of_gray_with_four_channels():
    assert_the_same(smooth(37, 52, 2, np.uint8), 4)


def assert_the_same(image, channels):
    import tensorflow as tf

    from zoo.data.tfds.pixels import Preprocessing

    stored = SIXTEEN_BITS.eight_bits(image) if image.dtype == np.uint16 else image
    for crop, size in ((None, 16), (None, 37), (20, 20), (20, 64), (21, 8), ("none", 16), ("none", 64)):
        side, whole = (None, True) if crop == "none" else (crop, False)
        by_tensorflow = Preprocessing(channels, side, size, whole).square(tf.constant(image)).numpy()
        by_pillow = images.square(images.array_with_channels(stored, channels), crop, size)
        assert by_tensorflow.shape == by_pillow.shape == (size, size, channels)
        difference = np.abs(by_tensorflow.astype(int) - by_pillow)
        assert difference.max() <= 2, (channels, crop, size, difference.max())


def test_tensorflow_and_pillow_keep_an_image_of_the_right_size_exactly(noise):
    import tensorflow as tf

    from zoo.data.tfds.pixels import Preprocessing

    image = noise.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    for crop, size in ((None, 16), (16, 16), (9, 9)):
        by_tensorflow = Preprocessing(3, crop, size).square(tf.constant(image)).numpy()
        by_pillow = images.square(image, crop, size)
        top, left = (16 - size) // 2, (24 - size) // 2
        assert np.array_equal(by_tensorflow, image[top : top + size, left : left + size])
        assert np.array_equal(by_tensorflow, by_pillow)
