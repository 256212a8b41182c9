"""Losses of the two players as pure functions of logits, in stable forms.

Logits are (B, 1) without sigmoid, sigmoid(logit) the probability that a sample is real; every loss is a mean over B.
"""

from typing import Any

from keras import ops

Tensor = Any


def cross_entropy_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), in [0, inf), 2 ln 2 where D can't tell (Goodfellow et al. 2014, equation 1)."""
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def non_saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """-log D(G(z)), in [0, inf), ln 2 where D can't tell (Goodfellow et al. 2014, section 3)."""
    return ops.mean(ops.softplus(-fake_logits))


def minimax_generator_loss(fake_logits: Tensor) -> Tensor:
    """log(1 - D(G(z))), in (-inf, 0], -ln 2 where D can't tell; its gradient vanishes where D is sure (equation 1)."""
    return -ops.mean(ops.softplus(fake_logits))


def wasserstein_critic_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The critic's E[f(G(z))] - E[f(x)]: minus the estimate of the Wasserstein distance (Arjovsky et al. 2017)."""
    return ops.mean(fake_logits) - ops.mean(real_logits)


def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """-E[f(G(z))] (Arjovsky et al. 2017, algorithm 1)."""
    return -ops.mean(fake_logits)
