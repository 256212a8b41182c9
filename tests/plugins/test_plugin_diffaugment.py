"""What each augmentation does to an image, and that the policy is heeded."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.diffaugment import DiffAugmentRecipe, augment, color, cutout, translation

from zoo import ZooError
from zoo.training.trainer import Trainer

IMAGES = np.random.default_rng(0).uniform(-1, 1, size=(300, 16, 16, 3)).astype("float32")


def made(function: Callable, images: np.ndarray, size: float = 0.5) -> np.ndarray:
    seed = keras.random.SeedGenerator(0)
    return ops.convert_to_numpy(function(ops.convert_to_tensor(images), seed, DiffAugmentRecipe(cutout_size=size)))


def test_colors_are_moved_stretched_and_saturated_image_by_image() -> None:
    found = made(color, IMAGES)
    means, before = (each.mean(axis=(1, 2, 3)) for each in (found, IMAGES))
    assert -0.5 <= (means - before).min() < -0.4 < 0.4 < (means - before).max() <= 0.5  # brightness alone moves it
    grays, gray = (each.mean(axis=3) - each.mean(axis=(1, 2, 3))[:, None, None] for each in (found, IMAGES))
    contrast = grays.std(axis=(1, 2)) / gray.std(axis=(1, 2))
    assert 0.5 <= contrast.min() < 0.6 < 1.4 < contrast.max() <= 1.5
    colors, own = (each - each.mean(axis=3, keepdims=True) for each in (found, IMAGES))
    saturation = colors.std(axis=(1, 2, 3)) / own.std(axis=(1, 2, 3)) / contrast
    assert 0 <= saturation.min() < 0.1 < 1.9 < saturation.max() <= 2.0001


def test_gray_images_stay_gray() -> None:
    found = made(color, np.repeat(IMAGES[..., :1], 3, axis=3))
    assert found[..., 0] == pytest.approx(found[..., 1], abs=1e-5)


def test_translation_moves_by_up_to_an_eighth_and_brings_in_zeros() -> None:
    delta = np.zeros((300, 16, 16, 1), "float32")
    delta[:, 8, 8] = 1
    places = np.argwhere(made(translation, delta)[..., 0] == 1)
    assert len(places) == 300
    assert {tuple(each) for each in places[:, 1:]} == {(8 + dy, 8 + dx) for dy in range(-2, 3) for dx in range(-2, 3)}
    assert made(translation, np.ones_like(delta)).min() == 0


def test_cutout_makes_a_hole_of_half_the_side_anywhere() -> None:
    found = made(cutout, np.ones((300, 16, 16, 1), "float32"))[..., 0]
    holes = (found == 0).sum(axis=(1, 2))
    assert holes.max() == 8 * 8
    assert holes.min() >= 4 * 4  # a centre in the corner
    rows = (found == 0).any(axis=2)
    assert rows[:, 0].any()
    assert rows[:, -1].any()
    smaller = made(cutout, np.ones((300, 16, 16, 1), "float32"), size=0.25)[..., 0]
    assert (smaller == 0).sum(axis=(1, 2)).max() == 4 * 4


def test_the_policy_says_which_and_each_call_draws_anew() -> None:
    images, seed = ops.convert_to_tensor(IMAGES[:4]), keras.random.SeedGenerator(0)
    assert augment(images, seed, DiffAugmentRecipe(policy=())) is images
    twice = [ops.convert_to_numpy(augment(images, seed, DiffAugmentRecipe())) for _ in range(2)]
    assert (twice[0] != twice[1]).any()


def test_points_and_unknown_augmentations_are_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="Plugin 'diffaugment' augments images"):
        Trainer(make_stack("vanilla+diffaugment"), tiny_dataset((2,)))
    with pytest.raises(ZooError, match=r"in policy: 'colour'\. Available: color, translation, cutout"):
        Trainer(make_stack("dcgan+diffaugment", "policy=colour,cutout"), tiny_dataset((16, 16, 1)))
