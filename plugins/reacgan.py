"""ReACGAN, a rebooted ACGAN (Kang et al. 2021), https://arxiv.org/abs/2111.01118

The data-to-data cross-entropy: a classifier on the unit sphere, in which samples of other classes in the batch take the
place of other classes' weights. A sample near enough to its proxy (`reacgan_margin`) is left alone, and so are samples
of other classes that are far enough from it: easy ones teach nothing, and gradients stay bounded where ACGAN's explode
early. The discriminator learns it of real samples, the generator of its own. On any loss: `dcgan+hinge+reacgan`.

    -log [e^(p / T) / (e^(p / T) + sum over samples of other classes of e^(n / T))]
    p = min(l.w - m, 0), n = max(l.l' - (1 - m), 0)

l, l' are embeddings and w the proxy of the class, all of length 1 (equation 8). On several devices TensorFlow compares
the samples of each device's share.

When to use it: first where classes matter and are many, or have few images each.

Deviation: the networks are those below (class-conditional batch normalization in the generator, as in the paper's
BigGAN). The authors' code subtracts a row's maximum from the exponents of other classes alone; this is the paper's
value.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses
from zoo.recipe import Normalization

NOTHING = -1e9  # the logarithm of what a masked term adds


@dataclass(frozen=True)
class ReacganRecipe(Recipe):
    """The authors' code for CIFAR-10: batches of 128, five discriminator updates, Adam at 2.8e-4 (.5, .999)."""

    batch_size: int = 128
    critic_steps: int = 5
    generator_learning_rate: float = 2.83e-4
    discriminator_learning_rate: float = 2.83e-4
    beta_1: float = 0.5
    beta_2: float = 0.999
    discriminator_normalization: Normalization = "spectral"
    reacgan_weight: float = 0.5
    reacgan_margin: float = 0.98  # the cosine to its proxy from which on a sample is left alone, m
    reacgan_temperature: float = 0.5  # T
    reacgan_size: int = 512  # numbers of an embedding


@hookimpl
def recipe() -> ReacganRecipe:
    """The paper's values."""
    return ReacganRecipe()


@hookimpl(wrapper=True)
def generator(classes: int | None) -> Generator[None, keras.Model, keras.Model]:
    """The generator below, anew, each batch normalization with a scale and an offset for each class."""
    model = yield
    return layers.class_normalized("reacgan", model, classes)


@hookimpl(wrapper=True)
def discriminator(
    classes: int | None, fields: Mapping[str, Any], recipe: ReacganRecipe
) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below with an embedding of samples and the proxy of their labels, (B, F) each."""
    model = yield
    wanted = layers.classes_to_judge("reacgan", classes, fields, model)
    spectral = recipe.discriminator_normalization == "spectral"
    return layers.with_embedding(model, wanted, recipe.reacgan_size, spectral)


@hookimpl
def discriminator_penalty(real_outputs: Mapping[str, Any], real_labels: Any, recipe: ReacganRecipe) -> Any:
    """Equation 8: weight * the data-to-data cross-entropy of real samples."""
    return recipe.reacgan_weight * data_to_data(real_outputs, real_labels, recipe)


@hookimpl
def generator_penalty(fake_outputs: Mapping[str, Any], fake_labels: Any, recipe: ReacganRecipe) -> Any:
    """Equation 8: weight * the data-to-data cross-entropy of generated samples."""
    return recipe.reacgan_weight * data_to_data(fake_outputs, fake_labels, recipe)


def data_to_data(outputs: Mapping[str, Any], labels: Any, recipe: ReacganRecipe) -> Any:
    """Equation 8, its mean over the batch; 0 where all samples are of one class."""
    near = losses.cosines(outputs["embedding"], outputs["proxy"], labels)
    margin, temperature = recipe.reacgan_margin, recipe.reacgan_temperature
    own = ops.minimum(near.to_proxy - margin, 0) / temperature
    others = ops.maximum(near.to_others - (1 - margin), 0) / temperature + NOTHING * near.same
    exponents = ops.concatenate([ops.expand_dims(own, -1), others], axis=-1)
    return ops.mean(ops.logsumexp(exponents, axis=-1) - own)
