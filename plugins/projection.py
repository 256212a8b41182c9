"""cGANs with Projection Discriminator (Miyato and Koyama 2018), https://arxiv.org/abs/1802.05637

Makes any stack class-conditional: the generator's batch normalizations get a scale and an offset for each class (de
Vries et al. 2017, https://arxiv.org/abs/1707.00683), and the discriminator's logits get <e_y, features>, e_y an
embedding of the label y (equation 3). The networks are those below: `dcgan+projection`, `dcgan+hinge+projection`.

When to use it: first where classes matter: it costs next to nothing on any network. Classes of few images profit from
`reacgan`.

Deviation: the features are what the discriminator below calls so, in DCGAN a flattened map; the paper's ResNet sums
over its positions (appendix).
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo import Recipe, ZooError, hookimpl, layers, networks
from zoo.recipe import Normalization

LABELS = "labels"


@dataclass(frozen=True)
class ProjectionRecipe(Recipe):
    """Section 5: Adam at 2e-4 without first momentum, five discriminator updates, spectral normalization."""

    critic_steps: int = 5
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "spectral"


@hookimpl
def recipe() -> ProjectionRecipe:
    """The paper's values."""
    return ProjectionRecipe()


@hookimpl(wrapper=True)
def generator(classes: int | None) -> Generator[None, keras.Model, keras.Model]:
    """The generator below, anew, each batch normalization with a scale and an offset for each class."""
    model = yield
    return layers.class_normalized("projection", model, classes)


@hookimpl(wrapper=True)
def discriminator(
    classes: int | None, fields: Mapping[str, Any], recipe: ProjectionRecipe
) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below, <e_y, features> added to its logits (B, 1)."""
    model = yield
    wanted = layers.classes_to_judge("projection", classes, fields, model)
    features = networks.features_of(model)
    logits = networks.outputs_of(model, "logits")["logits"]
    if len(features.shape) != 2 or logits.shape[1:] != (1,):
        raise ZooError(
            "Plugin 'projection' needs features (B, F) and one logit; the discriminator below has features "
            f"{features.shape} and logits {logits.shape}."
        )
    labels = networks.input_of(model, LABELS, dtype="int32")
    spectral = recipe.discriminator_normalization == "spectral"
    projected = layers.projected(logits, features, labels, wanted, spectral)
    return networks.extended(model, {LABELS: labels}, {"logits": projected})
