"""Twin Auxiliary Classifiers GAN (Gong et al. 2019), https://arxiv.org/abs/1907.02690

An auxiliary classifier rewards samples that are far from all other classes, so that classes lose their common parts. A
twin of it, that learns the classes of generated samples alone, is to be fooled by the generator: together they measure
how far the conditional distributions of real and generated samples are apart (theorem 2). Generated samples never teach
the first classifier. On any loss: `dcgan+hinge+tacgan`.

When to use it: where classes overlap; where they don't, `acgan` makes the same.

Deviation: the networks are those below (class-conditional batch normalization in the generator, as in the paper's
BigGAN).
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, hookimpl, layers, losses
from zoo.recipe import Normalization

TWIN = "twin_classes"


@dataclass(frozen=True)
class TacganRecipe(Recipe):
    """The authors' code for CIFAR-100: batches of 100, two discriminator updates, Adam at 2e-4 without momentum."""

    batch_size: int = 100
    critic_steps: int = 2
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.999
    discriminator_normalization: Normalization = "spectral"
    tacgan_weight: float = 1.0  # of both classifiers in both players


@hookimpl
def recipe() -> TacganRecipe:
    """The paper's values."""
    return TacganRecipe()


@hookimpl(wrapper=True)
def generator(classes: int | None) -> Generator[None, keras.Model, keras.Model]:
    """The generator below, anew, each batch normalization with a scale and an offset for each class."""
    model = yield
    return layers.class_normalized("tacgan", model, classes)


@hookimpl(wrapper=True)
def discriminator(
    classes: int | None, fields: Mapping[str, Any], recipe: TacganRecipe
) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below with logits (B, K) of the classes, and those of the twin."""
    model = yield
    spectral = recipe.discriminator_normalization == "spectral"
    return layers.with_classifiers("tacgan", model, classes, fields, spectral, ("classes", TWIN))


@hookimpl
def discriminator_penalty(
    real_outputs: Mapping[str, Any],
    fake_outputs: Mapping[str, Any],
    real_labels: Any,
    fake_labels: Any,
    recipe: TacganRecipe,
) -> Any:
    """Equation 5: weight * (E[-log C(y|x)] + E[-log C'(y|G(z, y))]), C' the twin."""
    real = losses.class_cross_entropy(real_outputs["classes"], real_labels)
    return recipe.tacgan_weight * (real + losses.class_cross_entropy(fake_outputs[TWIN], fake_labels))


@hookimpl
def generator_penalty(fake_outputs: Mapping[str, Any], fake_labels: Any, recipe: TacganRecipe) -> Any:
    """Equation 5: weight * (E[-log C(y|G(z, y))] - E[-log C'(y|G(z, y))])."""
    own, twin = (losses.class_cross_entropy(fake_outputs[name], fake_labels) for name in ("classes", TWIN))
    return recipe.tacgan_weight * (own - twin)
