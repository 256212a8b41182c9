"""Players of any stack that are built once more so that they know of labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from zoo import networks
from zoo.errors import NoLabels, ZooError
from zoo.layers.conditional import ConditionalBatchNormalization
from zoo.layers.exact import Tensor
from zoo.layers.normalization import BatchNormalization
from zoo.layers.spectral import spectral_where

LATENTS, SAMPLES, LABELS = "latents", "samples", "labels"
CLASSES, EMBEDDING, PROXY = "classes", "embedding", "proxy"  # heads of a discriminator


def classes_to_judge(plugin: str, classes: int | None, fields: Mapping[str, Any], discriminator: keras.Model) -> int:
    """How many classes there are, for a plugin that makes this discriminator judge them.

    Raises ZooError where there are none, where it judges them already, and where it judges several samples at once.
    """
    if classes is None:
        raise NoLabels(f"Plugin '{plugin}'")
    inputs = networks.inputs_of(discriminator, SAMPLES)
    known = [f"takes '{name}'" for name in inputs if name == LABELS]
    known += [
        f"answers '{name}'" for name in networks.outputs_of(discriminator, "logits") if name in (CLASSES, EMBEDDING)
    ]
    if known:
        raise ZooError(
            f"Plugin '{plugin}' brings a conditional loss, and the discriminator '{discriminator.name}' below it has "
            f"one already: it {' and '.join(known)}. Use one of the two; zoo list plugins shows which are conditional."
        )
    if inputs[SAMPLES].shape[1:] != fields[SAMPLES].shape:
        raise ZooError(
            f"Plugin '{plugin}' judges the class of each sample, and this stack's discriminator sees several at once: "
            f"{tuple(inputs[SAMPLES].shape[1:])} of samples {fields[SAMPLES].shape}. Leave one of the two out."
        )
    return classes


def label_input() -> Any:
    """A symbolic input for labels (B,)."""
    return keras.Input((), name=LABELS, dtype="int32")


def one_hot(classes: int, labels: Tensor) -> Tensor:
    """Symbolic labels (B,) as vectors (B, classes)."""
    return keras.layers.CategoryEncoding(classes, output_mode="one_hot")(labels)


def joined_latents(
    plugin: str, model: keras.Model, further: Mapping[str, Any], vector: Callable[[Mapping[str, Any]], Tensor]
) -> keras.Model:
    """The generator with `further` symbolic inputs, of which a `vector` (B, K) is joined to its latents (B, Z).

    Its first layers are that much wider. `vector` is given all inputs by name.
    """
    inputs = networks.fresh_inputs(model, LATENTS, further)
    if LATENTS not in inputs:
        raise ZooError(
            f"Plugin '{plugin}' joins what it adds to the generator's latents, and '{model.name}' takes "
            f"{', '.join(networks.inputs_of(model, LATENTS))}. Put it on networks that take latents."
        )
    joined = keras.layers.Concatenate()([inputs[LATENTS], vector(inputs)])
    wider: dict[int, keras.Layer] = {}

    def called(layer: keras.Layer, *tensors: Any, **settings: Any) -> Any:
        """The layer's answer to the joined latents in the place of the latents."""
        tensors = in_place_of(inputs[LATENTS], joined, tensors)
        if isinstance(layer, keras.Model) and len(tensors) == 1:
            layer = wider.setdefault(id(layer), networks.for_shape(layer, tensors[0].shape[1:]))
        return layer(*tensors, **settings)

    try:
        return networks.rebuilt(model, LATENTS, inputs, networks.again, called)
    except ValueError as error:
        raise ZooError(
            f"Plugin '{plugin}' joins what it adds to the generator's latents, and a layer of '{model.name}' takes no "
            f"more than the {inputs[LATENTS].shape[-1]} that it was made for. Put it on networks that take any number."
        ) from error


def labels_with_latents(plugin: str, model: keras.Model, classes: int | None) -> keras.Model:
    """The generator with an input `labels`, joined to its latents as one number for each class."""
    if classes is None:
        raise NoLabels(f"Plugin '{plugin}'")
    return joined_latents(plugin, model, {LABELS: label_input()}, lambda inputs: one_hot(classes, inputs[LABELS]))


