"""Gray images to colours (Isola et al. 2016, section 4), a task on colour images, https://arxiv.org/abs/1611.07004

It derives the field `source`, the samples without their colours, for a translation to begin with: `pix2pix+gray`.

When to use it: to colour black-and-white photographs, or to try a translation on any colour data set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from zoo import Recipe, ZooError, hookimpl

RED, GREEN, BLUE = 0.299, 0.587, 0.114  # shares of the brightness (ITU-R BT.601), as Pillow and PyTorch weigh them
COLOURS = 3  # channels


@dataclass(frozen=True)
class GrayRecipe(Recipe):
    """Whether the gray images are the sample's own."""

    gray_paired: bool = True  # False: of another row


@hookimpl
def recipe() -> GrayRecipe:
    """Pairs, as in the paper."""
    return GrayRecipe()


@hookimpl
def derive(batch: Mapping[str, Any], other_batch: Mapping[str, Any], recipe: GrayRecipe) -> dict[str, Any]:
    """`source`, (B, H, W, 1) in [-1, 1]."""
    images = (batch if recipe.gray_paired else other_batch)["samples"]
    if len(images.shape) != 4 or images.shape[-1] != COLOURS:
        raise ZooError(
            f"Plugin 'gray' takes the colours from images of 3 channels; these samples are {tuple(images.shape[1:])}. "
            "Choose a dataset of colour images, such as emoji or cifar10."
        )
    return {"source": gray(images)}


def gray(images: Any) -> Any:
    """The brightness (B, H, W, 1) of images (B, H, W, 3)."""
    red, green, blue = ops.split(images, COLOURS, axis=-1)
    return RED * red + GREEN * green + BLUE * blue
