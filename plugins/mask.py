"""Inpainting (Pathak et al. 2016, section 3.3), a task on any images, https://arxiv.org/abs/1604.07379

It derives the field `source`, the samples with a hole, for a translation to fill: `pix2pix+mask`. The last channel of
`source` is 1 where the image is known and -1 in the hole, as an alpha channel is; there the colours are 0, middle gray.

When to use it: to fill holes, to remove things, or to look at what a network takes for likely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl


@dataclass(frozen=True)
class MaskRecipe(Recipe):
    """Section 3.3: a rectangle of half the image's height and width."""

    mask_share: float = 0.5  # of either side
    mask_place: Literal["centre", "random"] = "random"


@hookimpl
def recipe() -> MaskRecipe:
    """The paper's size."""
    return MaskRecipe()


@hookimpl
def derive(batch: Mapping[str, Any], seed: keras.random.SeedGenerator, recipe: MaskRecipe) -> dict[str, Any]:
    """`source`, (B, H, W, C + 1) in [-1, 1]."""
    images = batch["samples"]
    if len(images.shape) != 4:
        raise ZooError("Plugin 'mask' cuts holes into images; these samples are points. Choose a dataset of images.")
    if not 0 < recipe.mask_share < 1:
        raise ZooError(f"Plugin 'mask' cuts a share of the sides between 0 and 1; mask_share is {recipe.mask_share}.")
    rows, columns = (within(images, axis, seed, recipe) for axis in (1, 2))
    hole = ops.logical_and(ops.expand_dims(rows, 2), ops.expand_dims(columns, 1))
    known = ops.expand_dims(1 - ops.cast(hole, images.dtype), -1)
    return {"source": ops.concatenate([images * known, 2 * known - 1], axis=-1)}


def within(images: Any, axis: int, seed: keras.random.SeedGenerator, recipe: MaskRecipe) -> Any:
    """Which rows (axis 1) or columns (axis 2) of each image the hole takes, bool (B, size)."""
    count, size = ops.shape(images)[0], images.shape[axis]
    length = min(size - 1, max(1, round(size * recipe.mask_share)))
    first = ops.full((count, 1), (size - length) // 2, dtype="int32")
    if recipe.mask_place == "random":
        first = keras.random.randint((count, 1), 0, size - length + 1, seed=seed)
    places = ops.expand_dims(ops.arange(size, dtype="int32"), 0)
    return ops.logical_and(places >= first, places < first + length)
