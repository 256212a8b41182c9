"""Self-Attention GAN (Zhang et al. 2018), https://arxiv.org/abs/1805.08318

Residual networks, spectrally normalized in both players, one map of which attends to itself: that of at most 32 pixels,
at 28 the one of 14. The discriminator learns four times as fast as the generator (section 4). For images whose sides
halve to a map of 4 to 7 pixels, square or not; `width=64` is the paper's network at 128.

The paper's is conditional, with the hinge loss: `sagan+hinge+projection` (equation 4), on data without classes
`sagan+hinge`. Put `sagan` last where another plugin sets rates, as the variant does.

When to use it: where images have parts that belong together from afar, from 32 pixels on; at 28 the attention costs
more than it gives.

Deviations: keys and values are pooled, as in the authors' code, not in figure 2. Blocks and widths are SNGAN's.
"""

from dataclasses import dataclass

import keras

from zoo import Recipe, hookimpl, layers, networks
from zoo.recipe import Normalization


@dataclass(frozen=True)
class SaganRecipe(Recipe):
    """Section 5: Adam at 1e-4 and 4e-4 without first momentum, a discriminator update each, batches of 256."""

    batch_size: int = 256
    latent_size: int = 128
    critic_steps: int = 1
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 4e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "spectral"
    width: int = 64  # channels at full size from 64 pixels on; at 32 the generator has 4 times as many


@hookimpl
def recipe() -> SaganRecipe:
    """The paper's values."""
    return SaganRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: SaganRecipe) -> keras.Model:
    """Latents (B, Z) to the smallest map, a block for each doubling, attention, BatchNorm, ReLU, convolution, tanh."""
    smallest = networks.smallest_map("sagan", sample_shape)
    latents = keras.Input((recipe.latent_size,))
    samples = layers.residual_images(
        latents, sample_shape, smallest, recipe.width, is_spectral=True, has_attention=True
    )
    return keras.Model(latents, samples, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: SaganRecipe) -> keras.Model:
    """Blocks with attention, ReLU, the sum over positions, a logit (B, 1)."""
    _, _, halvings = networks.smallest_map("sagan", sample_shape)
    samples, kind = keras.Input(sample_shape), recipe.discriminator_normalization
    logits = layers.residual_logits(samples, halvings, recipe.width, kind, has_attention=True)
    return keras.Model(samples, logits, name="discriminator")
