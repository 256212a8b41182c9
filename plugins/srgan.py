"""SRGAN, super-resolution (Ledig et al. 2016), https://arxiv.org/abs/1609.04802

From the field `source`, a small image, to samples that are 2, 4 or 8 times as large. The field is the dataset's own or
derived by a task: `srgan+lowres`.

When to use it: to enlarge images 2 to 8 times where they should look sharp. Where values must be right (measuring,
medicine), train the same network by squared error alone: `pretraining` of the whole budget.

Deviation: the content loss compares maps of EfficientNet-Lite0, whose weights come with the zoo, at a stride of 16;
the paper's are VGG19's of that stride. `feature_weight` brings the loss to the size of the mean squared error of
pixels, which the paper's 1/12.75 does for VGG (section 2.2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Network, Recipe, ZooError, feature_networks, hookimpl, losses
from zoo.layers import PixelShuffle, at_ends, normalized
from zoo.networks import given_source
from zoo.recipe import Normalization

LOSS_FAMILY = "cross-entropy"
NEEDS_PAIRS = True  # the content loss compares with the sample of the source
SLOPE = 0.2  # of the leaky ReLU
WIDEST = 8  # times the width
HEAD = 16  # times the width: 1,024 units
MAP = "stride_16"
SHRINKING = 0.1  # of the learning rates, in the second half of the horizon
ALONE = 96  # pixels, the paper's crops: smaller samples are enlarged to that for the content loss


@dataclass(frozen=True)
class SrganRecipe(Recipe):
    """Section 3.2: batches of 16, Adam at 1e-4 with a momentum of .9, the GAN's loss weighted by .001.

    `horizon` is the paper's 200,000 updates in images: in its second half rates are a tenth.
    """

    batch_size: int = 16
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.9
    width: int = 64  # channels of the generator, and of the discriminator's first layer
    residual_blocks: int = 16
    generator_normalization: Normalization = "batch"
    discriminator_normalization: Normalization = "batch"
    adversarial_weight: float = 1e-3
    feature_weight: float = 0.003
    feature_size: int = 0  # pixels at which samples are compared; 0: their own from 96 on, else 96
    pixel_weight: float = 0.0  # of the mean squared error of pixels beside it
    pretraining: int = 0
    """Images, at the beginning, in which the mean squared error of pixels alone teaches the generator; 16,000,000 in
    the paper. The discriminator is trained meanwhile, which the paper's is not."""


@hookimpl
def recipe() -> SrganRecipe:
    """The paper's values."""
    return SrganRecipe()


@hookimpl
def latents() -> dict[str, Any]:
    """None beside the source."""
    return {}


@hookimpl
def schedule(images_seen: Any, recipe: SrganRecipe) -> dict[str, Any]:
    """A tenth of the rates in the second half; nothing without a horizon."""
    if not recipe.horizon:
        return {}
    share = ops.where(2 * images_seen < recipe.horizon, 1.0, SHRINKING)
    names = ("generator_learning_rate", "discriminator_learning_rate")
    return {name: share * getattr(recipe, name) for name in names}


