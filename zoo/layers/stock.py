"""A trained generator in Keras' own layers alone, so that its file opens where there is no zoo.

In inference the zoo's normalizations compute what Keras' do, up to rounding: what they do better is their gradients.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.keras_internals import every_layer
from zoo.layers.normalization import (
    BatchNormalization,
    ChannelScaled,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
)
from zoo.layers.spectral import SpectralNormalization, kernels

Equal = Callable[[Any, dict[str, Any]], keras.Layer]
STOCK = "keras."  # how the module of a layer begins that every Keras has


def in_stock_layers(model: Any, scope: AbstractContextManager[Any]) -> Any:
    """A copy of the model in which each of the zoo's layers that has an equal is replaced; the model where none is.

    The copy has the values that the model has in the scope.
    """
    if not is_functional(model) or not any(type(each) in EQUALS for each in inner_layers(model)):
        return model

    def equal_of(layer: keras.Layer) -> keras.Layer | None:
        equal = EQUALS.get(type(layer))
        return equal(layer, {"name": layer.name, "dtype": layer.dtype_policy}) if equal else None

    def values(layer: keras.Layer) -> list[np.ndarray]:
        with scope:
            return values_of(layer)

    return copied(model, equal_of, values)


def copied(
    model: Any, replaced: Callable[[keras.Layer], keras.Layer | None], values: Callable[[keras.Layer], Sequence[Any]]
) -> Any:
    """A copy of the model in which `replaced` gives a layer another one in its place, None for its like.

    `values` are those of a layer of the model, in the order of the variables of what takes its place.
    """
    pairs: list[tuple[keras.Layer, keras.Layer]] = []

    def made(layer: keras.Layer) -> keras.Layer:
        pairs.append((layer, replaced(layer) or type(layer).from_config(layer.get_config())))
        return pairs[-1][1]

    copy = keras.models.clone_model(model, clone_function=made, recursive=True)
    for layer, own in pairs:
        for variable, value in zip(getattr(own, "variables", ()), values(layer), strict=True):
            variable.assign(value)
    return copy


def is_functional(model: Any) -> bool:
    """Whether Keras can copy the model layer by layer."""
    return isinstance(model, keras.Sequential) or hasattr(model, "operations")


def inner_layers(model: Any) -> list[keras.Layer]:
    """All layers of a model, those inside of its models and wrappers too."""
    return [each for each in every_layer(model) if not isinstance(each, keras.Model)]


def foreign_layers(model: Any) -> list[keras.Layer]:
    """The layers that plain Keras does not know."""
    return [each for each in inner_layers(model) if not type(each).__module__.startswith(STOCK)]


def values_of(layer: keras.Layer) -> list[np.ndarray]:
    """The layer's values in the order in which its equal has them."""
    if not isinstance(layer, SpectralNormalization):
        return [ops.convert_to_numpy(each) for each in getattr(layer, "variables", ())]  # an operation has none
    divided = {
        id(kernel): layer.divided(ops.convert_to_tensor(kernel), axes, vector, training=False)
        for (kernel, axes), vector in zip(kernels(layer.layer), layer.singular_vectors, strict=True)
    }
    return [ops.convert_to_numpy(divided.get(id(each), each)) for each in layer.layer.variables]


def batch(layer: BatchNormalization, common: dict[str, Any]) -> keras.Layer:
    """By moving statistics, as both do in inference."""
    return keras.layers.BatchNormalization(
        momentum=layer.momentum, epsilon=layer.epsilon, center=layer.affine, scale=layer.affine, **common
    )


def grouped(groups: Callable[[Any], int]) -> Equal:
    """Of so many groups of channels: one is all values of a sample, -1 a group for each channel."""

    def made(layer: ChannelScaled, common: dict[str, Any]) -> keras.Layer:
        return keras.layers.GroupNormalization(
            groups(layer), epsilon=layer.epsilon, center=layer.affine, scale=layer.affine, **common
        )

    return made


def unwrapped(layer: SpectralNormalization, common: dict[str, Any]) -> keras.Layer:
    """The layer inside, whose kernel is divided once and for all."""
    return type(layer.layer).from_config({**layer.layer.get_config(), "name": common["name"]})


EQUALS: dict[type, Equal] = {
    BatchNormalization: batch,
    LayerNormalization: grouped(lambda _: 1),
    InstanceNormalization: grouped(lambda _: -1),
    GroupNormalization: grouped(lambda layer: layer.group_count),
    SpectralNormalization: unwrapped,
}
