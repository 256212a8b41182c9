"""Least Squares GAN (Mao et al. 2016), https://arxiv.org/abs/1611.04076

Logits are to be 1 for real and 0 for generated samples, the generator's 1 (equation 9: a = 0, b = c = 1). It brings no
networks and no settings: `dcgan+lsgan`. A spectral norm holds logits small, so that 1 may be out of their reach.

When to use it: as the simplest remedy against vanishing gradients, and the loss of `cyclegan` and `pix2pix`-like
translators; without a bound on the discriminator it diverges at higher rates.
"""

from zoo import hookimpl, losses

LOSS_FAMILY = "least-squares"


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "lower learning rates, or a gradient penalty (+r1 after the stack's name)"


discriminator_loss = hookimpl(losses.least_squares_discriminator_loss)
generator_loss = hookimpl(losses.least_squares_generator_loss)
