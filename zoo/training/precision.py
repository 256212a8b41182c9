"""What comes out of a model is float32 in any precision: samples, logits and whatever heads it has."""

from collections.abc import Iterator
from typing import Any

import keras

from zoo.backend.keras_internals import origin

SHAPING = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Permute, keras.layers.Concatenate)


def exact_outputs(model: Any) -> Any:
    """The model, its last layers computing in float32 in either precision: samples, logits and whatever heads it has.

    A logit in bfloat16 has three significant digits.
    """
    for tensor in keras.tree.flatten(outputs_or_none(model)):
        for layer in last_layers(tensor):
            if layer.compute_dtype == "bfloat16":
                layer.dtype_policy = "float32"
    return model


def outputs_or_none(model: Any) -> Any:
    """A model's symbolic outputs; nothing where it has none, which is refused later."""
    try:
        return model.output if isinstance(model, keras.Model) else ()
    except AttributeError:
        return ()


def last_layers(tensor: Any) -> Iterator[Any]:
    """The layers that compute a model's output, inside of models too, and those after them that only shape or add."""
    layer, _, index = origin(tensor)
    if isinstance(layer, keras.Model):  # the model below, which a wrapper has built upon
        yield from last_layers(keras.tree.flatten(layer.output)[index])
        return
    if isinstance(layer, keras.Layer):
        yield layer
    if isinstance(layer, (*SHAPING, keras.layers.Add)):
        for each in keras.tree.flatten(layer.input):
            yield from last_layers(each)
