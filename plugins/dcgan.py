"""Deep Convolutional GAN (Radford et al. 2015), https://arxiv.org/abs/1511.06434

Strided 5 x 5 convolutions for square images of 28 pixels or a power of two from 16 up, 1 or 3 channels (or any other
number). The widest layer has at most 8 times the `width`: `width=128` is the paper's network at 64 pixels.

When to use it: as the network to begin with: it is quick, small and well understood, and the one under which losses and
penalties are compared. For sizes that are not a power of two take `resnet`, for the best images `stylegan2`.
"""

from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, ZooError, hookimpl, losses
from zoo.layers import BatchNormalization, at_ends, normalized

LOSS_FAMILY = "cross-entropy"
SLOPE = 0.2  # of the leaky ReLU, section 4
KERNEL = 5  # pixels
WIDEST = 8  # times the width
SMALLEST, LARGEST = 16, 1024  # pixels


@dataclass(frozen=True)
class DcganRecipe(Recipe):
    """Section 4: batches of 128, Adam at 2e-4 with a momentum of .5."""

    batch_size: int = 128
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    width: int = 128  # channels at half the image's size


@hookimpl
def recipe() -> DcganRecipe:
    """The paper's values."""
    return DcganRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: DcganRecipe) -> keras.Model:
    """Latents (B, Z) to a 4 x 4 (or 7 x 7) map, then doubled with every layer, BatchNorm in all but the last."""
    base, multiples = layout(sample_shape)
    channels = [recipe.width * multiple for multiple in reversed(multiples)]
    latents = keras.Input((recipe.latent_size,))
    x: Any = keras.layers.Dense(base * base * channels[0], use_bias=False, kernel_initializer=weights())(latents)
    x = keras.layers.Reshape((base, base, channels[0]))(x)
    for width in channels[1:]:
        x = keras.layers.ReLU()(BatchNormalization(gamma_initializer=gains())(x))
        x = keras.layers.Conv2DTranspose(width, KERNEL, **stride(), use_bias=False)(x)
    x = keras.layers.ReLU()(BatchNormalization(gamma_initializer=gains())(x))
    x = keras.layers.Conv2DTranspose(sample_shape[-1], KERNEL, **stride(), activation="tanh")(x)
    return keras.Model(latents, x, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: DcganRecipe) -> keras.Model:
    """The generator's mirror image, normalized in all but its first layer, to logits (B, 1)."""
    _, multiples = layout(sample_shape)
    kind = recipe.discriminator_normalization
    samples = keras.Input(sample_shape)
    # section 3: normalizing the batches of the discriminator's first layer made samples oscillate
    x: Any = normalized(keras.layers.Conv2D(recipe.width, KERNEL, **stride()), at_ends(kind))(samples)
    x = keras.layers.LeakyReLU(SLOPE)(x)
    for multiple in multiples[1:]:
        convolution = keras.layers.Conv2D(recipe.width * multiple, KERNEL, **stride())
        settings = {} if kind in ("none", "spectral") else {"gamma_initializer": gains()}
        x = keras.layers.LeakyReLU(SLOPE)(normalized(convolution, kind, **settings)(x))
    x = keras.layers.Flatten(name="features")(x)
    logits = normalized(keras.layers.Dense(1, kernel_initializer=weights()), at_ends(kind))(x)
    return keras.Model(samples, logits, name="discriminator")


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "a gradient penalty (+r1 after the stack's name) or the variant wgan-gp"


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)
generator_loss = hookimpl(losses.non_saturating_generator_loss)


def layout(sample_shape: tuple[int, ...]) -> tuple[int, list[int]]:
    """The side of the smallest feature map, and the multiple of the width in each layer from the image inwards."""
    height, width = sample_shape[:2] if len(sample_shape) == 3 else (0, 0)
    power_of_two = SMALLEST <= height <= LARGEST and height & (height - 1) == 0
    if height != width or not (power_of_two or height == 28):
        raise ZooError(
            f"Plugin 'dcgan' makes square images of 28 pixels or a power of two from {SMALLEST} to {LARGEST}; received "
            f"samples of shape {sample_shape}. Choose a size with --image-size; for points use the variant 'vanilla'."
        )
    base = 7 if height == 28 else 4
    layers = (height // base).bit_length() - 1
    return base, [min(2**layer, WIDEST) for layer in range(layers)]


def stride() -> dict[str, Any]:
    """What all convolutions share: half or twice the size, the paper's initializer (one instance a layer)."""
    return {"strides": 2, "padding": "same", "kernel_initializer": weights()}


def weights() -> keras.initializers.Initializer:
    """Section 4: N(0, .02) for all weights."""
    return keras.initializers.RandomNormal(stddev=0.02)


def gains() -> keras.initializers.Initializer:
    """N(1, .02) for the scales of BatchNorm, as in the paper's code."""
    return keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
