"""StyleGAN2 (Karras et al. 2019), https://arxiv.org/abs/1912.04958

Styles, vectors that a mapping network makes of latents, scale the kernels of a synthesis network that begins with a
learned constant and adds noise to every map; the discriminator is residual. The layers learn at an equalized rate. For
images whose sides halve to a map of 4 to 7 pixels: 28 to 1024, square or not. `width` is that of maps up to 32 pixels,
halved with each doubling: 512 makes the authors' smaller networks, which have half of config F's from 64 pixels on.

With its loss, non-saturating, it is complete but for its regularizers: `stylegan2+r1` with `r1_interval=16`, of the
gamma that suits the images (.0002 pixels / batch in the authors' later code), and `+path_length`. `zoo sample
--truncation PSI` moves styles towards their running mean.

When to use it: for the best unconditional images where there is a GPU and time, and wherever the latent space is to be
explored or edited. Below ten thousand images with `ada`.

Deviations: a regularizer's step is part of the loss's step. Both mixed latents are drawn for each sample of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses, networks

LOSS_FAMILY = "cross-entropy"
PACKAGE = "stylegan2"  # under which saved models find the layers below
SLOPE, GAIN = 0.2, 2**0.5  # of the leaky ReLU, and what follows it
MAPPING_RATE = 0.01
GROUP = 4  # samples whose deviation the discriminator sees


@dataclass(frozen=True)
class StyleGan2Recipe(Recipe):
    """Section 2 and appendix B, configuration F: Adam at 2e-3 without first momentum, average over 10,000 images."""

    batch_size: int = 32
    latent_size: int = 512  # of styles, too
    generator_learning_rate: float = 2e-3
    discriminator_learning_rate: float = 2e-3
    beta_1: float = 0.0
    beta_2: float = 0.99
    average_decay: float = 0.999  # that there is an average; its decay comes from its half-life
    average_images: int = 10_000  # the average's half-life
    average_ramp: float = 0.05  # of the images seen that the half-life is at most (Karras et al. 2020, 2006.06676)
    width: int = 512  # channels of the widest maps
    mapping_layers: int = 8
    mixing_probability: float = 0.9
    style_decay: float = 0.995  # of the styles' running mean


@hookimpl
def recipe() -> StyleGan2Recipe:
    """The paper's values."""
    return StyleGan2Recipe()


@hookimpl
def latents(count: int, seed: keras.random.SeedGenerator, recipe: StyleGan2Recipe) -> Any:
    """N(0, 1) whatever the truncation, which is one of styles here."""
    return keras.random.normal((count, recipe.latent_size), seed=seed)


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: StyleGan2Recipe) -> keras.Model:
    """Latents (B, Z) to styles (B, layers, Z), which are an output of their own, and to samples by `synthesis`."""
    size = recipe.latent_size
    drawn, psi = keras.Input((size,), name="latents"), keras.Input((1,), name="truncation")
    mapped = x = keras.Input((size,))
    x = layers.PixelNormalization()(x)
    for _ in range(recipe.mapping_layers):
        x = activated(layers.EqualizedDense(size, rate_multiplier=MAPPING_RATE)(x))
    mapping, synthesis = keras.Model(mapped, x, name="mapping"), synthesis_network(sample_shape, recipe)
    mixed = Styles(synthesis.input.shape[1], recipe.mixing_probability, recipe.style_decay, name="mixing")
    styles = mixed([mapping(drawn), mapping(FurtherLatents()(drawn)), psi])
    outputs = {"samples": synthesis(styles), "styles": styles}
    return keras.Model({"latents": drawn, "truncation": psi}, outputs, name="generator")


