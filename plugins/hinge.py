"""Geometric GAN (Lim and Ye 2017), https://arxiv.org/abs/1705.02894; Tran et al. 2017, https://arxiv.org/abs/1702.08896

The hinge loss: the discriminator learns from the samples within its margin alone. It brings no networks and no
settings: `dcgan+hinge`. The generator's loss has no bound, so hold the discriminator by
`discriminator_normalization=spectral` (Miyato et al. 2018) or by a gradient penalty.

When to use it: as the plain loss for large networks and for spectrally normalized discriminators, in which it is the
standard (SNGAN, SAGAN, BigGAN).
"""

from zoo import hookimpl, losses

LOSS_FAMILY = "hinge"


@hookimpl
def advice() -> str:
    """What bounds the logits."""
    return "--set discriminator_normalization=spectral, or a gradient penalty (+r1 after the stack's name)"


discriminator_loss = hookimpl(losses.hinge_discriminator_loss)
generator_loss = hookimpl(losses.hinge_generator_loss)
