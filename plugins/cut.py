"""CUT, unpaired translation in one direction by contrast (Park et al. 2020), https://arxiv.org/abs/2007.15651

From the field `source` to samples that need not belong to it: a patch of the translation must be told by the patch of
the source at its place among other patches of that image. The fields are the dataset's own or derived by a task:
`cut+negative`.

Patches are those of maps that the generator's own first half makes of an image, which it returns beside the samples.
As in equation 5 the two contrastive losses are added, each a mean over its maps; the authors' code halves their sum.

When to use it: for two sets without pairs where only one direction is wanted and shapes should stay: half of CycleGAN's
networks. `pix2pix` is better wherever there are pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Network, Recipe, ZooError, hookimpl, layers, losses
from zoo.networks import given_source
from zoo.recipe import Normalization

LOSS_FAMILY = "least-squares"
SMALLEST_SQUARE = 1e-14  # below vectors that become unit vectors; the authors add its root to their norm
MAP = "map_"  # the names of the encoder's maps begin so
TAPPED = (1, 5)  # the residual blocks whose answers are such maps
SMALLEST = 8  # pixels


@dataclass(frozen=True)
class CutRecipe(Recipe):
    """Section 4: single images, Adam at 2e-4 (momentum .5), 256 patches a map, temperature .07.

    `horizon` is the paper's 400 epochs in images, best as many as the run sees: rates are constant in its first half
    and fall to 0 in the second. A longer run learns nothing after it, at rates of 0; a shorter one ends while they are
    higher. With the default of 0 they stay. FastCUT has nce_weight=10 and nce_identity_weight=0 (section 4).
    """

    batch_size: int = 1
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    width: int = 64  # channels at the image's size
    residual_blocks: int = 9
    discriminator_normalization: Normalization = "instance"
    patch_layers: int = 0
    """Strided layers of the critic, whose logits see 16, 34 or 70 pixels with 1, 2 or 3, the paper's; 0 takes 3 from
    128 pixels on, 2 from 64 on, 1 below, as at 28."""
    nce_weight: float = 1.0
    nce_identity_weight: float = 1.0  # of samples that are translated, and should stay what they are
    nce_patches: int = 256  # of each map, drawn anew; all where it has fewer
    nce_temperature: float = 0.07
    nce_width: int = 256  # of the vectors that patches are compared as


@hookimpl
def recipe() -> CutRecipe:
    """The paper's values."""
    return CutRecipe()


@hookimpl
def latents() -> dict[str, Any]:
    """None beside the source."""
    return {}


@hookimpl
def schedule(images_seen: Any, recipe: CutRecipe) -> dict[str, Any]:
    """Constant rates, then a linear way to 0; nothing without a horizon."""
    return losses.falling_rates(images_seen, recipe)


@hookimpl
def generator(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: CutRecipe) -> keras.Model:
    """CycleGAN's ResNet with antialiased changes of size, and the maps of its first half (appendix C.1)."""
    check_shapes(sample_shape, fields)
    source = keras.Input(fields["source"].shape, name="source")
    x: Any = layers.ReflectionPadding2D(3)(source)
    maps = [x]
    x = layers.instance_relu(layers.plain_convolution(recipe.width, 7, weights())(x))
    for multiple in (2, 4):
        x = layers.plain_convolution(recipe.width * multiple, 3, weights(), padding="same")(x)
        maps.append(x)
        x = layers.Downsample((1, 2, 1), border="reflect")(layers.instance_relu(x))
    for block in range(1, recipe.residual_blocks + 1):
        x = layers.translating_block(x, weights())
        maps += [x] if block in TAPPED else []
    for multiple in (2, 1):
        finer = layers.plain_convolution(recipe.width * multiple, 3, weights(), padding="same")
        x = layers.instance_relu(finer(layers.Upsample(border="edge")(x)))
    x = keras.layers.Conv2D(sample_shape[-1], 7, kernel_initializer=weights())(layers.ReflectionPadding2D(3)(x))
    made = {"samples": keras.layers.Activation("tanh")(x)}
    return keras.Model(
        {"source": source}, made | {f"{MAP}{index}": each for index, each in enumerate(maps)}, name="generator"
    )


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: CutRecipe) -> keras.Model:
    """PatchGAN: samples to logits (B, h, w, 1) of patches."""
    samples = keras.Input(sample_shape, name="samples")
    kind = recipe.discriminator_normalization
    settings = {"affine": False} if kind == "instance" else {}
    _, logits = layers.patch_critic(samples, recipe.width, recipe.patch_layers, kind, settings)
    return keras.Model({"samples": samples}, logits, name="discriminator")


