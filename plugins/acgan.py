"""Auxiliary Classifier GAN (Odena et al. 2016), https://arxiv.org/abs/1610.09585

The discriminator does not see labels but tells them: a second head on its features classifies real and generated
samples, and both players want it to be right (L_C of section 3, beside the loss L_S of the stack below). The generator
is given the label beside its latents, as in `cgan`. It makes the clearest samples of each class, the less various the
larger `acgan_weight` is: `tacgan` and `reacgan` mend that. On any loss: `dcgan+acgan`, `vanilla+acgan`.

When to use it: for clear samples of classes that are easily told apart, where variety within a class matters less.

Deviation: the networks are those below; dropout and noise before the discriminator's layers (table 1) are not added.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, hookimpl, layers, losses


@dataclass(frozen=True)
class AcganRecipe(Recipe):
    """Table 1: batches of 100, Adam at 2e-4 with a momentum of .5, one discriminator update."""

    batch_size: int = 100
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    acgan_weight: float = 1.0  # of L_C in both players


@hookimpl
def recipe() -> AcganRecipe:
    """The paper's values."""
    return AcganRecipe()


@hookimpl(wrapper=True)
def generator(classes: int | None) -> Generator[None, keras.Model, keras.Model]:
    """The generator below with the label (B,) beside its latents."""
    model = yield
    return layers.labels_with_latents("acgan", model, classes)


@hookimpl(wrapper=True)
def discriminator(
    classes: int | None, fields: Mapping[str, Any], recipe: AcganRecipe
) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below with logits of the classes, (B, K)."""
    model = yield
    spectral = recipe.discriminator_normalization == "spectral"
    return layers.with_classifiers("acgan", model, classes, fields, spectral)


@hookimpl
def discriminator_penalty(
    real_outputs: Mapping[str, Any],
    fake_outputs: Mapping[str, Any],
    real_labels: Any,
    fake_labels: Any,
    recipe: AcganRecipe,
) -> Any:
    """Equation 3: weight * (E[-log C(y|x)] + E[-log C(y|G(z, y))]), C the second head."""
    real, fake = (
        losses.class_cross_entropy(outputs["classes"], labels)
        for outputs, labels in ((real_outputs, real_labels), (fake_outputs, fake_labels))
    )
    return recipe.acgan_weight * (real + fake)


@hookimpl
def generator_penalty(fake_outputs: Mapping[str, Any], fake_labels: Any, recipe: AcganRecipe) -> Any:
    """Equation 3: weight * E[-log C(y|G(z, y))]."""
    return recipe.acgan_weight * losses.class_cross_entropy(fake_outputs["classes"], fake_labels)
