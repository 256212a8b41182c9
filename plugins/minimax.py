"""The original GAN's minimax game (Goodfellow et al. 2014, equation 1), https://arxiv.org/abs/1406.2661

The generator minimizes log(1 - D(G(z))), what the discriminator maximizes. It brings no networks and no settings:
`dcgan+minimax`. The generator's gradient is D(G(z)) per logit, so it vanishes where the discriminator is sure
(section 3; Arjovsky and Bottou 2017, section 2.2). It is here to be compared with what came after it.

When to use it: to see the vanishing gradient, and to compare with what came after it. On small well-matched networks it
is as good as any.
"""

from zoo import hookimpl, losses

LOSS_FAMILY = "cross-entropy"


@hookimpl
def advice() -> str:
    """What keeps the generator's gradient alive."""
    return "the stack without minimax: the non-saturating loss. Or a gradient penalty (+r1 after the stack's name)"


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)
generator_loss = hookimpl(losses.minimax_generator_loss)
