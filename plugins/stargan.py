"""StarGAN, one generator for all domains (Choi et al. 2017), https://arxiv.org/abs/1711.09020

It changes samples to what is asked of them: another class, or other attributes where the dataset has a field of that
name, a vector of zeros and ones such as hair colours and sex: `--label Smiling,Male` of CelebA. `--class NAME` asks
`zoo translate` and `zoo sample` for a class, `--condition Smiling=1 --condition Male=0` for attributes.

Section 3.3's mask vectors for several datasets at once are left out.

When to use it: to change one image in named respects, where sets have classes or attributes and pairs do not exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, losses
from zoo.layers import InstanceNormalization

LOSS_FAMILY = "wasserstein"
SLOPE = 0.01  # of the leaky ReLU
ATTRIBUTES, TARGETS, LABELS = "attributes", "targets", "labels"


@dataclass(frozen=True)
class StarganRecipe(Recipe):
    """Section 5: batches of 16, Adam at 1e-4 (momentum .5), five discriminator updates, penalties weighted by 10.

    `horizon` is the paper's 200,000 updates of the discriminator in images, best as many as the run sees: rates are
    constant in its first half and fall to 0 in the second. A longer run learns nothing after it, at rates of 0; a
    shorter one ends while they are higher. With the default of 0 they stay.
    """

    batch_size: int = 16
    critic_steps: int = 5
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.5
    width: int = 64  # channels at the image's size, and of the discriminator's first layer
    residual_blocks: int = 6
    gradient_penalty: float = 10.0
    class_weight: float = 1.0
    reconstruction_weight: float = 10.0


@hookimpl
def recipe() -> StarganRecipe:
    """The paper's values."""
    return StarganRecipe()


@hookimpl
def latents(real_batch: Mapping[str, Any], seed: keras.random.SeedGenerator) -> dict[str, Any]:
    """The attributes of other images of the batch; classes are drawn by their frequencies."""
    if ATTRIBUTES not in real_batch:
        return {}
    attributes = real_batch[ATTRIBUTES]
    order = ops.argsort(keras.random.uniform((ops.shape(attributes)[0],), seed=seed))
    return {TARGETS: ops.take(attributes, order, axis=0)}


@hookimpl
def schedule(images_seen: Any, recipe: StarganRecipe) -> dict[str, Any]:
    """Constant rates, then a linear way to 0; nothing without a horizon."""
    return losses.falling_rates(images_seen, recipe)


@hookimpl
def generator(
    sample_shape: tuple[int, ...], classes: int | None, fields: Mapping[str, Any], recipe: StarganRecipe
) -> keras.Model:
    """ResNet on the image beside maps of what is asked of it (appendix 7.2)."""
    check_shape(sample_shape)
    check_domains(classes, fields)
    samples = keras.Input(sample_shape, name="samples")
    height, width, channels = sample_shape
    if ATTRIBUTES in fields:
        wanted = keras.Input(fields[ATTRIBUTES].shape, name=TARGETS)
        x: Any = wanted
    else:
        wanted = keras.Input((), name=LABELS, dtype="int32")
        x = keras.layers.CategoryEncoding(classes or 1, output_mode="one_hot")(wanted)
    x = keras.layers.UpSampling2D((height, width))(keras.layers.Reshape((1, 1, -1))(x))
    x = keras.layers.Concatenate()([samples, x])
    # zero padding: reflected maps of constants would vanish in the normalization
    x = activated(keras.layers.Conv2D(recipe.width, 7, padding="same", use_bias=False)(x))
    for multiple in (2, 4):
        x = activated(keras.layers.Conv2D(multiple * recipe.width, 4, strides=2, padding="same", use_bias=False)(x))
    for _ in range(recipe.residual_blocks):
        inner = activated(keras.layers.Conv2D(4 * recipe.width, 3, padding="same", use_bias=False)(x))
        inner = InstanceNormalization()(keras.layers.Conv2D(4 * recipe.width, 3, padding="same", use_bias=False)(inner))
        x = keras.layers.Add()([x, inner])
    for multiple in (2, 1):
        up = keras.layers.Conv2DTranspose(multiple * recipe.width, 4, strides=2, padding="same", use_bias=False)
        x = activated(up(x))
    x = keras.layers.Conv2D(channels, 7, padding="same", use_bias=False, activation="tanh")(x)
    return keras.Model({"samples": samples, wanted.name: wanted}, x, name="generator")


