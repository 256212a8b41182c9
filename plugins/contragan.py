"""ContraGAN (Kang and Park 2020), https://arxiv.org/abs/2006.12681

The conditional contrastive loss: the discriminator embeds samples, and draws each one towards a proxy of its class and
towards the other samples of its class in the batch, away from the rest. So samples are compared with samples, not with
labels alone, and a classifier can't overfit. The discriminator learns it of real samples, the generator of its own. On
any loss: `dcgan+hinge+contragan`.

    -log [(e^(l.p/T) + sum over others of the class of e^(l.l'/T)) / (e^(l.p/T) + sum over all others of e^(l.l'/T))]

l, l' are embeddings and p the proxy, all of length 1 (equation 8). On several devices TensorFlow contrasts the samples
of each device's share.

When to use it: with large batches of not too many classes, since samples of a batch are its references; `reacgan` is
its successor. Look at the classes (`zoo evaluate RUN --metrics class-accuracy`): one term of the sum alone ties samples
to their own class's proxy, and in runs of 100,000 garments some classes came out in another's place.

Deviation: the networks are those below (class-conditional batch normalization in the generator, as in the paper's
BigGAN); the embedding is a linear map of the features.
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
class ContraganRecipe(Recipe):
    """The authors' code for CIFAR-10: batches of 64, five discriminator updates, Adam at 2e-4 (.5, .999)."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    beta_2: float = 0.999
    discriminator_normalization: Normalization = "spectral"
    contragan_weight: float = 1.0
    contragan_temperature: float = 1.0  # T
    contragan_size: int = 512  # numbers of an embedding


@hookimpl
def recipe() -> ContraganRecipe:
    """The paper's values."""
    return ContraganRecipe()


@hookimpl(wrapper=True)
def generator(classes: int | None) -> Generator[None, keras.Model, keras.Model]:
    """The generator below, anew, each batch normalization with a scale and an offset for each class."""
    model = yield
    return layers.class_normalized("contragan", model, classes)


@hookimpl(wrapper=True)
def discriminator(
    classes: int | None, fields: Mapping[str, Any], recipe: ContraganRecipe
) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below with an embedding of samples and the proxy of their labels, (B, F) each."""
    model = yield
    wanted = layers.classes_to_judge("contragan", classes, fields, model)
    spectral = recipe.discriminator_normalization == "spectral"
    return layers.with_embedding(model, wanted, recipe.contragan_size, spectral)


@hookimpl
def discriminator_penalty(real_outputs: Mapping[str, Any], real_labels: Any, recipe: ContraganRecipe) -> Any:
    """Equation 10: weight * the contrastive loss of real samples."""
    return recipe.contragan_weight * contrastive(real_outputs, real_labels, recipe.contragan_temperature)


@hookimpl
def generator_penalty(fake_outputs: Mapping[str, Any], fake_labels: Any, recipe: ContraganRecipe) -> Any:
    """Equation 11: weight * the contrastive loss of generated samples."""
    return recipe.contragan_weight * contrastive(fake_outputs, fake_labels, recipe.contragan_temperature)


def contrastive(outputs: Mapping[str, Any], labels: Any, temperature: float) -> Any:
    """Equation 8, its mean over the batch; 0 where all samples are of one class."""
    near = losses.cosines(outputs["embedding"], outputs["proxy"], labels)
    own = ops.expand_dims(near.to_proxy, -1) / temperature
    itself = ops.eye(near.same.shape[0], dtype=near.same.dtype)
    others = near.to_others / temperature + NOTHING * itself
    of_class = others + NOTHING * (1 - near.same)
    alike, all_of_them = (ops.logsumexp(ops.concatenate([own, each], -1), axis=-1) for each in (of_class, others))
    return ops.mean(all_of_them - alike)
