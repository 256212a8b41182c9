"""Relativistic average GAN (Jolicoeur-Martineau 2018), https://arxiv.org/abs/1807.00734

The discriminator tells whether a real sample is more realistic than the average generated one, and the generator turns
it round, in three losses: `relativistic_loss` is cross-entropy (RaSGAN), least-squares (RaLSGAN) or hinge (RaHingeGAN).
It brings no networks: `dcgan+ragan`.

The two terms are added, as in the paper; its code halves their sum. On several devices TensorFlow takes the averages
of each device's share.

When to use it: as a drop-in for the loss of any stack without a gradient penalty; among the best of our comparison on
small networks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from keras import ops

from zoo import Recipe, hookimpl

LOSS_FAMILY = "relativistic average"
SHORTFALLS: dict[str, Callable[[Any], Any]] = {  # of a margin
    "cross-entropy": lambda margin: ops.softplus(-margin),
    "least-squares": lambda margin: ops.square(margin - 1),
    "hinge": lambda margin: ops.relu(1 - margin),
}


@dataclass(frozen=True)
class RaganRecipe(Recipe):
    """Which of the paper's losses."""

    relativistic_loss: Literal["cross-entropy", "least-squares", "hinge"] = "cross-entropy"


@hookimpl
def recipe() -> RaganRecipe:
    """The loss that the paper begins with."""
    return RaganRecipe()


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any, recipe: RaganRecipe) -> Any:
    """Section 4.2: g(D(x) - E[D(G(z))]) + g(E[D(x)] - D(G(z))); at zero logits 2 ln 2, or 2 for the other two."""
    return relativistic(real_logits, fake_logits, recipe.relativistic_loss)


@hookimpl
def generator_loss(real_logits: Any, fake_logits: Any, recipe: RaganRecipe) -> Any:
    """Section 4.2: the same with the roles exchanged, on a real batch of its own; both means have a gradient."""
    return relativistic(fake_logits, real_logits, recipe.relativistic_loss)


def relativistic(better: Any, worse: Any, kind: str) -> Any:
    """What is lost where one batch's logits are not above the average of the other's, a value a logit."""
    shortfall = SHORTFALLS[kind]
    return shortfall(better - ops.mean(worse)) + shortfall(ops.mean(better) - worse)
