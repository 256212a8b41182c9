"""Adaptive discriminator augmentation (Karras et al. 2020), https://arxiv.org/abs/2006.06676

The discriminator sees real and generated images through up to fifteen transforms, each with probability p: geometry,
colours, and where they are asked for frequencies, noise and a hole. As long as p is below .8 or so the generator does
not learn them. A controller moves p so that r_t = E[sign D(x)] of real images stays at .6: higher, and the
discriminator knows its few images by heart. For image datasets of hundreds to tens of thousands, on top of losses whose
logits are 0 where the discriminator can't tell: `stylegan2+r1+ada`, `dcgan+ada`.

p goes by the batch size times 4 over `ada_images` every four updates, from `ada_probability` on, which is p all along
with `ada_target=0`, as losses without such a zero need it. The fields of each group are multiples of p: 0 leaves it
out. Defaults are the authors' "bgc"; all are `--set ada_filtering=1 --set ada_noise=1 --set ada_cutout=1`.

When to use it: with hundreds to tens of thousands of images, wherever the discriminator knows them by heart: its logits
of training images far above those of held-out ones (`zoo watch`). Hundreds of thousands of images need no augmentation.

Deviations: images are mirrored without end beyond their border, theirs but once. p is at most 1, theirs counts on. In
gray images hue and saturation do nothing; for images of other channels set `ada_color=0`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers

EVERY = 4  # updates between two movements of p
SIGNED = ("cross-entropy", "hinge", "unrolled cross-entropy")  # loss families whose logit is 0 where D can't tell
UNIFORM, NORMAL = 29, 12  # numbers of an image that all transforms take
POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of the four bands of frequencies, expected of images
HOLE = 1 / 2  # of the side


@dataclass(frozen=True)
class AdaRecipe(Recipe):
    """Section 3 and appendix C: the target .6, p from 0 to 1 in 500,000 images at the fastest."""

    ada_target: float = 0.6  # of r_t; 0 keeps p
    ada_images: int = 500_000
    ada_probability: float = 0.0
    ada_blitting: float = 1.0  # flips, quarter turns, shifts by whole pixels
    ada_geometry: float = 1.0  # scales, turns, stretches, shifts
    ada_color: float = 1.0
    ada_filtering: float = 0.0
    ada_noise: float = 0.0
    ada_cutout: float = 0.0


@hookimpl
def recipe() -> AdaRecipe:
    """The authors' defaults."""
    return AdaRecipe()


@hookimpl
def check(sample_shape: tuple[int, ...], loss_family: str | None, recipe: AdaRecipe) -> None:
    """Refuse what is no image of pixels, colours that can't be changed, and losses whose logits have no zero."""
    if len(sample_shape) != 3 or min(sample_shape[:2]) < 2:
        raise ZooError(f"Plugin 'ada' augments images of 2 x 2 pixels or more; received shape {sample_shape}.")
    if recipe.ada_color and sample_shape[2] not in (1, 3):
        raise ZooError(f"Plugin 'ada' changes colours of 1 or 3 channels; received {sample_shape[2]}: set ada_color=0.")
    if recipe.ada_target and loss_family not in SIGNED:
        raise ZooError(
            f"Plugin 'ada' moves p by the signs of logits, which tell nothing under a loss of the family "
            f"'{loss_family}'. Keep p with ada_target=0 and, say, ada_probability=0.3, or take a loss of "
            f"{', '.join(SIGNED)}."
        )


@hookimpl
def variables(recipe: AdaRecipe) -> dict[str, keras.Variable]:
    """p, and the sum of r_t over the updates since it moved."""
    starts = {"ada_p": recipe.ada_probability, "ada_signs": 0.0}
    return {name: keras.Variable(start, trainable=False, name=name) for name, start in starts.items()}