@hookimpl
def generator(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: SrganRecipe) -> keras.Model:
    """SRResNet: residual blocks at the small size, then a pixel shuffle for every doubling (figure 4)."""
    source = keras.Input(source_shape(sample_shape, fields), name="source")
    width, kind = recipe.width, recipe.generator_normalization
    first = activated(keras.layers.Conv2D(width, 9, padding="same")(source))
    x = first
    for _ in range(recipe.residual_blocks):
        inner = activated(normalized(convolution(width, kind), kind)(x))
        x = keras.layers.Add()([x, normalized(convolution(width, kind), kind)(inner)])
    x = keras.layers.Add()([first, normalized(convolution(width, kind), kind)(x)])
    for _ in range(doublings(sample_shape, source.shape[1:]) or 0):
        x = activated(PixelShuffle()(convolution(4 * width, "none")(x)))
    x = keras.layers.Conv2D(sample_shape[-1], 9, padding="same", activation="tanh")(x)
    return keras.Model({"source": source}, x, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: SrganRecipe) -> keras.Model:
    """Pairs of convolutions, of which the second halves the size, and two dense layers (figure 4)."""
    samples = keras.Input(sample_shape, name="samples")
    kind, x = recipe.discriminator_normalization, samples
    for level in range(8):
        kept = kind if level else at_ends(kind)
        width = recipe.width * min(2 ** (level // 2), WIDEST)
        x = normalized(convolution(width, kept, strides=1 + level % 2), kept)(x)
        x = keras.layers.LeakyReLU(SLOPE)(x)
    x = normalized(keras.layers.Dense(HEAD * recipe.width), at_ends(kind))(keras.layers.Flatten()(x))
    x = keras.layers.LeakyReLU(SLOPE, name="features")(x)
    logits = normalized(keras.layers.Dense(1), at_ends(kind))(x)
    return keras.Model({"samples": samples}, logits, name="discriminator")


@hookimpl
def networks(sample_shape: tuple[int, ...], recipe: SrganRecipe) -> dict[str, Network]:
    """What images are compared in."""
    if not recipe.feature_weight:
        return {}
    smallest = min(sample_shape[:2])
    size = recipe.feature_size or (None if smallest >= ALONE else ALONE)
    whole = feature_networks.efficientnet_lite0(sample_shape, size=size)
    model = keras.Model(whole.input, whole.output[MAP], name="content")
    model.trainable = False
    return {"content": Network(model)}


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)


@hookimpl
def generator_loss(fake_logits: Any, images_seen: Any, recipe: SrganRecipe) -> Any:
    """Equation 6, weighted; nothing in pretraining."""
    weight = ops.where(images_seen < recipe.pretraining, 0.0, recipe.adversarial_weight)
    return ops.cast(weight, fake_logits.dtype) * losses.non_saturating_generator_loss(fake_logits)


@hookimpl
def generator_penalty(
    real_samples: Any, fake_samples: Any, images_seen: Any, networks: Mapping[str, keras.Model], recipe: SrganRecipe
) -> Any:
    """Equations 4 and 5: the mean squared error of pixels in pretraining, then that of features."""

    def squared_error() -> Any:
        return ops.mean(ops.square(real_samples - fake_samples))

    def content() -> Any:
        total = recipe.pixel_weight * squared_error()
        if recipe.feature_weight:
            real, fake = (networks["content"](each) for each in (real_samples, fake_samples))
            total += recipe.feature_weight * ops.mean(ops.square(ops.stop_gradient(real) - fake))
        return total

    return ops.cond(images_seen < recipe.pretraining, squared_error, content) if recipe.pretraining else content()


def source_shape(sample_shape: tuple[int, ...], fields: Mapping[str, Any]) -> tuple[int, ...]:
    """(h, w, C) of what is enlarged; raises ZooError where there is nothing, or nothing that doublings enlarge."""
    shape = given_source("srgan", fields, task="lowres")
    if len(sample_shape) != 3 or len(shape) != 3 or doublings(sample_shape, shape) is None:
        raise ZooError(
            "Plugin 'srgan' doubles images once or more; the field 'source' is "
            f"{shape}, samples are {tuple(sample_shape)}. Use --set lowres_factor=2, 4 or 8, or other images."
        )
    return shape


def doublings(sample_shape: tuple[int, ...], source: tuple[int, ...]) -> int | None:
    """How often the source is doubled to be as large as a sample, None where no number of doublings does that."""
    factor = sample_shape[0] // source[0]
    count = factor.bit_length() - 1
    fits = all(2**count * small == large for small, large in zip(source[:2], sample_shape[:2], strict=True))
    return count if count and fits else None


def activated(x: Any) -> Any:
    """A ReLU with a learned slope for each channel below 0."""
    return keras.layers.PReLU(shared_axes=(1, 2))(x)


def convolution(width: int, kind: str, strides: int = 1) -> keras.layers.Conv2D:
    """3 x 3; a bias only where no batch normalization takes it out again."""
    return keras.layers.Conv2D(width, 3, strides=strides, padding="same", use_bias=kind not in ("batch", "instance"))
