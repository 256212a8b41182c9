"""Residual networks of GANs: the blocks, how wide they are at each size, and the discriminator made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras

from zoo.layers.attention import SelfAttention
from zoo.layers.exact import Tensor
from zoo.layers.spectral import normalization, spectral_where
from zoo.recipe import Normalization

Convolution = Callable[[int, int, float], Callable[[Tensor], Tensor]]  # of filters, kernel size and gain
Activation = Callable[[Tensor], Tensor]
SMALL = 32  # pixels of the longer side, up to which all blocks of a network are as wide
SMALL_GENERATOR, SMALL_DISCRIMINATOR, WIDEST = 4, 2, 16  # times the width
LARGEST_ATTENTION = 32  # pixels
GAIN = 2**0.5  # of the convolutions before an activation, 1 of the others


@dataclass(frozen=True)
class ResidualWidths:
    """Channels of a pair of residual networks."""

    first: int
    """Of the generator's first map."""
    doubling: tuple[int, ...]
    """Of the generator's blocks, each of which doubles the map."""
    halving: tuple[int, ...]
    """Of the discriminator's blocks that halve the map."""
    keeping: tuple[int, ...]
    """Of those behind."""


def residual_widths(sample_shape: tuple[int, ...], halvings: int, width: int) -> ResidualWidths:
    """The widths of Miyato et al. 2018 (https://arxiv.org/abs/1802.05957, appendix B.4), theirs at a `width` of 64.

    Up to 32 pixels the generator has 4 times the width throughout, the discriminator twice, and it halves twice.
    Larger images have the width at full size, twice as many channels with each halving, at most 16 times.
    """
    if max(sample_shape[:2]) <= SMALL:
        wide, narrow = SMALL_GENERATOR * width, SMALL_DISCRIMINATOR * width
        return ResidualWidths(wide, (wide,) * halvings, (narrow,) * 2, (narrow,) * 2)
    inwards = tuple(width * min(2**level, WIDEST) for level in range(halvings + 1))
    return ResidualWidths(inwards[-1], inwards[-2::-1], inwards[:-1], inwards[-1:])


def residual_block(
    x: Tensor,
    filters: int,
    convolution: Convolution,
    activated: Activation,
    resampling: Literal["none", "up", "down"] = "none",
    hidden: int = 0,
    is_first: bool = False,
) -> Tensor:
    """A block of a residual network (He et al. 2016, https://arxiv.org/abs/1603.05027), as in Miyato et al. 2018.

    Args:
        x: symbolic, (B, H, W, C).
        filters: of the block's output.
        convolution: makes a convolution of filters, kernel size and gain: of the square root of 2 in the block, of 1
            beside it.
        activated: normalizes, if wanted, and activates; what it makes is in each place of its own.
        resampling: "up" repeats pixels, "down" averages 2 x 2.
        hidden: channels between the two convolutions; 0 takes `filters`.
        is_first: whether x are images, which are not activated.

    Returns:
        (B, H', W', filters). The way beside the block has a 1 x 1 convolution where size or channels change.
    """
    y = x if is_first else activated(x)
    if resampling == "up":
        y = keras.layers.UpSampling2D()(y)
    y = convolution(hidden or filters, 3, GAIN)(y)
    y = convolution(filters, 3, GAIN)(activated(y))
    beside = keras.layers.AveragePooling2D(2)(x) if resampling == "down" else x
    if resampling != "none" or x.shape[-1] != filters:
        beside = convolution(filters, 1, 1.0)(beside)  # a 1 x 1 convolution and resampling commute: the smaller map
    if resampling == "up":
        beside = keras.layers.UpSampling2D()(beside)
    if resampling == "down":
        y = keras.layers.AveragePooling2D(2)(y)
    return keras.layers.Add()([beside, y])


