"""The tasks gray, lowres and mask: hand-worked numbers, Pillow's filter, and whose they are."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from zoo_plugins.gray import gray
from zoo_plugins.lowres import enlarged, shrunk
from zoo_plugins.mask import MaskRecipe
from zoo_plugins.mask import derive as masked

from zoo import ZooError
from zoo.training.trainer import Trainer

COLOURS = (16, 16, 3)


@pytest.fixture
def batch_of(tiny_dataset: Callable, make_stack: Callable) -> Callable[..., tuple[dict, dict]]:
    """The discriminator's first real batch with what the stack derives, and the other rows."""

    def make(text: str, *settings: str) -> tuple[dict, dict]:
        trainer = Trainer(make_stack(text, *settings), tiny_dataset(COLOURS))
        inputs = trainer.feed.update("discriminator", 0, 0)
        batch = {name: ops.convert_to_numpy(each) for name, each in trainer.updates.batch(inputs).items()}
        return batch, {name: each / 127.5 - 1 for name, each in inputs.get("other_batch", {}).items()}

    return make


def test_gray_is_pillows_brightness() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    found = ops.convert_to_numpy(gray((pixels[None] / 127.5 - 1).astype("float32")))
    expected = np.asarray(Image.fromarray(pixels).convert("L"))
    assert found.shape == (1, 9, 7, 1)
    assert (found[0, :, :, 0] + 1) * 127.5 == pytest.approx(expected, abs=0.51)


@pytest.mark.parametrize("factor", [2, 4])
def test_small_and_enlarged_images_are_pillows_bicubic_ones(factor: int) -> None:
    image = np.random.default_rng(0).uniform(-0.5, 0.5, (32, 32)).astype("float32")

    def resized(pixels: np.ndarray, size: int) -> np.ndarray:
        return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC))

    inner = slice(2, -2)  # at the border Pillow leaves pixels out where the plugin repeats them
    small = ops.convert_to_numpy(shrunk(image[None, :, :, None], factor))[0, :, :, 0]
    assert small.shape == (32 // factor, 32 // factor)
    assert small[inner, inner] == pytest.approx(resized(image, 32 // factor)[inner, inner], abs=1e-6)
    large = ops.convert_to_numpy(enlarged(small[None, :, :, None], factor))[0, :, :, 0]
    inner = slice(2 * factor, -2 * factor)
    assert large[inner, inner] == pytest.approx(resized(small, 32)[inner, inner], abs=1e-6)
    assert large.shape == (32, 32)
    constant = ops.convert_to_numpy(enlarged(shrunk(np.full((1, 8, 8, 1), 0.7, "float32"), 2), 2))
    assert constant == pytest.approx(np.full((1, 8, 8, 1), 0.7), abs=1e-6)


def test_a_hole_is_gray_known_by_its_channel_and_of_the_size_that_was_asked_for() -> None:
    images = np.random.default_rng(0).uniform(0.1, 1, (200, 8, 12, 3)).astype("float32")
    seed = keras.random.SeedGenerator(3)
    source = ops.convert_to_numpy(masked({"samples": images}, seed, MaskRecipe(mask_place="random"))["source"])
    known = source[..., 3]
    assert set(np.unique(known)) == {-1, 1}
    assert (source[..., :3][known == 1] == images[known == 1]).all()
    assert (source[..., :3][known == -1] == 0).all()
    holes = known == -1
    assert ((holes.any(axis=2).sum(axis=1) == 4) & (holes.any(axis=1).sum(axis=1) == 6)).all()  # half of each side
    assert (holes.sum(axis=(1, 2)) == 4 * 6).all()
    tops, lefts = holes.any(axis=2).argmax(axis=1), holes.any(axis=1).argmax(axis=1)
    assert (set(tops), set(lefts)) == (set(range(5)), set(range(7)))  # every place, borders included
    centred = ops.convert_to_numpy(masked({"samples": images}, seed, MaskRecipe(mask_place="centre"))["source"])
    assert (centred[:, 2:6, 3:9, 3] == -1).all()
    assert (centred[..., 3] == -1).sum() == 200 * 24


def test_tasks_are_of_the_samples_own_unless_they_are_to_be_unpaired(batch_of: Callable) -> None:
    batch, _ = batch_of("pix2pix+gray")
    assert batch["source"] == pytest.approx(ops.convert_to_numpy(gray(batch["samples"])), abs=1e-6)
    batch, other = batch_of("cut+lowres", "lowres_enlarged=true", "lowres_paired=false")
    expected = enlarged(shrunk(other["samples"].astype("float32"), 4), 4)
    assert batch["source"] == pytest.approx(ops.convert_to_numpy(expected), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("pix2pix+gray", (16, 16, 1), "Plugin 'gray' takes the colours from images of 3 channels.*(16, 16, 1)"),
        ("vanilla+mask", (2,), "Plugin 'mask' cuts holes into images; these samples are points"),
        ("srgan", (18, 16, 3), "Plugin 'lowres' makes images 1/4 as large.*(18, 16, 3)"),
        ("pix2pix+lowres", (16, 16, 3), "Plugin 'pix2pix' translates between images of one size"),
    ],
)
def test_what_a_task_can_not_be_made_of_is_refused(
    text: str, shape: tuple[int, ...], message: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    with pytest.raises(ZooError, match=message.replace("(1", r"\(1").replace("3)", r"3\)").replace("1)", r"1\)")):
        Trainer(make_stack(text), tiny_dataset(shape))
