"""Image-to-image translation with conditional GANs (Isola et al. 2016), https://arxiv.org/abs/1611.07004

From the field `source`, an image, to the sample of the same row. The field is the dataset's own or derived by a task:
`pix2pix+edges`. Images of any size are halved until they are one pixel, an odd size is rounded up and cropped again on
the way back: 28, 14, 7, 4, 2, 1. `width=64` at 256 pixels is the paper's U-Net.

Normalization: section 3.3 takes the statistics of the batch at hand, at test time too, most often a single image. That
is instance normalization, the default here: at any batch size, in training and where samples are drawn, an image is
normalized by itself. `generator_normalization=batch` shares statistics in training, and draws samples with moving ones,
which the paper does not. The innermost map has one pixel and no normalization, as in the paper's erratum.

When to use it: wherever there are pairs, and single answers are wanted; its latents are dropout, so that it has little
variety. Compare with its own U-Net without the discriminator (`l1_weight=1000000`): L1, PSNR and SSIM often prefer that
one.

Deviation: section 3.3's jitter, a random crop out of images that were enlarged by an eighth, is not done, and mirroring
only where it is asked for: `mirror=true` turns both images of a pair alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, losses
from zoo.layers import NoiseDropout, normalized, patch_critic
from zoo.networks import given_source
from zoo.recipe import Normalization

LOSS_FAMILY = "cross-entropy"
NEEDS_PAIRS = True  # the L1 distance is one to the sample of the source
SLOPE = 0.2  # of the leaky ReLU
KERNEL = 4  # pixels
WIDEST = 8  # times the width
NOISY = 3  # layers of the decoder with dropout


@dataclass(frozen=True)
class Pix2pixRecipe(Recipe):
    """Section 3.3 and appendix 6.1: single images, Adam at 2e-4 with a momentum of .5, 100 times the L1 distance."""

    batch_size: int = 1
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    width: int = 64  # channels at half the image's size
    generator_normalization: Literal["instance", "batch", "none"] = "instance"
    discriminator_normalization: Normalization = "instance"
    dropout: float = 0.5
    l1_weight: float = 100.0
    patch_layers: int = 0
    """Strided layers of the discriminator, whose logits see 16, 34 or 70 pixels with 1, 2 or 3 (appendix 6.1.2); 0
    takes 3 from 128 pixels on, 2 from 64 on, 1 below, as at 28."""


@hookimpl
def recipe() -> Pix2pixRecipe:
    """The paper's values."""
    return Pix2pixRecipe()


@hookimpl
def latents() -> dict[str, Any]:
    """None beside the source: section 3.2 found that the generator learns to ignore them."""
    return {}


@hookimpl
def generator(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: Pix2pixRecipe) -> keras.Model:
    """U-Net: each map of the encoder is joined to the decoder's of its size (appendix 6.1.1)."""
    source = keras.Input(source_shape(sample_shape, fields), name="source")
    depth = (max(sample_shape[:2]) - 1).bit_length()
    widths = [recipe.width * min(2**level, WIDEST) for level in range(depth)]
    maps: list[Any] = [source]
    for level, width in enumerate(widths):
        kind = recipe.generator_normalization if 0 < level < depth - 1 else "none"
        x: Any = normalized(halving(width, kind), kind, **gains(kind))(maps[-1])
        maps.append(keras.layers.LeakyReLU(SLOPE)(x))  # the decoder's ReLU makes the same of it as of x
    x = maps.pop()
    kind = recipe.generator_normalization
    for level in reversed(range(1, depth)):
        x = cropped(doubling(widths[level - 1], kind)(keras.layers.ReLU()(x)), maps[level])
        x = normalized(keras.layers.Identity(), kind, **gains(kind))(x)
        x = NoiseDropout(recipe.dropout)(x) if level >= depth - NOISY and recipe.dropout else x
        x = keras.layers.Concatenate()([x, maps[level]])
    x = cropped(doubling(sample_shape[-1], "none")(keras.layers.ReLU()(x)), source)
    return keras.Model({"source": source}, keras.layers.Activation("tanh")(x), name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: Pix2pixRecipe) -> keras.Model:
    """PatchGAN: samples beside what they were made of, to logits (B, h, w, 1) of patches."""
    samples = keras.Input(sample_shape, name="samples")
    source = keras.Input(source_shape(sample_shape, fields), name="source")
    both = keras.layers.Concatenate()([source, samples])
    kind = recipe.discriminator_normalization
    _, logits = patch_critic(both, recipe.width, recipe.patch_layers, kind, gains(kind))
    return keras.Model({"samples": samples, "source": source}, logits, name="discriminator")


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Cross-entropy; section 3.3 divides it by 2."""
    return losses.cross_entropy_discriminator_loss(real_logits, fake_logits) / 2


generator_loss = hookimpl(losses.non_saturating_generator_loss)


@hookimpl
def generator_penalty(batch: Mapping[str, Any], fake_samples: Any, recipe: Pix2pixRecipe) -> Any:
    """Equation 3: the mean distance of pixels from those of the sample that belongs to the source."""
    return recipe.l1_weight * ops.mean(ops.abs(batch["samples"] - fake_samples))


def source_shape(sample_shape: tuple[int, ...], fields: Mapping[str, Any]) -> tuple[int, ...]:
    """(H, W, C) of what is translated; raises ZooError where there is nothing, or something of another size."""
    shape = given_source("pix2pix", fields, task="edges")
    if len(sample_shape) != 3 or len(shape) != 3 or shape[:2] != sample_shape[:2]:
        raise ZooError(
            f"Plugin 'pix2pix' translates between images of one size; the field 'source' is {shape}, samples are "
            f"{tuple(sample_shape)}. Choose images with --image-size, or another task."
        )
    return shape


def halving(width: int, kind: str) -> keras.layers.Conv2D:
    """Half the size, rounded up; a bias only where no normalization takes it out again."""
    return keras.layers.Conv2D(
        width, KERNEL, strides=2, padding="same", use_bias=kind == "none", kernel_initializer=weights()
    )


def doubling(width: int, kind: str) -> keras.layers.Conv2DTranspose:
    """Twice the size."""
    return keras.layers.Conv2DTranspose(
        width, KERNEL, strides=2, padding="same", use_bias=kind == "none", kernel_initializer=weights()
    )


def cropped(x: Any, like: Any) -> Any:
    """Without the last row or column where `like` has one less."""
    rows, columns = (x.shape[axis] - like.shape[axis] for axis in (1, 2))
    return keras.layers.Cropping2D(((0, rows), (0, columns)))(x) if rows or columns else x


def weights() -> keras.initializers.Initializer:
    """Appendix 6.2: N(0, .02)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def gains(kind: str) -> dict[str, Any]:
    """N(1, .02) for the scales of a normalization, as in the paper's code."""
    scales = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return {} if kind in ("none", "spectral") else {"gamma_initializer": scales}