@hookimpl
def networks(fields: Mapping[str, Any], recipe: CutRecipe) -> dict[str, Network]:
    """For each map two layers that make unit vectors of its patches, trained with the generator (section 3)."""
    width = recipe.width
    channels = [fields["source"].shape[-1], 2 * width, 4 * width, *(4 * width for each in tapped(recipe))]
    patches = {f"{MAP}{index}": keras.Input((each,), name=f"{MAP}{index}") for index, each in enumerate(channels)}
    vectors = {}
    for name, each in patches.items():
        x = keras.layers.Dense(recipe.nce_width, activation="relu", kernel_initializer=weights())(each)
        x = keras.layers.Dense(recipe.nce_width, kernel_initializer=weights())(x)
        # unit vectors; Keras' UnitNormalization has no gradient at a vector of zeros, which dead ReLUs make
        vectors[name] = keras.layers.Rescaling(recipe.nce_width**-0.5)(layers.PixelNormalization(SMALLEST_SQUARE)(x))
    return {"patch_vectors": Network(keras.Model(patches, vectors, name="patch_vectors"), trained_with="generator")}


discriminator_loss = hookimpl(losses.least_squares_discriminator_loss)


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """(D(G(x)) - 1)^2, not halved, as in CycleGAN."""
    return 2 * losses.least_squares_generator_loss(fake_logits)


@hookimpl
def generator_penalty(
    batch: Mapping[str, Any],
    generated: Mapping[str, Any],
    generator: keras.Model,
    networks: Mapping[str, keras.Model],
    seed: keras.random.SeedGenerator,
    recipe: CutRecipe,
) -> Any:
    """Equation 5: the contrast of sources and their translations, and of samples that are translated."""
    vectors = networks["patch_vectors"]

    def contrast(given: Mapping[str, Any]) -> Any:
        """That of what the generator was given, whose maps these are, and what it made of it."""
        made = generator({"source": given["samples"]}, training=True)
        return patch_contrast(made, given, vectors, seed, recipe)

    total = recipe.nce_weight * contrast(generated)
    if recipe.nce_identity_weight:
        total += recipe.nce_identity_weight * contrast(generator({"source": batch["samples"]}, training=True))
    return total


def patch_contrast(
    made: Mapping[str, Any],
    given: Mapping[str, Any],
    vectors: keras.Model,
    seed: keras.random.SeedGenerator,
    recipe: CutRecipe,
) -> Any:
    """Equation 3, its mean over the maps: patches of `made` among those of `given` at the same places."""
    names = [name for name in given if name.startswith(MAP)]
    places = {name: drawn_places(given[name], recipe.nce_patches, seed) for name in names}
    queries, keys = (
        vectors({name: patches(maps[name], places[name]) for name in names}, training=True) for maps in (made, given)
    )
    found = []
    for name in names:
        shape = (-1, places[name].shape[0], recipe.nce_width)
        one, other = (ops.reshape(each[name], shape) for each in (queries, keys))
        found.append(ops.mean(cross_entropies(one, ops.stop_gradient(other), recipe.nce_temperature)))
    return sum(found) / len(found)


def cross_entropies(queries: Any, keys: Any, temperature: float) -> Any:
    """-log softmax of the key at the query's own place, (B, P), of unit vectors (B, P, K)."""
    logits = ops.matmul(queries, ops.swapaxes(keys, 1, 2)) / temperature
    return ops.logsumexp(logits, axis=-1) - ops.sum(queries * keys, axis=-1) / temperature


def drawn_places(maps: Any, count: int, seed: keras.random.SeedGenerator) -> Any:
    """Places of a map (B, h, w, C), the same for all of its images: int32, at most `count`."""
    size = maps.shape[1] * maps.shape[2]
    return ops.argsort(keras.random.uniform((size,), seed=seed))[: min(count, size)]


def patches(maps: Any, places: Any) -> Any:
    """The vectors of maps (B, h, w, C) at these places, (B P, C)."""
    channels = maps.shape[-1]
    flat = ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], channels))
    return ops.reshape(ops.take(flat, places, axis=1), (-1, channels))


def tapped(recipe: CutRecipe) -> list[int]:
    """The residual blocks whose answers are maps."""
    return [block for block in TAPPED if block <= recipe.residual_blocks]


def check_shapes(sample_shape: tuple[int, ...], fields: Mapping[str, Any]) -> None:
    """Raises ZooError where there is nothing to translate, or images that can't be translated."""
    shape = given_source("cut", fields, task="negative")
    if (
        len(sample_shape) != 3
        or shape != tuple(sample_shape)
        or any(side % 4 or side < SMALLEST for side in sample_shape[:2])
    ):
        raise ZooError(
            "Plugin 'cut' translates between images of one shape, whose sides are multiples of 4 from 8 on; the field "
            f"'source' is {shape}, samples are {tuple(sample_shape)}. Choose images with --image-size and --channels."
        )


def weights() -> keras.initializers.Initializer:
    """Xavier's, times .02, as in the authors' code."""
    return keras.initializers.VarianceScaling(0.02**2, mode="fan_avg", distribution="untruncated_normal")
