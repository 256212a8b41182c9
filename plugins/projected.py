"""Projected GANs (Sauer et al. 2021), https://arxiv.org/abs/2111.01007

The discriminator sees samples by a frozen network that knows photographs, EfficientNet-Lite0: maps of four sizes,
mixed by random convolutions that stay as they are, upwards from the smallest, are judged by four small networks. The
generator is FastGAN's (Liu et al. 2021, https://arxiv.org/abs/2101.04775), with noise at every size. For images whose
sides halve to a map of 4 to 7 pixels, square or not; `width=128` is the paper's, as is `discriminator_width=64`.

The paper's stack is `projected+hinge+diffaugment` with `cutout_size=0.2`, the variant. Scores in EfficientNet-Lite0
would be too good for it: evaluate it in another extractor. The weights must be installed; with the random
convolutions they are part of each checkpoint.

When to use it: for the best picture in the shortest time on photographs of 64 pixels and more, also with few images. On
what is far from photographs, and where scores are measured in a network like its own, look twice.

Deviations: samples of any size are seen at `feature_size` pixels, squeezed into a square, the paper's from 224 on as
they are. Below a feature_size of 128 the last convolution of a judge is smaller than 4 x 4. The judges' input is read
as the feature network's weights were trained, (pixel - 127) / 128.
"""

from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, ZooError, feature_networks, hookimpl, layers, losses, networks

MAPS = ("stride_4", "stride_8", "stride_16", "stride_32")
MULTIPLES = (1, 2, 4, 8)  # of the width, in the channels that maps are mixed to
JUDGED = (1, 1, 2, 4)  # of the width, in the mixed maps
WIDEST, SLOPE, KERNEL, DEVIATION = 8, 0.2, 4, 0.02
COARSEST = 32  # pixels of the sample to a position of the smallest map


@dataclass(frozen=True)
class ProjectedRecipe(Recipe):
    """Section 4 and the authors' code: Adam at 2e-4 without first momentum, 256 latents, no penalty."""

    batch_size: int = 64
    latent_size: int = 256
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.99
    average_decay: float = 0.999  # that there is an average; its decay comes from its half-life
    average_images: int = 20_000  # the average's half-life
    average_ramp: float = 0.05  # of the images seen that the half-life is at most
    width: int = 128  # of the generator, at 128 pixels
    discriminator_width: int = 64
    feature_size: int = 224  # pixels that the feature network sees, a multiple of 32


@hookimpl
def recipe() -> ProjectedRecipe:
    """The paper's values."""
    return ProjectedRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: ProjectedRecipe) -> keras.Model:
    """Normalized latents (B, Z) to FastGAN's last map, and by a convolution to samples."""
    latents = keras.Input((recipe.latent_size,))
    smallest = networks.smallest_map("projected", sample_shape)
    x = layers.excited_map(layers.PixelNormalization()(latents), smallest, recipe.width, lambda _: True)
    colours = keras.layers.Conv2D(sample_shape[-1], 3, padding="same", kernel_initializer=normal())
    return keras.Model(latents, layers.PixelRange()(layers.SpectralNormalization(colours)(x)), name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: ProjectedRecipe) -> keras.Model:
    """Samples to the logits of all judges and positions, (B, 64) at a feature_size of 224."""
    networks.smallest_map("projected", sample_shape)
    if recipe.feature_size < COARSEST or recipe.feature_size % COARSEST:
        raise ZooError(f"feature_size must be a multiple of {COARSEST}; received {recipe.feature_size}.")
    samples = keras.Input(sample_shape)
    seen = feature_networks.efficientnet_lite0(sample_shape, recipe.feature_size)
    frozen = keras.Model(seen.input, [seen.output[name] for name in MAPS], name="features_network")
    frozen.trainable = False
    projections = mixed(frozen(samples), recipe.discriminator_width)
    logits = [judge(each, 4 - place, recipe.discriminator_width) for place, each in enumerate(projections)]
    return keras.Model(samples, keras.layers.Concatenate()(logits), name="discriminator")


schedule = hookimpl(losses.ramped_average)


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "differentiable augmentation (+diffaugment after the stack's name)"


def mixed(maps: list[Any], width: int) -> list[Any]:
    """Section 3.2: channels of each map mixed at random, then maps summed and doubled upwards from the smallest."""
    lateral = [fixed(width * multiple)(each) for multiple, each in zip(MULTIPLES, maps, strict=True)]
    found: list[Any] = []
    for multiple, each in zip(reversed(JUDGED), reversed(lateral), strict=True):
        x = keras.layers.Add()([found[-1], each]) if found else each
        found.append(fixed(width * multiple)(layers.AlignedUpsample()(x)))
    return found[::-1]


def fixed(filters: int) -> Any:
    """A random 1 x 1 convolution that is never trained, drawn as the authors' framework draws one."""

    def convolved(x: Any) -> Any:
        bound = x.shape[-1] ** -0.5
        kernel, bias = (keras.initializers.RandomUniform(-bound, bound) for _ in range(2))
        return keras.layers.Conv2D(filters, 1, kernel_initializer=kernel, bias_initializer=bias, trainable=False)(x)

    return convolved


def judge(x: Any, blocks: int, width: int) -> Any:
    """Logits (B, K) of a map: strided convolutions with BatchNorm, more for larger maps, then one without padding."""
    for level in reversed(range(blocks)):
        filters = WIDEST * width // 2**level
        convolution = keras.layers.Conv2D(filters, KERNEL, strides=2, padding="same", kernel_initializer=normal())
        x = keras.layers.LeakyReLU(SLOPE)(layers.BatchNormalization()(layers.SpectralNormalization(convolution)(x)))
    kernel = min(KERNEL, *x.shape[1:3])
    last = keras.layers.Conv2D(1, kernel, use_bias=False, kernel_initializer=normal())
    return keras.layers.Flatten()(layers.SpectralNormalization(last)(x))


def normal() -> keras.initializers.Initializer:
    """N(0, .02)."""
    return keras.initializers.RandomNormal(stddev=DEVIATION)
