"""Small images to large ones (Ledig et al. 2016, section 3), a task on any images, https://arxiv.org/abs/1609.04802

It derives the field `source`, the samples at a fraction of their size, shrunk by the antialiased bicubic filter of
which the paper (and MATLAB's imresize) makes its small images: `srgan+lowres`. For translations between images of one
size `lowres_enlarged` brings them back to the samples' size by the same filter: `pix2pix+lowres`.

When to use it: to train an upscaler from large images alone. Small images of one's own that were shrunk by another
filter come out worse than the test images.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl
from zoo.layers import Downsample, Upsample

SHARPNESS = -0.5  # of the cubic (Keys 1981)
REACH = 2  # pixels of the small image to either side


@dataclass(frozen=True)
class LowresRecipe(Recipe):
    """Section 3: a quarter of the size."""

    lowres_factor: int = 4
    lowres_enlarged: bool = False  # True: of the samples' size again, without what was lost
    lowres_paired: bool = True  # False: of another row


@hookimpl
def recipe() -> LowresRecipe:
    """The paper's values."""
    return LowresRecipe()


@hookimpl
def derive(batch: Mapping[str, Any], other_batch: Mapping[str, Any], recipe: LowresRecipe) -> dict[str, Any]:
    """`source`, (B, H / factor, W / factor, C) in [-1, 1], or (B, H, W, C) where it is enlarged."""
    images = (batch if recipe.lowres_paired else other_batch)["samples"]
    factor = recipe.lowres_factor
    if len(images.shape) != 4 or factor < 2 or any(side % factor for side in images.shape[1:3]):
        raise ZooError(
            f"Plugin 'lowres' makes images 1/{factor} as large, for which their sides must be multiples of it, and it "
            f"2 or more; these samples are {tuple(images.shape[1:])}. Use --set lowres_factor=N or --image-size."
        )
    small = shrunk(images, factor)
    return {"source": enlarged(small, factor) if recipe.lowres_enlarged else small}


def shrunk(images: Any, factor: int) -> Any:
    """Images (B, H, W, C) at 1/factor of their size; at the border the outermost pixels are repeated."""
    layer = Downsample(cubic(factor), factor, border="edge", dtype=keras.config.floatx())
    return ops.clip(layer(images), -1, 1)  # the filter overshoots at edges


def enlarged(images: Any, factor: int) -> Any:
    """Images (B, H, W, C) at factor times their size."""
    layer = Upsample(cubic(factor), factor, border="edge", dtype=keras.config.floatx())
    return ops.clip(layer(images), -1, 1)


def cubic(factor: int) -> list[float]:
    """The weights of pixels within 2 of the small image's, of which `factor` lie side by side in one of those."""
    count = 2 * REACH * factor
    return [weight(abs((index + 0.5) / factor - REACH)) for index in range(count)]


def weight(distance: float) -> float:
    """Keys' cubic: 1 at 0, 0 at 1 and from 2 on."""
    if distance < 1:
        return (SHARPNESS + 2) * distance**3 - (SHARPNESS + 3) * distance**2 + 1
    return SHARPNESS * (distance**3 - 5 * distance**2 + 8 * distance - 4)