def labels_with_samples(model: keras.Model, classes: int) -> keras.Model:
    """The discriminator with an input `labels`, joined to the samples that it judges.

    As maps beside the channels of images, as coordinates of points, and where images are flattened first, behind them.
    """
    inputs = networks.fresh_inputs(model, SAMPLES, {LABELS: label_input()})
    samples, vector = inputs[SAMPLES], one_hot(classes, inputs[LABELS])
    if len(samples.shape) == 4:
        maps = keras.layers.UpSampling2D(samples.shape[1:3])(keras.layers.Reshape((1, 1, classes))(vector))
        joined = keras.layers.Concatenate()([samples, maps])
    else:
        joined = keras.layers.Concatenate()([samples, vector])

    def called(layer: keras.Layer, *tensors: Any, **settings: Any) -> Any:
        """The layer's answer to samples with labels."""
        if isinstance(layer, keras.layers.Flatten) and tensors[0] is samples:
            return keras.layers.Concatenate()([layer(samples), vector])
        return layer(*in_place_of(samples, joined, tensors), **settings)

    return networks.rebuilt(model, SAMPLES, inputs, networks.again, called)


def in_place_of(old: Tensor, new: Tensor, tensors: Any) -> Any:
    """The arguments of a layer with one symbolic tensor in the place of another."""
    return keras.tree.map_structure(lambda each: new if each is old else each, tensors)


def class_normalized(plugin: str, model: keras.Model, classes: int | None) -> keras.Model:
    """The generator with an input `labels`, each of its batch normalizations with a scale and an offset for each class.

    de Vries et al. 2017 (https://arxiv.org/abs/1707.00683). Raises ZooError where there are none.
    """
    if classes is None:
        raise NoLabels(f"Plugin '{plugin}'")
    inputs = networks.fresh_inputs(model, LATENTS, {LABELS: label_input()})
    replaced = []

    def conditioned(layer: keras.Layer) -> keras.Layer:
        """The layer anew, as the conditional one where it normalizes batches."""
        if type(layer) is not BatchNormalization:
            return networks.again(layer)
        replaced.append(layer.name)
        kept = {name: each for name, each in layer.get_config().items() if name not in ("affine", "name")}
        return ConditionalBatchNormalization.from_config({**kept, "classes": classes})

    def called(layer: keras.Layer, *tensors: Any, **settings: Any) -> Any:
        """What the layer makes of its inputs, and of the labels."""
        if isinstance(layer, ConditionalBatchNormalization):
            return layer([*tensors, inputs[LABELS]], **settings)
        return layer(*tensors, **settings)

    anew = networks.rebuilt(model, LATENTS, inputs, conditioned, called)
    if not replaced:
        raise ZooError(
            f"Plugin '{plugin}' finds no zoo.layers.BatchNormalization in the generator '{model.name}' to "
            "give classes to. Put it on networks that have some."
        )
    return anew


def with_classifiers(
    plugin: str,
    model: keras.Model,
    classes: int | None,
    fields: Mapping[str, Any],
    is_spectral: bool,
    names: Sequence[str] = (CLASSES,),
) -> keras.Model:
    """The discriminator with a further head of each name: logits of the classes, (B, K), linear in its features."""
    wanted = classes_to_judge(plugin, classes, fields, model)
    heads = {
        name: spectral_where(is_spectral, keras.layers.Dense(wanted))(features)
        for name, features in zip(names, networks.branches(model, len(names)), strict=True)
    }
    return networks.extended(model, outputs=heads)


def with_embedding(model: keras.Model, classes: int, size: int, is_spectral: bool) -> keras.Model:
    """The discriminator with labels and two more heads, (B, size) each: `embedding`, a linear map of its features, and
    `proxy`, a learned vector for the label (Kang and Park 2020, https://arxiv.org/abs/2006.12681, section 3.2).
    """
    labels = label_input()
    [features] = networks.branches(model)
    embedding = spectral_where(is_spectral, keras.layers.Dense(size))(features)
    table = keras.layers.Embedding(classes, size, embeddings_initializer="glorot_uniform")
    proxy = spectral_where(is_spectral, table)(labels)
    return networks.extended(model, {LABELS: labels}, {EMBEDDING: embedding, PROXY: proxy})
