"""GAT, generative adversarial transformers (Hyun et al. 2025), https://arxiv.org/abs/2509.24935

Both players are plain vision transformers. The generator's tokens begin as places alone and are modulated by a style of
the latents; after each quarter of its blocks it makes an image, the sum of those so far, and the discriminator judges
all four at once, the earlier the more noise they have, so that early blocks are given work, too: level i is
(1 - t) x + noise of deviation t with t = 1.01 - .125^(1 - i/3), one noise that grows from the last level to the first.
Rates go by 768 / width, which keeps wide transformers stable.

For images whose sides are multiples of `patch_size`; attention costs the square of the patches. It brings both
zero-centred penalties, by all levels, of weight `gat_gamma`; the paper's loss is the plugin rpgan: `gat+rpgan`. Real
images are the same at all levels, in the field `levels`.

When to use it: to see what plain transformers do in the place of convolutions, with plenty of images and a GPU; on
small data sets and CPUs convolutions learn many times as fast.

Not here: a VAE's latents in the place of pixels, labels with truncation and guidance by them, the alignment of the
discriminator with DINOv2, augmentation. Deviation: where the discriminator has learned scales of channels beside a
linear map, they are left to its weights, which begin at a tenth where the scales would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers, losses

LEVELS = 4  # images that the generator makes
NOISE = tuple(1.01 - 0.125 ** (1 - level / (LEVELS - 1)) for level in range(LEVELS))  # the first level's first
REFERENCE = 768  # the width at which rates hold
EXPANSION = 8 / 3  # of a block's gated linear units
MAPPING_RATE, SMALL_GAIN, TOKEN_DEVIATION = 0.01, 0.1, 0.02


@dataclass(frozen=True)
class GatRecipe(Recipe):
    """The authors' GAT-S with patches of 4: six heads of 64, twelve blocks in either player."""

    batch_size: int = 512
    latent_size: int = 64
    generator_learning_rate: float = 2e-4  # at a width of 768
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.99
    gradient_clip_norm: float = 1.0
    average_decay: float = 0.999
    heads: int = 6
    head_size: int = 64  # channels, a multiple of 4; the width is what all heads have
    transformer_blocks: int = 12  # a multiple of 4
    patch_size: int = 4  # pixels
    gat_gamma: float = 0.1  # of both penalties


@hookimpl
def recipe() -> GatRecipe:
    """The authors' values."""
    return GatRecipe()


@hookimpl
def derive(batch: Mapping[str, Any]) -> Mapping[str, Any]:
    """`levels`: the image as often as the generator makes an earlier one, (B, H, W, 3 C)."""
    return {"levels": repeated(batch["samples"])} if len(batch["samples"].shape) == 4 else {}


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: GatRecipe) -> keras.Model:
    """Latents (B, Z) to samples, and to the three earlier images as `levels`."""
    grid, width = grid_of(sample_shape, recipe), recipe.heads * recipe.head_size
    latents = keras.Input((recipe.latent_size,))
    style = layers.EqualizedDense(width, rate_multiplier=MAPPING_RATE)(layers.PixelNormalization()(latents))
    style = layers.EqualizedDense(width, rate_multiplier=MAPPING_RATE)(swish(style))
    x, style = layers.SinePositions(grid, width)(style), swish(style)
    images: list[Any] = []
    for index in range(1, recipe.transformer_blocks + 1):
        x = modulated_block(x, style, grid, recipe)
        if index % (recipe.transformer_blocks // LEVELS) == 0:
            image = pixels(x, style, grid, recipe.patch_size, sample_shape[-1])
            images.append(keras.layers.Add()([images[-1], image]) if images else image)
    outputs = {"samples": layers.PixelRange()(images[-1]), "levels": keras.layers.Concatenate()(images[:-1])}
    return keras.Model(latents, outputs, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: GatRecipe) -> keras.Model:
    """All levels as one image to tokens, with one more of its own, which becomes logits (B, 1)."""
    grid, width = grid_of(sample_shape, recipe), recipe.heads * recipe.head_size
    height, breadth, colours = sample_shape
    samples = keras.Input(sample_shape, name="samples")
    levels = keras.Input((height, breadth, colours * (LEVELS - 1)), name="levels")
    x: Any = keras.layers.Concatenate()([levels, samples])
    x = keras.layers.Conv2D(width, recipe.patch_size, strides=recipe.patch_size)(x)
    x = keras.layers.Reshape((grid[0] * grid[1], width))(x)
    x = keras.layers.Add()([x, layers.SinePositions(grid, width)(x)])
    x = keras.layers.Concatenate(axis=1)([layers.LearnedMap((1, width), TOKEN_DEVIATION)(x), x])
    for _ in range(recipe.transformer_blocks):
        found = layers.RotaryAttention(recipe.heads, grid, SMALL_GAIN)(layers.PixelNormalization()(x))
        x = keras.layers.Add()([x, found])
        x = keras.layers.Add()([x, gated(layers.PixelNormalization()(x), SMALL_GAIN)])
    token = keras.layers.Cropping1D((0, grid[0] * grid[1]))(x)
    features = keras.layers.Flatten(name="features")(layers.PixelNormalization()(token))
    return keras.Model({"samples": samples, "levels": levels}, keras.layers.Dense(1)(features), name="discriminator")


@hookimpl
def check(recipe: GatRecipe, plugins: Mapping[str, Any]) -> None:
    """Refuse augmentations that would change the last level alone."""
    others = [name for name, each in plugins.items() if getattr(each, "augment", augment) is not augment]
    if others:
        raise ZooError(
            f"Plugin 'gat' judges an image at four levels, of which '{others[0]}' would change one. Leave it out."
        )


@hookimpl
def schedule(recipe: GatRecipe) -> Mapping[str, Any]:
    """Section 3.3: rates by the width."""
    share = REFERENCE / (recipe.heads * recipe.head_size)
    names = ("generator_learning_rate", "discriminator_learning_rate")
    return {name: ops.convert_to_tensor(share * getattr(recipe, name), "float32") for name in names}


@hookimpl
def augment(samples: Any, others: Mapping[str, Any], seed: keras.random.SeedGenerator) -> Any:
    """Section 3.2: every level with its noise, of which that of a later level is a part."""
    images = [*ops.split(others["levels"], LEVELS - 1, axis=3), samples]
    noise, before, noisy = ops.zeros_like(samples), 0.0, []
    for image, deviation in zip(reversed(images), reversed(NOISE), strict=True):
        kept = (1 - deviation) / (1 - before)
        fresh = keras.random.normal(samples.shape, seed=seed, dtype=samples.dtype)
        noise = kept * noise + (deviation**2 - (kept * before) ** 2) ** 0.5 * fresh
        noisy.append((1 - deviation) * image + noise)
        before = deviation
    return {"samples": noisy[0], "levels": ops.concatenate(noisy[:0:-1], axis=3)}


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_fields: Mapping[str, Any],
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    recipe: GatRecipe,
) -> Any:
    """gamma / 2 (E |grad D(x)|^2 + E |grad D(G(z))|^2), by a real image and by all that the generator made."""
    real = gradients(
        lambda image: discriminate({**real_fields, "samples": image, "levels": repeated(image)}), real_fields["samples"]
    )
    made = {name: fake_fields[name] for name in ("samples", "levels")}
    fake = gradients(lambda images: discriminate({**fake_fields, **images}), made)
    return recipe.gat_gamma / 2 * sum(ops.mean(losses.squared_norms(each)) for each in (real, *fake.values()))


