"""BigGAN (Brock et al. 2018), https://arxiv.org/abs/1809.11096

Residual networks by class, spectrally normalized in both players. The latents are divided: the first part makes the
generator's first map, each other one, joined to an embedding of the label that all blocks share, scales and moves a
block's batch normalizations (appendix B). The discriminator projects the label. Without classes the parts act alone.
For images whose sides halve to a map of 4 to 7 pixels, square or not; `width=96` is the paper's.

It goes on a loss, as `hinge+biggan`, and is small: the settings are those of the authors' code for CIFAR-10.
`zoo sample --truncation PSI` redraws large latents; orthogonal regularization is a plugin of its own.

When to use it: for many classes and enough images and time for large batches; on small data sets
`dcgan+hinge+projection` comes further in the same minutes.

Deviations: blocks and widths are SNGAN's. Latents in parts, shared embeddings and orthogonal kernels (but of batch
normalizations and attention) are the paper's for ImageNet; the authors' script for CIFAR-10 has none of them. From 64
pixels on a map of 32 pixels attends, in the paper one of 64. The average of the weights begins at once.
"""

from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers, networks
from zoo.recipe import Normalization

LABELS = "labels"
ATTENDING = 64  # pixels of the shorter side, from which on a map attends


@dataclass(frozen=True)
class BigGanRecipe(Recipe):
    """The authors' code for CIFAR-10: batches of 50, four discriminator updates, Adam at 2e-4 without momentum."""

    batch_size: int = 50
    latent_size: int = 80
    critic_steps: int = 4
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.999
    average_decay: float = 0.9999
    average_state: Literal["raw", "average", "recompute"] = "recompute"  # appendix C.1, "standing statistics"
    discriminator_normalization: Normalization = "spectral"
    width: int = 64  # channels at full size from 64 pixels on; at 32 the generator has 4 times as many
    embedding_size: int = 128


@hookimpl
def recipe() -> BigGanRecipe:
    """The paper's values."""
    return BigGanRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], classes: int | None, recipe: BigGanRecipe) -> keras.Model:
    """Latents (B, Z), and labels where there are classes, to samples: figure 15."""
    height, width, halvings = networks.smallest_map("biggan", sample_shape)
    widths = layers.residual_widths(sample_shape, halvings, recipe.width)
    convolution = layers.convolutions(True, orthogonal)
    inputs: dict[str, Any] = {"latents": keras.Input((recipe.latent_size,), name="latents")}
    first, *vectors = parts(inputs["latents"], halvings + 1)
    if classes:
        inputs[LABELS] = keras.Input((), name=LABELS, dtype="int32")
        embedding = keras.layers.Embedding(classes, recipe.embedding_size, embeddings_initializer=orthogonal())
        embedded = embedding(inputs[LABELS])
        vectors = [keras.layers.Concatenate()([embedded, each]) for each in vectors]
    dense = keras.layers.Dense(height * width * widths.first, kernel_initializer=orthogonal())
    x: Any = keras.layers.Reshape((height, width, widths.first))(layers.SpectralNormalization(dense)(first))
    for filters, vector in zip(widths.doubling, vectors, strict=True):
        x = layers.residual_block(x, filters, convolution, Modulated(vector), "up")
        if attends(sample_shape) and max(x.shape[1:3]) == layers.attention_side(sample_shape):
            x = layers.SelfAttention(spectral=True)(x)
    x = convolution(sample_shape[-1], 3, 1.0)(layers.rectified("batch")(x))
    return keras.Model(inputs, keras.layers.Activation("tanh")(x), name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], classes: int | None, recipe: BigGanRecipe) -> keras.Model:
    """Blocks, ReLU, the sum over positions, a logit (B, 1) with the label's projection."""
    _, _, halvings = networks.smallest_map("biggan", sample_shape)
    inputs: dict[str, Any] = {"samples": keras.Input(sample_shape, name="samples")}
    kind = recipe.discriminator_normalization
    features = layers.residual_features(
        inputs["samples"],
        layers.residual_widths(sample_shape, halvings, recipe.width),
        layers.convolutions(kind == "spectral", orthogonal),
        layers.rectified(kind),
        has_attention=attends(sample_shape),
    )
    dense = keras.layers.Dense(1, kernel_initializer=orthogonal())
    logits = layers.spectral_where(kind == "spectral", dense)(features)
    if classes:
        inputs[LABELS] = keras.Input((), name=LABELS, dtype="int32")
        logits = layers.projected(logits, features, inputs[LABELS], classes, kind == "spectral")
    return keras.Model(inputs, {"logits": logits}, name="discriminator")


class Modulated:
    """Batch normalization, scaled and moved by linear maps of a vector (B, V), and ReLU."""

    def __init__(self, vector: Any) -> None:
        self.vector = vector

    def __call__(self, x: Any) -> Any:
        """A layer of its own for each x."""
        return keras.layers.ReLU()(layers.ModulatedBatchNormalization(spectral=True)([x, self.vector]))


def parts(latents: Any, count: int) -> list[Any]:
    """Latents (B, Z) in that many parts of equal size, the first with what is left over."""
    size = latents.shape[-1] // count
    if not size:
        raise ZooError(
            f"Plugin 'biggan' divides the latents into {count} parts at this size of images, and there are "
            f"{latents.shape[-1]}: --set latent_size to {count} or more."
        )
    first = latents.shape[-1] - size * (count - 1)
    return ops.split(latents, [first + size * place for place in range(count - 1)], axis=1)


def attends(sample_shape: tuple[int, ...]) -> bool:
    """Whether a map of either player attends to itself."""
    return min(sample_shape[:2]) >= ATTENDING


def orthogonal(_gain: float = 1.0) -> keras.initializers.Initializer:
    """Section 3: kernels begin orthogonal, whatever gain a block asks for."""
    return keras.initializers.Orthogonal()
