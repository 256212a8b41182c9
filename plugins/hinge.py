"""Geometric GAN (Lim and Ye 2017), https://arxiv.org/abs/1705.02894; Tran et al. 2017, https://arxiv.org/abs/1702.08896

The hinge loss: the discriminator learns from the samples within its margin alone. It brings no networks and no
settings: `dcgan+hinge`. The generator's loss has no bound, so hold the discriminator by
`discriminator_normalization=spectral` (Miyato et al. 2018) or by a gradient penalty.
"""

from typing import Any

from zoo import hookimpl, losses

LOSS_FAMILY = "hinge"


@hookimpl
def advice() -> str:
    """What bounds the logits."""
    return "--set discriminator_normalization=spectral, or a gradient penalty (+r1 after the stack's name)"


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Section 4.2: samples beyond the margins at 1 and -1 teach nothing."""
    return losses.hinge_discriminator_loss(real_logits, fake_logits)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Minus the discriminator's mean on generated samples: a hinge here would stop teaching where it is fooled."""
    return losses.wasserstein_generator_loss(fake_logits)