@hookimpl
def discriminator(
    sample_shape: tuple[int, ...], classes: int | None, fields: Mapping[str, Any], recipe: StarganRecipe
) -> keras.Model:
    """Strided convolutions to a map of about 2 x 2, with logits of patches and of classes (appendix 7.2)."""
    check_shape(sample_shape)
    samples = keras.Input(sample_shape, name="samples")
    x: Any = samples
    halvings = (max(sample_shape[:2]) - 1).bit_length() - 1
    for level in range(halvings):
        x = keras.layers.Conv2D(recipe.width * 2**level, 4, strides=2, padding="same")(x)
        x = keras.layers.LeakyReLU(SLOPE, name="features" if level == halvings - 1 else None)(x)
    logits = keras.layers.Conv2D(1, 3, padding="same", use_bias=False)(x)
    kinds = fields[ATTRIBUTES].shape[0] if ATTRIBUTES in fields else classes or 1
    found = keras.layers.Conv2D(kinds, x.shape[1:3], use_bias=False)(x)
    outputs = {"logits": logits, "classes": keras.layers.Flatten()(found)}
    return keras.Model({"samples": samples}, outputs, name="discriminator")


discriminator_loss = hookimpl(losses.wasserstein_critic_loss)
generator_loss = hookimpl(losses.wasserstein_generator_loss)


@hookimpl
def discriminator_penalty(
    batch: Mapping[str, Any],
    real_outputs: Mapping[str, Any],
    fake_samples: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: StarganRecipe,
) -> Any:
    """Equations 2 and 8: the classes of real images, and gradients of norm 1 between real and changed ones."""
    points = losses.between(batch["samples"], fake_samples, seed)
    penalty = recipe.gradient_penalty * losses.off_unit(gradients(discriminate, points))
    return penalty + recipe.class_weight * classification(real_outputs["classes"], own(batch))


@hookimpl
def generator_penalty(
    batch: Mapping[str, Any],
    latents: Mapping[str, Any],
    fake_samples: Any,
    fake_outputs: Mapping[str, Any],
    generate: Callable[[Any], Any],
    recipe: StarganRecipe,
) -> Any:
    """Equations 3 and 4: the classes that were asked for, and the way back to the image."""
    name = TARGETS if TARGETS in latents else LABELS
    back = generate({"samples": fake_samples, name: own(batch)})
    penalty = recipe.class_weight * classification(fake_outputs["classes"], latents[name])
    return penalty + recipe.reconstruction_weight * ops.mean(ops.abs(batch["samples"] - back))


def own(batch: Mapping[str, Any]) -> Any:
    """What real images are: their attributes (B, K) or classes (B,)."""
    return batch[ATTRIBUTES] if ATTRIBUTES in batch else batch[LABELS]


def classification(logits: Any, wanted: Any) -> Any:
    """Cross-entropy of logits (B, K), its mean over images: of classes (B,), or the sum over attributes (B, K)."""
    if len(wanted.shape) == 2:
        return ops.mean(ops.sum(ops.softplus(logits) - wanted * logits, axis=-1))
    return losses.class_cross_entropy(logits, wanted)


def check_domains(classes: int | None, fields: Mapping[str, Any]) -> None:
    """Raises ZooError for data of which there is nothing to ask."""
    if ATTRIBUTES not in fields and (classes or 1) < 2:
        raise ZooError(
            "Plugin 'stargan' needs a dataset of two classes or more, or with a field 'attributes' of zeros and ones. "
            "Choose one with --label, or with folders of classes."
        )


def check_shape(sample_shape: tuple[int, ...]) -> None:
    """Raises ZooError for samples that can't be halved twice."""
    if len(sample_shape) != 3 or any(side % 4 or side < 8 for side in sample_shape[:2]):
        raise ZooError(
            "Plugin 'stargan' changes images whose sides are multiples of 4 from 8 on; these samples are "
            f"{tuple(sample_shape)}. Choose images with --image-size."
        )


def activated(x: Any) -> Any:
    """Instance normalization, then ReLU."""
    return keras.layers.ReLU()(InstanceNormalization()(x))