def residual_features(
    images: Tensor,
    widths: ResidualWidths,
    convolution: Convolution,
    activated: Activation,
    is_summed: bool = True,
    has_attention: bool = False,
) -> Tensor:
    """Features (B, F) of symbolic images (B, H, W, C) by the discriminator's blocks, in a layer called so.

    They are the sum of the last map's positions, as in Miyato et al. 2018, or their mean, as in Gulrajani et al. 2017.
    """
    x, side = images, attention_side(images.shape[1:])
    blocks: list[tuple[int, Any]] = [
        *((each, "down") for each in widths.halving),
        *((each, "none") for each in widths.keeping),
    ]
    for filters, resampling in blocks:
        hidden = filters if x is images else x.shape[-1]
        x = residual_block(x, filters, convolution, activated, resampling, hidden, is_first=x is images)
        if has_attention and resampling == "down" and max(x.shape[1:3]) == side:
            x = SelfAttention(spectral=True)(x)
    positions = x.shape[1] * x.shape[2] if is_summed else 1
    mean = keras.layers.GlobalAveragePooling2D()(activated(x))
    return keras.layers.Rescaling(float(positions), name="features")(mean)


def residual_images(
    latents: Tensor,
    sample_shape: tuple[int, ...],
    smallest: tuple[int, int, int],
    width: int,
    is_spectral: bool = False,
    has_attention: bool = False,
) -> Tensor:
    """Images (B, H, W, C) in [-1, 1] of symbolic latents (B, Z), by blocks with BatchNorm and ReLU.

    `smallest` is the height and width of the first map, and how often it doubles.
    """
    height, breadth, halvings = smallest
    widths, side = residual_widths(sample_shape, halvings, width), attention_side(sample_shape)
    convolution = convolutions(is_spectral, glorot)
    dense = keras.layers.Dense(height * breadth * widths.first, kernel_initializer=glorot())
    x = spectral_where(is_spectral, dense)(latents)
    x = keras.layers.Reshape((height, breadth, widths.first))(x)
    for filters in widths.doubling:
        x = residual_block(x, filters, convolution, rectified("batch"), "up")
        if has_attention and max(x.shape[1:3]) == side:
            x = SelfAttention(spectral=True)(x)
    return keras.layers.Activation("tanh")(convolution(sample_shape[-1], 3, 1.0)(rectified("batch")(x)))


def residual_logits(
    images: Tensor, halvings: int, width: int, kind: Normalization, has_attention: bool = False
) -> Tensor:
    """Logits (B, 1) of symbolic images (B, H, W, C); the layer before is called `features`.

    Where the normalization is "spectral" features are summed over positions, else they are averaged.
    """
    widths, is_spectral = residual_widths(images.shape[1:], halvings, width), kind == "spectral"
    features = residual_features(
        images, widths, convolutions(is_spectral, glorot), rectified(kind), is_spectral, has_attention
    )
    # without a bias, as Miyato's: it would move all logits alike
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer=glorot())
    return spectral_where(is_spectral, dense)(features)


def rectified(kind: Normalization) -> Activation:
    """The normalization of that name, and ReLU."""
    return lambda x: keras.layers.ReLU()(normalization(kind)(x))


def attention_side(sample_shape: tuple[int, ...]) -> int:
    """The longer side in pixels of the map that attends: the largest below the image that has at most 32.

    Zhang et al. 2018 (https://arxiv.org/abs/1805.08318), table 1: 32 of 128 pixels.
    """
    side = max(sample_shape[:2]) // 2
    while side > LARGEST_ATTENTION:
        side //= 2
    return side


def convolutions(spectral: bool, initializer: Callable[[float], keras.initializers.Initializer]) -> Convolution:
    """Makes convolutions with a bias, spectrally normalized or not; `initializer` is one of a gain."""

    def convolution(filters: int, size: int, gain: float) -> keras.Layer:
        layer = keras.layers.Conv2D(filters, size, padding="same", kernel_initializer=initializer(gain))
        return spectral_where(spectral, layer)

    return convolution


def glorot(gain: float = 1.0) -> keras.initializers.Initializer:
    """Glorot's uniform numbers, times a gain."""
    return keras.initializers.VarianceScaling(scale=gain**2, mode="fan_avg", distribution="uniform")
