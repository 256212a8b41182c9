"""Relativistic GAN (Jolicoeur-Martineau 2018), https://arxiv.org/abs/1807.00734

The relativistic pairing loss: the discriminator tells which of a pair is real, and the generator turns its answer.
Sun et al. 2020 (https://arxiv.org/abs/2011.04926) showed that its landscape has no bad basins; alone it need not
converge (Huang et al. 2024, section 2.2): `dcgan+rpgan+r1+r2`.

When to use it: with both zero-centred penalties. Alone it may swing without end.
"""

from typing import Any

from keras import ops

from zoo import hookimpl

LOSS_FAMILY = "relativistic pairing"


@hookimpl
def advice() -> str:
    """What makes it converge."""
    return "both zero-centred penalties (+r1+r2 after the stack's name)"


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Section 4.1: -log sigmoid(D(x) - D(G(z))), ln 2 where D can't tell; sample i is paired with sample i."""
    return ops.softplus(fake_logits - real_logits)


@hookimpl
def generator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Section 4.1: the same with the roles exchanged, on a real batch of its own."""
    return ops.softplus(real_logits - fake_logits)