@hookimpl
def observe(
    player: str, update: Any, real_logits: Any, variables: Mapping[str, keras.Variable], recipe: AdaRecipe
) -> Mapping[str, Any]:
    """Section 3.1: move p towards the target, once every four updates of the discriminator."""
    if player == "generator" or not recipe.ada_target:
        return {}
    p, signs = variables["ada_p"], variables["ada_signs"]
    total = signs + ops.cast(ops.mean(ops.sign(real_logits)), signs.dtype)
    passed = update % EVERY + 1
    mean = total / ops.cast(passed, total.dtype)
    step = ops.sign(mean - recipe.ada_target) * (recipe.batch_size * EVERY / recipe.ada_images)
    moves = ops.equal(passed, EVERY)
    p.assign(ops.where(moves, ops.clip(p + step, 0.0, 1.0), p.value))
    signs.assign(ops.where(moves, 0.0, total))
    return {"p": p.value, "r_t": mean}


@hookimpl
def augment(
    samples: Any, variables: Mapping[str, keras.Variable], seed: keras.random.SeedGenerator, recipe: AdaRecipe
) -> Any:
    """All transforms that the recipe has, in the paper's order."""
    p = variables["ada_p"].value if recipe.ada_target else recipe.ada_probability
    return transformed(samples, drawn(samples, p, seed), recipe, seed)


class Draws:
    """What the transforms of a batch take, (B,) each, one after the other."""

    def __init__(self, uniform: Iterator[Any], normal: Iterator[Any], p: Any) -> None:
        self.uniform_numbers, self.normal_numbers, self.p = uniform, normal, p

    def uniform(self, low: float, high: float) -> Any:
        """U(low, high)."""
        return low + (high - low) * next(self.uniform_numbers)

    def whole(self, count: int) -> Any:
        """0 to count - 1."""
        return ops.floor(self.uniform(0, count))

    def normal(self, deviation: float) -> Any:
        """N(0, deviation^2)."""
        return deviation * next(self.normal_numbers)

    def sometimes(self, values: Any, probability: Any) -> Any:
        """The values with that probability, else 0; all of a list or none."""
        happens = next(self.uniform_numbers) < probability
        if isinstance(values, list):
            return [ops.where(happens, each, ops.zeros_like(each)) for each in values]
        return ops.where(happens, values, ops.zeros_like(values))


def drawn(samples: Any, p: Any, seed: keras.random.SeedGenerator) -> Draws:
    """One draw of each kind for all transforms, which compiles faster than many."""
    count, p = samples.shape[0], ops.cast(p, samples.dtype)
    uniform = keras.random.uniform((UNIFORM, count), seed=seed, dtype=samples.dtype)
    normal = keras.random.normal((NORMAL, count), seed=seed, dtype=samples.dtype)
    return Draws(iter(ops.unstack(uniform)), iter(ops.unstack(normal)), p)


def transformed(images: Any, draws: Draws, recipe: AdaRecipe, seed: keras.random.SeedGenerator) -> Any:
    """Appendix B: one resampling for all that moves pixels, one map for all colours, then what corrupts."""
    if recipe.ada_blitting or recipe.ada_geometry:
        images = layers.warped(images, placement(images, draws, recipe))
    if recipe.ada_color:
        images = layers.recoloured(images, colours(images, draws, recipe.ada_color * draws.p))
    if recipe.ada_filtering:
        images = layers.weighed_bands(images, gains(draws, recipe.ada_filtering * draws.p))
    if recipe.ada_noise:
        noise = keras.random.normal(images.shape, seed=seed, dtype=images.dtype)
        deviation = ops.abs(draws.sometimes(draws.normal(0.1), recipe.ada_noise * draws.p))
        images = images + deviation[:, None, None, None] * noise
    if recipe.ada_cutout:
        images = layers.without(images, *hole(images, draws, recipe.ada_cutout * draws.p))
    return images


def placement(images: Any, draws: Draws, recipe: AdaRecipe) -> Any:
    """(B, 3, 3): from places in what comes out to places in the image, in pixels from the centre."""
    height, width = images.shape[1:3]
    parts = ((blits, recipe.ada_blitting), (moves, recipe.ada_geometry))
    maps = [each(draws, share * draws.p, (width, height)) for each, share in parts if share]
    return layers.affine(images, *chain.from_iterable(maps))


