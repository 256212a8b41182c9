"""Residual networks for GANs (Gulrajani et al. 2017), https://arxiv.org/abs/1704.00028; Miyato et al. 2018, 1802.05957

Residual blocks with batch normalization in the generator and any or none in the discriminator, for images whose sides
halve to a map of 4 to 7 pixels: 28, 32, 48, 64, 128, 64 x 128. The widths are Miyato's, with `width=64` the paper's: at
32 pixels 256 channels in the generator and 128 in the discriminator, at 64 pixels 1024 to 64 (appendix B.4).
It brings the original cross-entropy; `resnet+hinge+sngan` is SNGAN, `resnet+wgan_gp` WGAN-GP's for CIFAR-10 (without
LayerNorm in the authors' code: `discriminator_normalization=none`).

When to use it: for sizes that `dcgan` does not take (48, 96, 64 x 128), and wherever papers from 2017 to 2019 are to be
compared with.

Deviations: features are summed over positions where the discriminator is normalized spectrally, as Miyato's, and their
mean elsewhere, as Gulrajani's. At 48 pixels the discriminator halves three times, Miyato's four times.
"""

from dataclasses import dataclass

import keras

from zoo import Recipe, hookimpl, layers, losses, networks
from zoo.recipe import Normalization

LOSS_FAMILY = "cross-entropy"


@dataclass(frozen=True)
class ResnetRecipe(Recipe):
    """Gulrajani et al., appendix F: Adam at 2e-4 without first momentum, 128 latents, LayerNorm in the critic."""

    batch_size: int = 64
    latent_size: int = 128
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "layer"
    width: int = 64  # channels at full size from 64 pixels on; at 32 the generator has 4 times as many


@hookimpl
def recipe() -> ResnetRecipe:
    """The papers' values."""
    return ResnetRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: ResnetRecipe) -> keras.Model:
    """Latents (B, Z) to the smallest map, a block for each doubling, BatchNorm, ReLU, a convolution, tanh."""
    smallest = networks.smallest_map("resnet", sample_shape)
    latents = keras.Input((recipe.latent_size,))
    samples = layers.residual_images(latents, sample_shape, smallest, recipe.width)
    return keras.Model(latents, samples, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: ResnetRecipe) -> keras.Model:
    """Blocks that halve and blocks that don't, ReLU, the sum or mean over positions, a logit (B, 1)."""
    _, _, halvings = networks.smallest_map("resnet", sample_shape)
    samples = keras.Input(sample_shape)
    logits = layers.residual_logits(samples, halvings, recipe.width, recipe.discriminator_normalization)
    return keras.Model(samples, logits, name="discriminator")


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "the variant sngan, or a gradient penalty (+r1 after the stack's name)"


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)
generator_loss = hookimpl(losses.non_saturating_generator_loss)
