"""PacGAN (Lin et al. 2017), https://arxiv.org/abs/1712.04086

The discriminator judges packs of m samples, all real or all generated, so that it sees a lack of variety. On top of
any stack whose discriminator takes samples alone: `dcgan+pacgan` joins images on their channels, `vanilla+pacgan`
points on their coordinates. Only the discriminator's first layer grows (section 2). Put augmentations below it.

`batch_size` counts samples: for as many packs as the base stack has samples, take m times its batch (section 4).
A gradient penalty is of each sample's own gradient, of a pack's logit; one that holds norms at 1 means each sample's.

When to use it: where modes are missing and the stack is otherwise fine: it changes nothing but the discriminator's
input. It needs a batch m times as large.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, networks


@dataclass(frozen=True)
class PacGanRecipe(Recipe):
    """PacGAN2, the smallest of those in section 4."""

    packing: int = 2  # samples judged at once, m


@hookimpl
def recipe() -> PacGanRecipe:
    """Packs of two."""
    return PacGanRecipe()


@hookimpl
def judged_shape(sample_shape: tuple[int, ...], recipe: PacGanRecipe) -> tuple[int, ...]:
    """The last axis holds m samples, one after the other."""
    if recipe.packing < 1:
        raise ZooError(f"packing must be at least 1; received {recipe.packing}.")
    return (*sample_shape[:-1], sample_shape[-1] * recipe.packing)


@hookimpl
def check(discriminator: keras.Model, recipe: PacGanRecipe, plugins: Mapping[str, Any]) -> None:
    """Refuse a batch that does not make whole packs, a discriminator that takes more than samples, and augmentations
    above, which would take a pack for one image: mix colours of several, move all alike.
    """
    check_divisible(recipe.batch_size, recipe.packing)
    names = list(plugins)
    own = next(place for place, module in enumerate(plugins.values()) if module.__name__ == __name__)
    above = [name for name in names[own + 1 :] if hasattr(plugins[name], "augment")]
    if above:
        raise ZooError(
            f"Plugin '{above[0]}' stands above 'pacgan' and would take a pack for a single sample. Put it below: "
            f"...+{above[0]}+pacgan."
        )
    others = set(networks.inputs_of(discriminator, "samples")) - {"samples"}
    if others:
        raise ZooError(
            f"Plugin 'pacgan' packs samples alone; this stack's discriminator also takes {', '.join(sorted(others))}, "
            "and a pack would have several. Use it on a stack whose discriminator takes nothing else."
        )


@hookimpl
def augment(samples: Any, recipe: PacGanRecipe) -> Any:
    """(B, ..., C) to packs (B / m, ..., m C), each of m neighbours of the batch."""
    check_divisible(samples.shape[0], recipe.packing)
    return ops.concatenate([samples[place :: recipe.packing] for place in range(recipe.packing)], axis=-1)


def check_divisible(count: int, packing: int) -> None:
    """Raises ZooError where a pack would lack samples."""
    if count % packing:
        raise ZooError(
            f"Plugin 'pacgan' can't make packs of {packing} out of {count} samples: --set batch_size to a multiple of "
            "packing, of packing times the devices where there are several."
        )
