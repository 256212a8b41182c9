"""FastGAN (Liu et al. 2021), https://arxiv.org/abs/2101.04775

A light generator in which small maps weigh the channels of large ones, and a discriminator that must also reconstruct
real images from its maps: small decoders make the whole image of the last map, and a random quarter of the one before,
so that what it knows of an image is more than what tells it apart. For a hundred to some thousand images and little
time; the paper's stack is `fastgan+diffaugment`. For images whose sides halve to a map of 4 to 7 pixels, square or not.

The loss is a hinge at a random height u in [.8, 1], E[max(0, u - D(x))] + E[max(0, u + D(G(z)))], and -E[D(G(z))].
To the discriminator's is added `reconstruction_weight` times the distance of each reconstruction from the real image
as it was seen, augmented: of maps of EfficientNet-Lite0, whose weights come with the zoo, in the place of LPIPS, or
with `reconstruction=pixels` the mean absolute difference.

When to use it: with a hundred to some thousand images of 64 pixels and more, and hours rather than days; always with
`diffaugment`.

Deviations: below 128 pixels the first map weighs the last (the paper has no such sizes). The second half of the
discriminator judges samples at half their size, the authors' an image of 128 pixels that their generator makes beside.
Each player's update has fakes of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import ops

from zoo import Network, Recipe, feature_networks, hookimpl, layers, losses
from zoo import networks as sizes

LOSS_FAMILY = "hinge"
SLOPE, KERNEL, DEVIATION = 0.2, 4, 0.02
LAST = 7  # pixels at least of the shorter side of the discriminator's last map
WIDEST = 8  # times the width, in that map; half with each doubling
JUMP = 3  # maps between the one that weighs and the one that is weighed, in the discriminator
LOWEST = 0.8  # of the hinge's random heights
MAPS = ("stride_4", "stride_8", "stride_16")  # in which images are compared
SMALLEST_NORM = 1e-5


@dataclass(frozen=True)
class FastGanRecipe(Recipe):
    """The authors' code: batches of 8, Adam at 2e-4 with a momentum of .5, 256 latents, average of .999."""

    batch_size: int = 8
    latent_size: int = 256
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    average_decay: float = 0.999
    width: int = 64  # of the generator, at 128 pixels
    discriminator_width: int = 64
    reconstruction: Literal["features", "pixels"] = "features"
    reconstruction_weight: float = 8.0  # theirs is a sum over a batch of 8
    feature_size: int = 64  # pixels at which reconstructions are compared in features


@hookimpl
def recipe() -> FastGanRecipe:
    """The authors' values."""
    return FastGanRecipe()


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: FastGanRecipe) -> keras.Model:
    """Latents (B, Z) to the last map, every other doubling with noise, and by a convolution to samples."""
    latents = keras.Input((recipe.latent_size,))
    smallest = sizes.smallest_map("fastgan", sample_shape)
    x = layers.excited_map(latents, smallest, recipe.width, lambda doubling: doubling % 2 == 0)
    samples = keras.layers.Activation("tanh")(convolution(sample_shape[-1], 3)(x))
    return keras.Model(latents, samples, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: FastGanRecipe) -> keras.Model:
    """Samples to logits (B, K) of the whole and of the halved image, the maps that are decoded, and what was seen."""
    height, breadth, _ = sizes.smallest_map("fastgan", sample_shape)
    samples = keras.Input(sample_shape, name="samples")
    halvings, width = halved(sample_shape), recipe.discriminator_width
    maps = [activated(convolution(channels(halvings, width), 3)(samples))]
    for level in range(1, halvings + 1):
        x = halving(maps[-1], channels(halvings - level, width))
        maps.append(layers.excited(x, maps[level - JUMP], (height, breadth)) if level >= JUMP else x)
    small = keras.layers.AveragePooling2D(2)(samples)
    small = activated(convolution(channels(max(0, halvings - 2), width), KERNEL, strides=2)(small))
    for level in range(halvings - 2, 0, -1):
        small = halving(small, channels(level - 1, width))
    features = activated(layers.BatchNormalization()(convolution(maps[-1].shape[-1], 1)(maps[-1])), name="features")
    logits = [keras.layers.Flatten()(convolution(1, KERNEL, padding="valid")(each)) for each in (features, small)]
    outputs = {"logits": keras.layers.Concatenate()(logits), "last_map": maps[-1], "middle_map": maps[-2]}
    outputs |= {"small_map": small, "seen": keras.layers.Identity()(samples)}
    return keras.Model({"samples": samples}, outputs, name="discriminator")


@hookimpl
def networks(sample_shape: tuple[int, ...], recipe: FastGanRecipe) -> dict[str, Network]:
    """The decoders of the three maps, to images of half the size, and what these are compared in."""
    height, width, colours = sample_shape[0] // 2, sample_shape[1] // 2, sample_shape[2]
    shapes = decoded_shapes(sample_shape, recipe.discriminator_width)
    models = {f"{name}_decoder": decoder(shape, height, colours) for name, shape in shapes.items()}
    found = {name: Network(model, "discriminator") for name, model in models.items()}
    if recipe.reconstruction == "features":
        whole = feature_networks.efficientnet_lite0((height, width, colours), recipe.feature_size)
        compared = keras.Model(whole.input, [whole.output[name] for name in MAPS], name="compared")
        compared.trainable = False
        found["compared"] = Network(compared)
    return found


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any, seed: keras.random.SeedGenerator) -> Any:
    """E[max(0, h - D(x))] + E[max(0, h' + D(G(z)))], h and h' from U(.8, 1) for each logit (authors' code)."""
    heights = [keras.random.uniform(ops.shape(real_logits), LOWEST, 1.0, seed=seed) for _ in range(2)]
    return ops.mean(ops.relu(heights[0] - real_logits)) + ops.mean(ops.relu(heights[1] + fake_logits))


