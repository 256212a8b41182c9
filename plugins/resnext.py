"""R3GAN's networks (Huang et al. 2024), https://arxiv.org/abs/2501.05441

Residual networks without any normalization, which stay trainable by their first weights alone: every block is the
identity at the start, so that a generated image is linear in its latents then. A block has a grouped convolution
between two of 1 x 1 that widen and narrow, y = x + W3 a(W2 a(W1 x + b1) + b2), a the leaky ReLU; maps change their size
by a low-pass filter, bilinear. The generator begins with a learned map, its channels scaled by the latents.

The modern network where a stack brings its own loss, best with both zero-centred penalties, as the paper has it:
`resnext+rpgan+r1+r2+r3gan`. For images whose sides halve to a map of 4 to 7 pixels: 28, 32, 64. `width=768` is the
paper's, up to 32 pixels; above it the width halves with each doubling.

When to use it: as the modern network where a stack brings its own loss and both zero-centred penalties; without
penalties, having no normalization, it does not train.

Not here: labels, which the paper embeds for CIFAR-10 and ImageNet.
"""

from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, hookimpl, layers, networks
from zoo.recipe import Normalization

SLOPE = 0.2  # of the leaky ReLU
GAIN = (2 / (1 + SLOPE**2)) ** 0.5  # that keeps its variance
EXPANSION, GROUP = 2, 16  # channels of a block's middle by those of its ends, and of a group
FIXUP = -1 / 4  # the power of the number of blocks that scales the first weights of blocks of three layers


@dataclass(frozen=True)
class ResnextRecipe(Recipe):
    """Section 4 and the authors' code for CIFAR-10; rates are those of the plugin r3gan."""

    latent_size: int = 64
    beta_1: float = 0.0
    discriminator_normalization: Normalization = "none"
    width: int = 768  # channels up to 32 pixels
    residual_blocks: int = 2  # at each size


@hookimpl
def recipe() -> ResnextRecipe:
    """The paper's values."""
    return ResnextRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: ResnextRecipe) -> keras.Model:
    """Latents (B, Z) to the smallest map, blocks at each size, a 1 x 1 convolution to samples."""
    height, width, doublings = networks.smallest_map("resnext", sample_shape)
    latents = keras.Input((recipe.latent_size,))
    channels = networks.width_at(min(height, width), recipe.width)
    scales = keras.layers.Dense(channels, use_bias=False, kernel_initializer=normal())(latents)
    scales = keras.layers.Reshape((1, 1, channels))(scales)
    x: Any = keras.layers.Multiply()([layers.LearnedMap((height, width, channels))(latents), scales])
    count = recipe.residual_blocks * (doublings + 1)
    for level in range(doublings + 1):
        if level:
            x = layers.Upsample()(widened(x, networks.width_at(2 * min(x.shape[1:3]), recipe.width)))
        for _ in range(recipe.residual_blocks):
            x = block(x, count)
    return keras.Model(latents, layers.PixelRange()(linear(x, sample_shape[-1])), name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: ResnextRecipe) -> keras.Model:
    """The generator's mirror image: to the sum of the last map, weighed by a learned one, and to logits (B, 1)."""
    height, width, halvings = networks.smallest_map("resnext", sample_shape)
    samples = keras.Input(sample_shape)
    count = recipe.residual_blocks * (halvings + 1)
    x = linear(samples, networks.width_at(min(sample_shape[:2]), recipe.width))
    for level in range(halvings + 1):
        if level:
            x = layers.Downsample()(x)
            x = widened(x, networks.width_at(min(x.shape[1:3]), recipe.width))
        for _ in range(recipe.residual_blocks):
            x = block(x, count)
    positions = height * width
    shares = layers.LearnedMap((height, width, x.shape[-1]), positions**-0.5)(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Multiply()([x, shares]))
    x = keras.layers.Rescaling(float(positions), name="features")(x)
    logits = keras.layers.Dense(1, use_bias=False, kernel_initializer=normal())(x)
    return keras.Model(samples, logits, name="discriminator")


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "a larger gamma of both zero-centred penalties (+r1+r2 after the stack's name where they are missing)"


def block(x: Any, count: int) -> Any:
    """A residual block of a network of so many; its last weights are 0 at first."""
    gain, hidden = GAIN * count**FIXUP, EXPANSION * x.shape[-1]
    y = keras.layers.Conv2D(hidden, 1, kernel_initializer=normal(gain))(x)
    y = keras.layers.LeakyReLU(SLOPE)(y)
    grouped = {"groups": groups(hidden), "padding": "same", "kernel_initializer": normal(gain)}
    y = keras.layers.LeakyReLU(SLOPE)(layers.GroupedConv2D(hidden, 3, **grouped)(y))
    y = keras.layers.Conv2D(x.shape[-1], 1, use_bias=False, kernel_initializer="zeros")(y)
    return keras.layers.Add()([x, y])


def groups(channels: int) -> int:
    """How many groups of 16 channels, or of a few more where these don't divide them."""
    return next(count for count in range(max(1, channels // GROUP), 0, -1) if channels % count == 0)


def widened(x: Any, filters: int) -> Any:
    """As many channels as that."""
    return x if x.shape[-1] == filters else linear(x, filters)


def linear(x: Any, filters: int) -> Any:
    """A 1 x 1 convolution that keeps the variance."""
    return keras.layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=normal())(x)


def normal(gain: float = 1.0) -> keras.initializers.Initializer:
    """N(0, gain^2 / inputs)."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")