def grid_of(sample_shape: tuple[int, ...], recipe: GatRecipe) -> tuple[int, int]:
    """Rows and columns of patches; raises ZooError for what has none, and for numbers that don't divide by four."""
    if len(sample_shape) != 3 or any(side % recipe.patch_size for side in sample_shape[:2]):
        raise ZooError(
            f"Plugin 'gat' makes images whose sides are multiples of its patches of {recipe.patch_size} pixels; "
            f"received samples of shape {sample_shape}. Set patch_size, or choose a size with --image-size."
        )
    for name in ("transformer_blocks", "head_size"):  # an image after each quarter; pairs of channels by row and column
        if getattr(recipe, name) < 4 or getattr(recipe, name) % 4:
            raise ZooError(f"{name} must be a multiple of 4; received {getattr(recipe, name)}.")
    return sample_shape[0] // recipe.patch_size, sample_shape[1] // recipe.patch_size


def modulated_block(x: Any, style: Any, grid: tuple[int, int], recipe: GatRecipe) -> Any:
    """Attention, then gated linear units, each scaled before and weighed behind by the style."""
    before, weight, before_units, weight_units = scales(style, 4, x.shape[-1])
    found = layers.RotaryAttention(recipe.heads, grid)(scaled(x, before))
    x = keras.layers.Add()([x, keras.layers.Multiply()([found, weight])])
    found = gated(scaled(x, before_units))
    return keras.layers.Add()([x, keras.layers.Multiply()([found, weight_units])])


def scaled(x: Any, scale: Any) -> Any:
    """Normalized tokens times 1 + scale."""
    x = layers.PixelNormalization()(x)
    return keras.layers.Add()([x, keras.layers.Multiply()([x, scale])])


def scales(style: Any, count: int, channels: int) -> list[Any]:
    """So many times (B, 1, C), linear in the style, small at first."""
    found = keras.layers.Dense(count * channels, kernel_initializer=small())(style)
    return ops.split(keras.layers.Reshape((1, count * channels))(found), count, axis=-1)


def gated(x: Any, gain: float = 1.0) -> Any:
    """W3 (swish(W1 x) * W2 x), two thirds of four times the channels between (Shazeer 2020, arXiv:2002.05202)."""
    hidden = int(EXPANSION * x.shape[-1])
    first, second = ops.split(keras.layers.Dense(2 * hidden)(x), 2, axis=-1)
    product = keras.layers.Multiply()([swish(first), second])
    return keras.layers.Dense(x.shape[-1], kernel_initializer=small(gain))(product)


def pixels(x: Any, style: Any, grid: tuple[int, int], patch: int, colours: int) -> Any:
    """An image of tokens."""
    (before,) = scales(style, 1, x.shape[-1])
    x = keras.layers.Dense(patch * patch * colours)(scaled(x, before))
    return layers.PixelShuffle(patch)(keras.layers.Reshape((*grid, patch * patch * colours))(x))


def repeated(images: Any) -> Any:
    """Once for each of the levels before the last."""
    return ops.concatenate([images] * (LEVELS - 1), axis=3)


def swish(x: Any) -> Any:
    """x sigmoid(x)."""
    return keras.layers.Activation("silu")(x)


def small(gain: float = SMALL_GAIN) -> keras.initializers.Initializer:
    """Glorot's uniform numbers times a gain."""
    return keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform")
