"""CycleGAN, unpaired image-to-image translation (Zhu et al. 2017), https://arxiv.org/abs/1703.10593

Between two sets of images, the fields `source` and `samples`, in both directions at once; samples are what it makes of
`source`. The fields are the dataset's own or derived by a task: `cyclegan+negative`.

Both translators are one generator here, and both critics one discriminator, whose logits are the two maps of patches
side by side. Its losses are thus means over the two directions where the paper has sums, and so are the penalties: all
of a player's terms are half the paper's, a factor that Adam does not see, and the weights between them are the paper's.
Any other loss of logits stacked on top keeps to that.

When to use it: for two sets without pairs where both directions are wanted, or as the known reference. It changes
colours and textures, seldom shapes. `pix2pix` is better wherever there are pairs.

Deviation: the critics learn before the translators and from a batch of their own; the authors translate one for both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers, losses
from zoo.networks import given_source
from zoo.recipe import Normalization

LOSS_FAMILY = "least-squares"
DOMAINS = ("samples", "source")
SIDE_BY_SIDE = 2  # the axis of W


@dataclass(frozen=True)
class CycleganRecipe(Recipe):
    """Section 4: single images, Adam at 2e-4 (momentum .5, the authors' code), a pool of 50, cycles weighted by 10.

    `horizon` is the paper's 200 epochs in images, best as many as the run sees: rates are constant in its first half
    and fall to 0 in the second. A longer run learns nothing after it, at rates of 0; a shorter one ends while they are
    higher. With the default of 0 they stay.
    """

    batch_size: int = 1
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    width: int = 64  # channels at the image's size
    residual_blocks: int = 0  # 0: the paper's 9 from 256 pixels on, 6 below
    discriminator_normalization: Normalization = "instance"
    patch_layers: int = 0
    """Strided layers of a critic, whose logits see 16, 34 or 70 pixels with 1, 2 or 3, the paper's; 0 takes 3 from 128
    pixels on, 2 from 64 on, 1 below, as at 28."""
    cycle_weight: float = 10.0
    identity_weight: float = 5.0  # section 5.2, half of the cycles'; 0 for domains of different channels
    pool_size: int = 50  # generated images of each domain that critics are shown again; 0 shows them only new ones


@hookimpl
def recipe() -> CycleganRecipe:
    """The paper's values."""
    return CycleganRecipe()


@hookimpl
def latents() -> dict[str, Any]:
    """None beside the images."""
    return {}


@hookimpl
def schedule(images_seen: Any, recipe: CycleganRecipe) -> dict[str, Any]:
    """Constant rates, then a linear way to 0 (section 4); nothing without a horizon."""
    return losses.falling_rates(images_seen, recipe)


@hookimpl
def generator(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: CycleganRecipe) -> keras.Model:
    """Both translators: what each makes of its images, of the other's answer, and of images that need no change."""
    shapes = domain_shapes(sample_shape, fields, recipe)
    source, samples = (keras.Input(shapes[name], name=name) for name in ("source", "samples"))
    to_samples = translator(shapes["source"], shapes["samples"], recipe, "to_samples")
    to_source = translator(shapes["samples"], shapes["source"], recipe, "to_source")
    made = {"samples": to_samples(source), "source": to_source(samples)}
    made |= {"cycled_samples": to_samples(made["source"]), "cycled_source": to_source(made["samples"])}
    if recipe.identity_weight:
        made |= {"same_samples": to_samples(samples), "same_source": to_source(source)}
    return keras.Model({"source": source, "samples": samples}, made, name="generator")


@hookimpl
def discriminator(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: CycleganRecipe) -> keras.Model:
    """Both critics, logits (B, h, 2w, 1): those of `samples` left, those of `source` right."""
    shapes = domain_shapes(sample_shape, fields, recipe)
    inputs = {name: keras.Input(shapes[name], name=name) for name in DOMAINS}
    answers = [critic(shapes[name], recipe, f"critic_of_{name}")(inputs[name]) for name in DOMAINS]
    features, logits = zip(*answers, strict=True)
    both = keras.layers.Concatenate(SIDE_BY_SIDE, name="features")(list(features))
    outputs = {"logits": keras.layers.Concatenate(SIDE_BY_SIDE)(list(logits)), "features": both}
    return keras.Model(inputs, outputs, name="discriminator")


@hookimpl
def check(recipe: CycleganRecipe) -> None:
    """Refuse a pool that a batch would overflow."""
    if 0 < recipe.pool_size < recipe.batch_size:
        raise ZooError(
            f"Plugin 'cyclegan' needs a pool of at least a batch, {recipe.batch_size} images, or none; pool_size is "
            f"{recipe.pool_size}."
        )


@hookimpl
def variables(sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: CycleganRecipe) -> dict[str, Any]:
    """The pool of generated images of each domain, and how many it has."""
    if not recipe.pool_size:
        return {}
    shapes = domain_shapes(sample_shape, fields, recipe)
    fixed: dict[str, Any] = {"trainable": False}
    pools = {
        f"pool_{name}": keras.Variable(ops.zeros((recipe.pool_size, *shapes[name])), name=f"pool_{name}", **fixed)
        for name in DOMAINS
    }
    return {**pools, "pooled": keras.Variable(0, dtype="int32", name="pooled", **fixed)}


@hookimpl
def augment(
    samples: Any,
    others: Mapping[str, Any],
    is_real: bool | None,
    player: str,
    variables: Mapping[str, keras.Variable],
    seed: keras.random.SeedGenerator,
    recipe: CycleganRecipe,
) -> dict[str, Any]:
    """Show the critics a history of generated images, while they learn (section 4)."""
    given = {**others, "samples": samples}
    if player == "generator" or is_real is not False or not recipe.pool_size:
        return given
    count = ops.convert_to_tensor(variables["pooled"])
    for name in DOMAINS:
        pool = variables[f"pool_{name}"]
        given[name], changed = layers.from_history(given[name], ops.convert_to_tensor(pool), count, seed)
        pool.assign(ops.stop_gradient(changed))
    variables["pooled"].assign(ops.minimum(count + ops.shape(samples)[0], recipe.pool_size))
    return given


discriminator_loss = hookimpl(losses.least_squares_discriminator_loss)  # halved (section 4); the mean of both critics


@hookimpl
def generator_loss(fake_logits: Any) -> Any:
    """(D(G(x)) - 1)^2, not halved (section 4); its mean over both directions."""
    return 2 * losses.least_squares_generator_loss(fake_logits)


@hookimpl
def generator_penalty(batch: Mapping[str, Any], generated: Mapping[str, Any], recipe: CycleganRecipe) -> Any:
    """Equation 2 and section 5.2: mean distances of pixels, the mean of both directions."""
    total = recipe.cycle_weight * sum(distance(generated[f"cycled_{name}"], batch[name]) for name in DOMAINS)
    if recipe.identity_weight:
        total += recipe.identity_weight * sum(distance(generated[f"same_{name}"], batch[name]) for name in DOMAINS)
    return total / 2


def distance(one: Any, other: Any) -> Any:
    """The mean of |one - other|."""
    return ops.mean(ops.abs(one - other))


def domain_shapes(
    sample_shape: tuple[int, ...], fields: Mapping[str, Any], recipe: CycleganRecipe
) -> dict[str, tuple[int, ...]]:
    """(H, W, C) of both domains; raises ZooError where there are not two, or they can't be translated."""
    shapes = {"samples": tuple(sample_shape), "source": given_source("cyclegan", fields, task="negative")}
    is_image = all(len(shape) == 3 for shape in shapes.values())
    if (
        not is_image
        or shapes["source"][:2] != sample_shape[:2]
        or any(side % 4 or side < 8 for side in sample_shape[:2])
    ):
        raise ZooError(
            "Plugin 'cyclegan' translates between images of one size, whose sides are multiples of 4 from 8 on; the "
            f"field 'source' is {shapes['source']}, samples are {shapes['samples']}. Choose images with --image-size."
        )
    if recipe.identity_weight and shapes["source"] != shapes["samples"]:
        raise ZooError(
            f"Plugin 'cyclegan' can't ask a translator to leave images as they are that have {shapes['source'][-1]} "
            f"channels on one side and {sample_shape[-1]} on the other. Use --set identity_weight=0."
        )
    return shapes


def translator(start: tuple[int, ...], end: tuple[int, ...], recipe: CycleganRecipe, name: str) -> keras.Model:
    """ResNet between images: a quarter of the size for the blocks, then back (appendix 7.2)."""
    images = keras.Input(start)
    width, blocks = recipe.width, recipe.residual_blocks or (9 if min(start[:2]) >= 256 else 6)
    x: Any = layers.instance_relu(layers.plain_convolution(width, 7, weights())(layers.ReflectionPadding2D(3)(images)))
    for multiple in (2, 4):
        halving = layers.plain_convolution(width * multiple, 3, weights(), strides=2)
        x = layers.instance_relu(halving(keras.layers.ZeroPadding2D()(x)))
    for _ in range(blocks):
        x = layers.translating_block(x, weights())
    for multiple in (2, 1):
        settings: dict[str, Any] = {"strides": 2, "use_bias": False, "kernel_initializer": weights()}
        x = keras.layers.Conv2DTranspose(width * multiple, 3, **settings)(x)
        x = layers.instance_relu(keras.layers.Cropping2D(((1, 0), (1, 0)))(x))  # as torch's padding=1, output_padding=1
    x = keras.layers.Conv2D(end[-1], 7, kernel_initializer=weights())(layers.ReflectionPadding2D(3)(x))
    return keras.Model(images, keras.layers.Activation("tanh")(x), name=name)


def critic(shape: tuple[int, ...], recipe: CycleganRecipe, name: str) -> keras.Model:
    """PatchGAN (appendix 7.2): images to features and logits (B, h, w, 1) of patches."""
    images = keras.Input(shape)
    kind = recipe.discriminator_normalization
    settings = {"affine": False} if kind == "instance" else {}
    return keras.Model(
        images, list(layers.patch_critic(images, recipe.width, recipe.patch_layers, kind, settings)), name=name
    )


def weights() -> keras.initializers.Initializer:
    """Appendix 7.1: N(0, .02)."""
    return keras.initializers.RandomNormal(stddev=0.02)