def blits(draws: Draws, p: Any, sides: tuple[int, int]) -> Iterator[layers.AffineRows]:
    """The inverses of what takes pixels as they are: a flip, quarter turns, a shift by an eighth at most."""
    yield layers.scaled_back(1 - 2 * draws.sometimes(draws.whole(2), p), 1)
    yield layers.turned_back(draws.sometimes(draws.whole(4), p) * (math.pi / 2))
    shares = draws.sometimes([draws.uniform(-1 / 8, 1 / 8), draws.uniform(-1 / 8, 1 / 8)], p)
    yield layers.moved_back(*(ops.round(share * side) for share, side in zip(shares, sides, strict=True)))


def moves(draws: Draws, p: Any, sides: tuple[int, int]) -> Iterator[layers.AffineRows]:
    """The inverses of a scale, a turn, a stretch, a turn and a shift; that there is a turn has probability p, too."""
    turns = 1 - ops.sqrt(ops.relu(1 - p))
    scale = 2 ** draws.sometimes(draws.normal(0.2), p)
    yield layers.scaled_back(scale, scale)
    yield layers.turned_back(draws.sometimes(draws.uniform(-math.pi, math.pi), turns))
    stretch = 2 ** draws.sometimes(draws.normal(0.2), p)
    yield layers.scaled_back(stretch, 1 / stretch)
    yield layers.turned_back(draws.sometimes(draws.uniform(-math.pi, math.pi), turns))
    shares = draws.sometimes([draws.normal(1 / 8), draws.normal(1 / 8)], p)
    yield layers.moved_back(*(share * side for share, side in zip(shares, sides, strict=True)))


def colours(images: Any, draws: Draws, p: Any) -> Any:
    """(B, 4, 4): brightness, contrast, luma flip, hue and saturation as one map of colours (r, g, b, 1)."""
    brightness = draws.sometimes(draws.normal(0.2), p)
    contrast = 2 ** draws.sometimes(draws.normal(0.5), p)
    flip = draws.sometimes(draws.whole(2), p) * (2 / 3)
    hue = draws.sometimes(draws.uniform(-math.pi, math.pi), p)
    saturation = 2 ** draws.sometimes(draws.normal(1.0), p)
    level, side = (1 - ops.cos(hue)) / 3, ops.sin(hue) / 3**0.5
    return layers.affine(
        images,
        layers.alike((1 + 2 * saturation) / 3, (1 - saturation) / 3, (1 - saturation) / 3),
        layers.alike(ops.cos(hue) + level, level - side, level + side),  # turns about v, the axis of gray
        layers.alike(1 - flip, -flip, -flip),  # I - 2 v v'
        layers.alike(contrast, 0, 0),
        layers.alike(1, 0, 0, brightness),
    )


def gains(draws: Draws, p: Any) -> Any:
    """(B, 4): a gain of each octave of frequencies, by turns, each time at the power expected of images."""
    product: Any = 1.0
    for band in range(len(POWER)):
        gain = 2 ** draws.sometimes(draws.normal(1.0), p)
        power = 1 + POWER[band] * (ops.square(gain) - 1)
        row = ops.stack([gain if each == band else ops.ones_like(gain) for each in range(len(POWER))], axis=1)
        product = product * row / ops.sqrt(power)[:, None]
    return product


def hole(images: Any, draws: Draws, p: Any) -> tuple[Any, Any]:
    """(B, H) and (B, W): the rows and columns of a hole of half the side, its centre anywhere."""
    centres = [draws.uniform(0, 1), draws.uniform(0, 1)]
    half = draws.sometimes(ops.full_like(centres[0], HOLE / 2), p)
    found = []
    for centre, size in zip(centres, images.shape[1:3], strict=True):
        places = (ops.arange(size, dtype=images.dtype) + 0.5) / size
        found.append(ops.abs(places - centre[:, None]) < half[:, None])
    return found[0], found[1]
