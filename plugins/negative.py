"""Negatives, a task without a paper that shows at a glance whether an unpaired translation works.

It derives the field `source`: images (or points) with their sign turned, as a photographic negative, of other rows than
the samples. A translation that works turns them back: `cyclegan+negative`.

When to use it: before an unpaired translation of one's own: if this doesn't work, neither will that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo import Recipe, hookimpl


@dataclass(frozen=True)
class NegativeRecipe(Recipe):
    """Whether the negatives are the sample's own."""

    negative_paired: bool = False


@hookimpl
def recipe() -> NegativeRecipe:
    """Of other rows."""
    return NegativeRecipe()


@hookimpl
def derive(batch: Mapping[str, Any], other_batch: Mapping[str, Any], recipe: NegativeRecipe) -> dict[str, Any]:
    """`source`, of the samples' shape."""
    return {"source": -(batch if recipe.negative_paired else other_batch)["samples"]}
