"""Edges to photographs (Isola et al. 2016, section 4), a task on any images, https://arxiv.org/abs/1611.07004

It derives the field `source`, the edges of the samples, for a translation to begin with: `pix2pix+edges`. The paper's
edges come from a trained detector; these are the magnitude of Sobel's gradient, which needs no weights.

When to use it: to try a translation at once on any data set, or to draw with one's own strokes afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from zoo import Recipe, ZooError, hookimpl

STRONGEST = 8  # of Sobel's sums: a straight edge from -1 to 1


@dataclass(frozen=True)
class EdgesRecipe(Recipe):
    """Whether the edges are the sample's own."""

    edges_paired: bool = True  # False: of another row


@hookimpl
def recipe() -> EdgesRecipe:
    """Pairs, as in the paper."""
    return EdgesRecipe()


@hookimpl
def derive(batch: Mapping[str, Any], other_batch: Mapping[str, Any], recipe: EdgesRecipe) -> dict[str, Any]:
    """`source`, (B, H, W, 1) in [-1, 1]."""
    images = (batch if recipe.edges_paired else other_batch)["samples"]
    if len(images.shape) != 4:
        raise ZooError("Plugin 'edges' finds edges in images; these samples are points. Choose a dataset of images.")
    return {"source": edges(images)}


def edges(images: Any) -> Any:
    """Where images (B, H, W, C) change: -1 where they are flat, 1 at a straight edge from black to white.

    Sobel's gradient of the mean over channels; at the border the outermost pixels are repeated.
    """
    gray = ops.mean(images, axis=-1, keepdims=True)
    wide = ops.pad(gray, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    smooth_rows = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    smooth_columns = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
    across = smooth_rows[:, :, 2:] - smooth_rows[:, :, :-2]
    down = smooth_columns[:, 2:] - smooth_columns[:, :-2]
    magnitude = ops.sqrt(ops.square(across) + ops.square(down))
    return 2 * ops.minimum(magnitude / STRONGEST, 1) - 1  # a diagonal edge reaches 8.9