def synthesis_network(sample_shape: tuple[int, ...], recipe: StyleGan2Recipe) -> keras.Model:
    """Styles (B, layers, Z) to samples, figure 2d with the skip connections of figure 7: RGB at each size, summed."""
    height, width, doublings = networks.smallest_map("stylegan2", sample_shape)
    styles = keras.Input((2 * doublings + 2, recipe.latent_size))
    row = iter(ops.unstack(styles, axis=1))
    x: Any = layers.LearnedMap((height, width, networks.width_at(min(height, width), recipe.width)))(styles)
    x, style = modulated(x, next(row), x.shape[-1]), next(row)
    image = to_rgb(x, style, sample_shape[-1])
    for _ in range(doublings):
        filters = networks.width_at(2 * min(x.shape[1:3]), recipe.width)
        x = modulated(x, style, filters, resampling="up")
        x, style = modulated(x, next(row), filters), next(row)  # the next doubling has the style of this size's RGB
        image = keras.layers.Add()([layers.Upsample()(image), to_rgb(x, style, sample_shape[-1])])
    return keras.Model(styles, layers.PixelRange()(image), name="synthesis")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], recipe: StyleGan2Recipe) -> keras.Model:
    """Figure 7, residual: two convolutions a size, the second with a blur and a stride, deviation, two dense layers."""
    _, _, halvings = networks.smallest_map("stylegan2", sample_shape)
    samples = keras.Input(sample_shape)
    filters = networks.width_at(min(sample_shape[:2]), recipe.width)
    x: Any = activated(layers.EqualizedConv2D(filters, kernel_size=1)(samples))
    for _ in range(halvings):
        filters = networks.width_at(min(x.shape[1:3]) // 2, recipe.width)
        beside = layers.EqualizedConv2D(filters, kernel_size=1, use_bias=False)(layers.Downsample()(x))
        x = activated(layers.EqualizedConv2D(x.shape[-1])(x))
        x = activated(layers.EqualizedConv2D(filters, resampling="down")(x))
        x = keras.layers.Rescaling(2**-0.5)(keras.layers.Add()([x, beside]))
    filters = x.shape[-1]
    x = activated(layers.EqualizedConv2D(filters)(layers.MinibatchDeviation(GROUP)(x)))
    x = activated(layers.EqualizedDense(filters)(keras.layers.Flatten()(x)), name="features")
    return keras.Model(samples, layers.EqualizedDense(1)(x), name="discriminator")


schedule = hookimpl(losses.ramped_average)


@hookimpl
def advice() -> str:
    """What steadies it."""
    return "a larger r1_gamma (+r1 after the stack's name where it is missing)"


discriminator_loss = hookimpl(losses.cross_entropy_discriminator_loss)
generator_loss = hookimpl(losses.non_saturating_generator_loss)


def activated(x: Any, name: str | None = None) -> Any:
    """Leaky ReLU times the square root of 2, which keeps the variance."""
    return keras.layers.Rescaling(GAIN, name=name)(keras.layers.LeakyReLU(SLOPE)(x))


def modulated(x: Any, style: Any, filters: int, **settings: Any) -> Any:
    """A convolution by a style, noise, leaky ReLU."""
    return activated(layers.NoiseInjection()(layers.ModulatedConv2D(filters, **settings)([x, style])))


def to_rgb(x: Any, style: Any, colours: int) -> Any:
    """An image of a map."""
    return layers.ModulatedConv2D(colours, kernel_size=1, demodulate=False)([x, style])


@keras.saving.register_keras_serializable(package=PACKAGE)
class FurtherLatents(keras.layers.Layer):
    """In training latents (B, Z) drawn anew from N(0, 1), to be mixed with those given; in inference those given."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Draw."""
        drawn = keras.random.normal(ops.shape(inputs), seed=self.seed_generator) if training else inputs
        return ops.cast(drawn, inputs.dtype)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Styles(layers.ExactLayer):
    """A style for each of `rows` layers, (B, rows, Z), of ([w, other w, psi]).

    In training each sample has, with that probability, the other w from a random row on, and the running mean of w
    moves. In inference all rows are mean + psi (w - mean). Karras et al. 2018 (https://arxiv.org/abs/1812.04948),
    section 3.1 and appendix B.
    """

    def __init__(self, rows: int, probability: float = 0.9, decay: float = 0.995, **settings: Any) -> None:
        super().__init__(**settings)
        self.rows, self.probability, self.decay = rows, probability, decay
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: Sequence[Any]) -> None:
        """Make the mean."""
        self.mean = self.exact_weight("mean", (input_shape[0][-1],), "zeros", trainable=False)

    def call(self, inputs: Sequence[Any], training: bool = False) -> Any:
        """Mix, or truncate."""
        styles, others, psi = (self.exact(each) for each in inputs)
        if not training:
            styles = self.mean + psi * (styles - self.mean)
        places = ops.broadcast_to(ops.arange(self.rows)[:, None], (self.rows, 1))[None]
        crossing = places >= self.rows
        if training:
            self.mean.assign(ops.mean(styles, axis=0) + self.decay * (self.mean - ops.mean(styles, axis=0)))
            count = (ops.shape(styles)[0], 1, 1)
            first = keras.random.randint(count, 1, self.rows, seed=self.seed_generator)
            mixes = keras.random.uniform(count, seed=self.seed_generator) < self.probability
            crossing = ops.logical_and(mixes, places >= ops.cast(first, places.dtype))
        return self.rounded(ops.where(crossing, others[:, None], styles[:, None]))

    def compute_output_shape(self, input_shape: Sequence[Any]) -> tuple[int | None, ...]:
        """(B, rows, Z)."""
        return (input_shape[0][0], self.rows, input_shape[0][-1])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "rows": self.rows, "probability": self.probability, "decay": self.decay}


@layers.stock_equal(FurtherLatents)
def latents_given(layer: FurtherLatents, inputs: Any, value: Any) -> Any:
    """In inference nothing is drawn."""
    return keras.layers.Identity(name=layer.name)(inputs)


@layers.stock_equal(Styles)
def truncated(layer: Styles, inputs: Sequence[Any], value: Any) -> Any:
    """In inference all rows are alike."""
    styles, _, psi = (ops.cast(each, layer.variable_dtype) for each in inputs)
    mean = layers.constant(layer, styles, value(layer.mean), "mean")
    rows = ops.repeat(ops.expand_dims(mean + psi * (styles - mean), 1), layer.rows, axis=1)
    return ops.cast(rows, layer.compute_dtype)
