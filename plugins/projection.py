"""cGANs with Projection Discriminator (Miyato and Koyama 2018), https://arxiv.org/abs/1802.05637

Makes any stack class-conditional: the generator's batch normalizations get a scale and an offset for each class (de
Vries et al. 2017, https://arxiv.org/abs/1707.00683), and the discriminator's logits get <e_y, features>, e_y an
embedding of the label y (equation 3). The networks are those below: `dcgan+projection`, `dcgan+hinge+projection`.

Deviation: the features are what the discriminator below calls so, in DCGAN a flattened map; the paper's ResNet sums
over its positions (appendix).
"""

from collections.abc import Generator
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
    below = networks.inputs_of(model, "latents")
    given = {name: keras.Input(each.shape[1:], name=name, dtype=each.dtype) for name, each in below.items()}
    labels = given.setdefault(LABELS, keras.Input((), name=LABELS, dtype="int32"))
    replaced = []

    def conditioned(layer: keras.Layer) -> keras.Layer:
        """The layer anew, as the conditional one where it normalizes batches."""
        if type(layer) is not layers.BatchNormalization:
            return type(layer).from_config(layer.get_config())
        replaced.append(layer.name)
        kept = {name: each for name, each in layer.get_config().items() if name not in ("affine", "name")}
        return layers.ConditionalBatchNormalization.from_config({**kept, "classes": wanted(classes)})

    def called(layer: keras.Layer, *inputs: Any, **settings: Any) -> Any:
        """What the layer makes of its inputs, and of the labels."""
        if isinstance(layer, layers.ConditionalBatchNormalization):
            return layer([*inputs, labels], **settings)
        return layer(*inputs, **settings)

    taken = {LABELS: labels, **below}  # the model below may ignore labels, which are then an input all the same
    known = keras.Model(list(taken.values()), model.output)
    anew = keras.models.clone_model(known, [given[name] for name in taken], conditioned, called)
    if not replaced:
        raise ZooError(
            f"Plugin 'projection' finds no zoo.layers.BatchNormalization in the generator '{model.name}' to give "
            "classes to. Put it on networks that have some, such as dcgan or vanilla."
        )
    return keras.Model(given, anew.output, name=model.name)


@hookimpl(wrapper=True)
def discriminator(classes: int | None, recipe: ProjectionRecipe) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below, <e_y, features> added to its logits (B, 1)."""
    model = yield
    features = networks.features_of(model)
    logits = networks.outputs_of(model, "logits")["logits"]
    if len(features.shape) != 2 or logits.shape[1:] != (1,):
        raise ZooError(
            "Plugin 'projection' needs features (B, F) and one logit; the discriminator below has features "
            f"{features.shape} and logits {logits.shape}."
        )
    labels = networks.input_of(model, LABELS, dtype="int32")
    spectral = recipe.discriminator_normalization == "spectral"
    projected = layers.projected(logits, features, labels, wanted(classes), spectral)
    return networks.extended(model, {LABELS: labels}, {"logits": projected})


def wanted(classes: int | None) -> int:
    """How many classes there are, if there are any."""
    if classes is None:
        raise ZooError("Plugin 'projection' needs classes, and the dataset has none. Choose a labelled dataset.")
    return classes
