"""Differentiable Augmentation (Zhao et al. 2020), https://arxiv.org/abs/2006.10738

The discriminator sees real and generated images with other colours, shifted and with a square cut out, in both players'
updates, so that it can't learn few images by heart; gradients pass through to the generator. On top of any stack of
images: `dcgan+diffaugment`. `policy` names the augmentations, in their order. Pixels may leave [-1, 1], as in the
paper's code.

When to use it: with a hundred to some thousand images, always; with tens of thousands it does no harm, and beyond it
mostly costs time. `ada` finds its own strength, and suits images that must not be shifted.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers

SHIFT = 1 / 8  # of the side, at most


@dataclass(frozen=True)
class DiffAugmentRecipe(Recipe):
    """All three, as in the paper's StyleGAN2; its BigGAN on CIFAR-10 has translation,cutout."""

    policy: tuple[str, ...] = ("color", "translation", "cutout")
    cutout_size: float = 0.5  # of the side


@hookimpl
def recipe() -> DiffAugmentRecipe:
    """The strongest policy."""
    return DiffAugmentRecipe()


@hookimpl
def check(sample_shape: tuple[int, ...], recipe: DiffAugmentRecipe) -> None:
    """Refuse points and unknown augmentations."""
    if len(sample_shape) != 3:
        raise ZooError(f"Plugin 'diffaugment' augments images; received samples of shape {sample_shape}.")
    for name in recipe.policy:
        if name not in AUGMENTATIONS:
            raise ZooError(f"Unknown augmentation in policy: '{name}'. Available: {', '.join(AUGMENTATIONS)}.")


@hookimpl
def augment(samples: Any, seed: keras.random.SeedGenerator, recipe: DiffAugmentRecipe) -> Any:
    """Every augmentation of the policy on every image, other draws in each call."""
    for name in recipe.policy:
        samples = AUGMENTATIONS[name](samples, seed, recipe)
    return samples


def color(images: Any, seed: keras.random.SeedGenerator, _recipe: DiffAugmentRecipe) -> Any:
    """Brightness, saturation, contrast: a number an image for each."""
    shape = (images.shape[0], 1, 1, 1)
    brightness, saturation, contrast = (
        keras.random.uniform(shape, low, high, seed=seed, dtype=images.dtype)
        for low, high in ((-0.5, 0.5), (0.0, 2.0), (0.5, 1.5))
    )
    images = images + brightness
    gray = ops.mean(images, axis=3, keepdims=True)
    images = gray + saturation * (images - gray)
    level = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return level + contrast * (images - level)


def translation(images: Any, seed: keras.random.SeedGenerator, _recipe: DiffAugmentRecipe) -> Any:
    """Up to an eighth of the side each way, 0 where nothing was."""
    return layers.shifted(images, SHIFT, "zero", seed)


def cutout(images: Any, seed: keras.random.SeedGenerator, recipe: DiffAugmentRecipe) -> Any:
    """A hole of `cutout_size` of the side, 0 inside, its centre anywhere in the image."""
    rows, columns = (hole(images.shape[0], size, recipe.cutout_size, seed) for size in images.shape[1:3])
    return layers.without(images, rows, columns)


def hole(count: int, size: int, share: float, seed: keras.random.SeedGenerator) -> Any:
    """(count, size): which places along an axis lie in each image's hole."""
    width = int(size * share + 0.5)
    starts = keras.random.randint((count, 1), 0, size + (1 - width % 2), seed=seed) - width // 2
    places = ops.arange(size, dtype="int32")[None]
    return ops.logical_and(places >= starts, places < starts + width)


AUGMENTATIONS = {"color": color, "translation": translation, "cutout": cutout}