generator_loss = hookimpl(losses.hinge_generator_loss)


@hookimpl
def discriminator_penalty(
    real_outputs: Mapping[str, Any],
    networks: Mapping[str, keras.Model],
    seed: keras.random.SeedGenerator,
    recipe: FastGanRecipe,
) -> Any:
    """Section 3.2, equation 4: what the decoders make of real images, against the images."""
    row, column = (keras.random.randint((), 0, 2, seed=seed) for _ in range(2))
    seen = real_outputs["seen"]
    whole = ops.average_pool(seen, 2, 2)
    pairs = [(quarter(real_outputs["middle_map"], row, column), "middle_map", quarter(seen, row, column))]
    pairs += [(real_outputs[name], name, whole) for name in ("last_map", "small_map")]
    made = ops.concatenate([networks[f"{name}_decoder"](each, training=True) for each, name, _ in pairs], axis=0)
    images = ops.concatenate([image for _, _, image in pairs], axis=0)
    return recipe.reconstruction_weight * len(pairs) * distance(made, images, networks.get("compared"))


def distance(made: Any, images: Any, network: keras.Model | None) -> Any:
    """The mean absolute difference, or without pixels that of maps whose positions have norm 1, squared and summed."""
    if network is None:
        return ops.mean(ops.abs(ops.cast(made, images.dtype) - images))
    pairs = zip(network(made), network(ops.stop_gradient(images)), strict=True)
    return sum(ops.mean(ops.sum(ops.square(unit(one) - unit(other)), axis=3)) for one, other in pairs)


def unit(maps: Any) -> Any:
    """Each position's channels at norm 1, as LPIPS has them (Zhang et al. 2018, arXiv:1801.03924, equation 1)."""
    return maps / ops.sqrt(ops.sum(ops.square(maps), axis=3, keepdims=True) + SMALLEST_NORM)


def quarter(images: Any, row: Any, column: Any) -> Any:
    """The upper or lower, left or right quarter of images or maps (B, H, W, C)."""
    for axis, place in ((1, row), (2, column)):
        first, second = ops.split(images, 2, axis=axis)
        images = ops.where(ops.equal(place, 0), first, second)
    return images


def decoder(shape: tuple[int, ...], height: int, colours: int) -> keras.Model:
    """A map doubled until it has that height, with half the channels each time, then an image."""
    x = inputs = keras.Input(shape)
    while x.shape[1] < height:
        x = layers.gated_convolution(keras.layers.UpSampling2D()(x), max(1, x.shape[-1] // 2), noisy=False)
    return keras.Model(inputs, keras.layers.Activation("tanh")(convolution(colours, 3)(x)))


def decoded_shapes(sample_shape: tuple[int, ...], width: int) -> dict[str, tuple[int, int, int]]:
    """Of the maps that are decoded, the middle one's quarter, which is as large as the last one."""
    halvings = halved(sample_shape)
    height, breadth = (side // 2**halvings for side in sample_shape[:2])
    shrunk = 1 if halvings > 1 else 2  # the small map halves twice at least
    return {
        "last_map": (height, breadth, channels(0, width)),
        "middle_map": (height, breadth, channels(1, width)),
        "small_map": (height // shrunk, breadth // shrunk, channels(0, width)),
    }


def halved(sample_shape: tuple[int, ...]) -> int:
    """How often the discriminator halves: 256 pixels five times to 8, 28 twice to 7."""
    return (min(sample_shape[:2]) // LAST).bit_length() - 1


def channels(doublings: int, width: int) -> int:
    """Of a map so many times larger than the last one."""
    return max(1, WIDEST * width // 2**doublings)


def halving(x: Any, filters: int) -> Any:
    """The mean of two strided convolutions and of one behind a pooling."""
    main = normal_activated(convolution(filters, KERNEL, strides=2)(x))
    main = normal_activated(convolution(filters, 3)(main))
    direct = normal_activated(convolution(filters, 1)(keras.layers.AveragePooling2D(2)(x)))
    return keras.layers.Average()([main, direct])


def normal_activated(x: Any) -> Any:
    """BatchNorm, leaky ReLU."""
    return activated(layers.BatchNormalization()(x))


def activated(x: Any, name: str | None = None) -> Any:
    """Leaky ReLU."""
    return keras.layers.LeakyReLU(SLOPE, name=name)(x)


def convolution(filters: int, size: int, strides: int = 1, padding: str = "same") -> keras.Layer:
    """Normalized spectrally, without a bias, from N(0, .02)."""
    first = keras.initializers.RandomNormal(stddev=DEVIATION)
    settings = {"strides": strides, "padding": padding, "use_bias": False, "kernel_initializer": first}
    return layers.SpectralNormalization(keras.layers.Conv2D(filters, size, **settings))
