"""Energy-based GAN (Zhao et al. 2016), https://arxiv.org/abs/1609.03126

The discriminator is an autoencoder, and its energy D(x) = |Dec(Enc(x)) - x| is to be low for real and above a margin
for generated images. Its logits are minus the energy, so that higher is more realistic, as everywhere in the zoo. A
pulling-away term keeps the codes of generated images apart (section 2.4, EBGAN-PT). The generator is the one below:
`dcgan+ebgan`. The autoencoder is BEGAN's, which suits any size of image; the paper's differ by dataset. On several
devices TensorFlow compares the codes of each device's share.

When to use it: to study energies in the place of probabilities. It collapses more easily than today's losses with a
penalty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses

LOSS_FAMILY = "energy"


@dataclass(frozen=True)
class EbganRecipe(Recipe):
    """The margin of the paper's experiments on MNIST, and its weight of the pulling-away term."""

    ebgan_margin: float = 10.0  # of the Euclidean norm over all pixels, so larger for larger images
    ebgan_pulling_away: float = 0.1
    autoencoder_width: int = 32  # channels of the autoencoder's first level
    autoencoder_code: int = 64


@hookimpl
def recipe() -> EbganRecipe:
    """The paper's values."""
    return EbganRecipe()


@hookimpl
def check(loss_family: str | None) -> None:
    """An energy has no use under another loss."""
    losses.check_own_loss("ebgan", LOSS_FAMILY, loss_family)


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: EbganRecipe) -> keras.Model:
    """Images to minus their energy, (B, 1), with the code and the reconstruction."""
    images = keras.Input(sample_shape)
    code = layers.encoded(images, recipe.autoencoder_width, recipe.autoencoder_code)
    code = keras.layers.Identity(name="features")(code)
    made = layers.decoded(code, sample_shape, recipe.autoencoder_width)
    error = keras.layers.Flatten()(keras.layers.Subtract()([made, images]))
    return keras.Model(images, {"logits": MinusNorm()(error), "code": code, "reconstruction": made})


@keras.saving.register_keras_serializable(package="zoo")
class MinusNorm(keras.layers.Layer):
    """-|x| of vectors (B, N): (B, 1)."""

    def call(self, inputs: Any) -> Any:
        """With a gradient where x is 0."""
        return -ops.expand_dims(losses.norms(inputs), 1)


@layers.stock_equal(MinusNorm)
def minus_norm(layer: MinusNorm, inputs: Any, value: Any) -> Any:
    """By the same operations."""
    return layer.call(inputs)


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any, recipe: EbganRecipe) -> Any:
    """Equation 1: D(x) + max(0, m - D(G(z))), D = -logits."""
    return ops.mean(-real_logits) + ops.mean(ops.relu(recipe.ebgan_margin + fake_logits))


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """Equation 2: D(G(z)), D = -logits."""
    return -fake_logits


@hookimpl
def generator_penalty(fake_outputs: Mapping[str, Any], recipe: EbganRecipe) -> Any:
    """Equation 4: the mean of the squared cosine of the codes of two samples of the batch."""
    codes = fake_outputs["code"]
    codes = losses.units(codes)
    cosines = ops.matmul(codes, ops.transpose(codes))
    return recipe.ebgan_pulling_away * losses.mean_of_pairs(ops.square(cosines))
