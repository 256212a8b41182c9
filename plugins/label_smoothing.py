"""One-sided label smoothing (Salimans et al. 2016, section 3.4), https://arxiv.org/abs/1606.03498

Real samples are labelled .9 instead of 1, generated ones stay 0. It wraps the loss of a cross-entropy stack:
`dcgan+label_smoothing`.

When to use it: beside a cross-entropy loss where the discriminator's logits run away: it costs nothing, and mends
little else.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from keras import ops

from zoo import Recipe, ZooError, hookimpl


@dataclass(frozen=True)
class LabelSmoothingRecipe(Recipe):
    """What real samples are labelled."""

    real_label: float = 0.9


@hookimpl
def recipe() -> LabelSmoothingRecipe:
    """The usual value."""
    return LabelSmoothingRecipe()


@hookimpl
def check(recipe: LabelSmoothingRecipe, loss_family: str | None) -> None:
    """Refuse losses that have no labels to smooth."""
    if not 0 < recipe.real_label <= 1:
        raise ZooError(f"real_label must be in (0, 1]; received {recipe.real_label}.")
    if loss_family != "cross-entropy":
        raise ZooError(
            "Plugin 'label_smoothing' needs a discriminator loss of the family 'cross-entropy'; this stack's is "
            f"'{loss_family}'. Use it on a stack such as dcgan or vanilla."
        )


@hookimpl(wrapper=True)
def discriminator_loss(real_logits: Any, recipe: LabelSmoothingRecipe) -> Generator[None, Any, Any]:
    """The cross-entropy to the label a: a softplus(-l) + (1 - a) softplus(l) = softplus(-l) + (1 - a) l."""
    loss = yield
    return loss + (1 - recipe.real_label) * ops.mean(real_logits)
