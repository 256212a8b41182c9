"""Copies of networks in which some layers are others."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.keras_internals import every_layer
from zoo.layers.stock.equals import EQUALS, NOISES, Value, equal_of

OPEN = ("training", False)  # what Keras writes down of a call that names no mode
STOCK = "keras."  # how the module of a layer begins that every Keras has


def in_stock_layers(model: Any, scope: AbstractContextManager[Any], has_noise: bool = True) -> Any:
    """A copy of the model in which each layer that has an equal is replaced; the model itself where none is.

    The copy has the values that the model has in the scope. Layers that draw noise in inference stay unless
    `has_noise`: their equals draw where the mode of the call is left open, as in model(latents), not where it says
    training=False, as `predict` does.
    """
    kinds = set(EQUALS) if has_noise else set(EQUALS) - NOISES
    if not is_functional(model) or not any(type(each) in kinds for each in inner_layers(model)):
        return model

    with scope:
        known = {id(each): ops.convert_to_numpy(each) for layer in every_layer(model) for each in layer.variables}

    def value(variable: keras.Variable) -> np.ndarray:
        return known[id(variable)]

    return copied(model, lambda layer: equal_of(layer, value) if type(layer) in kinds else None, value)


def copied(
    model: Any,
    replaced: Callable[[keras.Layer], keras.Layer | None],
    value: Value = ops.convert_to_numpy,
) -> Any:
    """A copy of the model in which `replaced` gives a layer another one in its place, None for its like.

    Those alike have the values that `value` tells of the variables.
    """
    pairs: list[tuple[keras.Layer, keras.Layer]] = []

    def made(layer: keras.Layer) -> keras.Layer:
        other = replaced(layer)
        if other is not None:
            return other
        pairs.append((layer, type(layer).from_config(layer.get_config())))
        return pairs[-1][1]

    def called(operation: Any, *inputs: Any, **settings: Any) -> Any:
        """As before, but for a mode that was but the default: what draws in inference is given another."""
        return operation(*inputs, **{name: each for name, each in settings.items() if (name, each) != OPEN})

    further = {} if isinstance(model, keras.Sequential) else {"call_function": called}
    copy = keras.models.clone_model(model, clone_function=made, recursive=True, **further)
    for layer, own in pairs:
        # an operation has no variables
        for variable, like in zip(getattr(own, "variables", ()), getattr(layer, "variables", ()), strict=True):
            variable.assign(value(like))
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


def kinds_of(layers: Sequence[keras.Layer]) -> list[str]:
    """The kinds of these layers, by module and name."""
    return sorted({f"{type(each).__module__}.{type(each).__name__}" for each in layers})
