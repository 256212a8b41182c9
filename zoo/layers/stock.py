"""A trained generator in Keras' own layers alone, so that its file opens where there is no zoo.

In inference the zoo's normalizations compute what Keras' do, up to rounding: what they do better is their gradients.
"""

from collections.abc import Callable
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
    pairs: list[tuple[keras.Layer, keras.Layer]] = []

    def replaced(layer: keras.Layer) -> keras.Layer:
        if equal := EQUALS.get(type(layer)):
            made = equal(layer, {"name": layer.name, "dtype": layer.dtype_policy})
        else:
            made = type(layer).from_config(layer.get_config())
        pairs.append((layer, made))
        return made

    copy = keras.models.clone_model(model, clone_function=replaced, recursive=True)
    with scope:
        values = [values_of(layer) for layer, _ in pairs]
    for (_, made), own in zip(pairs, values, strict=True):
        for variable, value in zip(getattr(made, "variables", ()), own, strict=True):
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
