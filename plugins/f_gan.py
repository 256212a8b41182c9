"""f-GAN (Nowozin et al. 2016), https://arxiv.org/abs/1606.00709

The discriminator bounds an f-divergence of the data's distribution from the generator's, one of the seven of the
paper's tables: `divergence`. It brings no networks: `vanilla+f_gan`, `dcgan+f_gan`.

T = g(v) and f*(T) are written as functions of the logit v, since f* of g overflows where both are computed: table 6,
with the paper's output activations g. All are of P = the data from Q = the generator. Kullback-Leibler and Neyman grow
like e^v: low learning rates.

When to use it: to compare divergences on one network: `kl` covers modes, `reverse-kl` prefers single ones, `gan` is the
original game and the quietest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any, Literal

from keras import ops

from zoo import Recipe, hookimpl

LOSS_FAMILY = "f-divergence"
Divergence = Literal["kl", "reverse-kl", "pearson", "neyman", "squared-hellinger", "jensen-shannon", "gan"]
Function = Callable[[Any], Any]
BOUNDS: dict[str, tuple[Function, Function]] = {  # T and f*(T), each of the logit v
    "kl": (lambda v: v, lambda v: ops.exp(v - 1)),
    "reverse-kl": (lambda v: -ops.exp(-v), lambda v: v - 1),
    "pearson": (lambda v: v, lambda v: ops.square(v) / 4 + v),
    "neyman": (lambda v: 1 - ops.exp(-v), lambda v: 2 - 2 * ops.exp(-v / 2)),
    "squared-hellinger": (lambda v: 1 - ops.exp(-v), lambda v: ops.exp(v) - 1),
    "jensen-shannon": (lambda v: log(2) - ops.softplus(-v), lambda v: ops.softplus(v) - log(2)),
    "gan": (lambda v: -ops.softplus(-v), ops.softplus),
}


@dataclass(frozen=True)
class FGanRecipe(Recipe):
    """The divergence, and which of section 3.2's objectives the generator has."""

    divergence: Divergence = "kl"
    f_gan_objective: Literal["non-saturating", "minimax"] = "non-saturating"


@hookimpl
def recipe() -> FGanRecipe:
    """The first of the paper's table."""
    return FGanRecipe()


@hookimpl
def advice() -> str:
    """What bounds the exponentials."""
    return "lower learning rates, another divergence (--set divergence=jensen-shannon), or a gradient penalty (+r1)"


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any, recipe: FGanRecipe) -> Any:
    """Minus equation 6: E[f*(T(G(z)))] - E[T(x)], at best minus the divergence."""
    of_real, of_fake = BOUNDS[recipe.divergence]
    return ops.mean(of_fake(fake_logits)) - ops.mean(of_real(real_logits))


@hookimpl
def generator_loss(fake_logits: Any, recipe: FGanRecipe) -> Any:
    """-f*(T(G(z))) of equation 6, or -T(G(z)), which section 3.2 found to be faster."""
    of_real, of_fake = BOUNDS[recipe.divergence]
    return -of_fake(fake_logits) if recipe.f_gan_objective == "minimax" else -of_real(fake_logits)
