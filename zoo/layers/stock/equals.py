"""What the equals of layers are made with, and the table of them all."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.keras_internals import tensors_before
from zoo.layers.spectral import SpectralNormalization, kernels

Tensor = Any
Value = Callable[[keras.Variable], np.ndarray]
Equal = Callable[[Any, Any, Value], Any]
EQUALS: dict[type, Equal] = {}
NOISES: set[type] = set()  # the layers in it that draw in inference, too


def stock_equal(kind: type, is_noise: bool = False) -> Callable[[Equal], Equal]:
    """Make a function the equal of a kind of layer, not of its subclasses.

    It is given the layer, its symbolic inputs and what tells a variable's value, and returns the symbolic outputs that
    the layer has in inference, by layers and operations of Keras' own. Weights are in layers: operations are written
    down as text.
    """

    def known(function: Equal) -> Equal:
        EQUALS[kind] = function
        if is_noise:
            NOISES.add(kind)
        return function

    return known


def equal_of(layer: keras.Layer, value: Value) -> keras.Layer:
    """A layer of Keras', or a model of some, that computes in inference what this one does."""
    tensors = [keras.Input(each.shape[1:], dtype=each.dtype) for each in tensors_before(layer, 0)]
    inputs = tensors if len(tensors) > 1 else tensors[0]
    model = keras.Model(inputs, EQUALS[type(layer)](layer, inputs, value), name=layer.name)
    inside = [each for each in model.operations if not isinstance(each, keras.layers.InputLayer)]
    is_alone = len(inside) == 1 and isinstance(inside[0], keras.Layer) and inside[0].name == layer.name
    return inside[0] if is_alone else model


def filled(layer: keras.Layer, inputs: Tensor, weights: Iterable[Any]) -> Tensor:
    """What a stock layer answers that has these weights."""
    outputs = layer(inputs)
    layer.set_weights([np.asarray(each) for each in weights])
    return outputs


def weights_of(layer: keras.Layer, value: Value) -> list[np.ndarray]:
    """A layer's weights; those inside of a spectral normalization, divided once and for all."""
    if not isinstance(layer, SpectralNormalization):
        return [value(each) for each in layer.weights]
    divided = {
        id(kernel): layer.divided(ops.convert_to_tensor(value(kernel)), axes, value(vector), training=False)
        for (kernel, axes), vector in zip(kernels(layer.layer), layer.singular_vectors, strict=True)
    }
    return [
        ops.convert_to_numpy(divided[id(each)]) if id(each) in divided else value(each) for each in layer.layer.weights
    ]


def common(layer: keras.Layer) -> dict[str, Any]:
    """The settings of the one stock layer that takes a layer's place."""
    return {"name": layer.name, "dtype": layer.dtype_policy}


def constant(layer: keras.Layer, inputs: Tensor, value: Any, name: str) -> Tensor:
    """A value (...) that depends on no input, once for each sample of the inputs: (B, ...).

    It is a row of an embedding, the only stock layer whose weights alone decide what it answers.
    """
    value = np.asarray(value)
    first = inputs[(slice(None), *(0,) * (len(inputs.shape) - 1))]
    table = keras.layers.Embedding(1, value.size, name=name, dtype=layer.variable_dtype)
    row = filled(table, ops.zeros_like(first, dtype="int32"), [value.reshape(1, -1)])
    return ops.reshape(row, (-1, *value.shape))


def product(equation: str, inputs: Tensor, kernel: Any, name: str, dtype: Any, bias: Any = None) -> Tensor:
    """Inputs times a constant as an equation of letters says, "bhwc,hi->biwc"; a bias goes along the last axis."""
    kernel = np.asarray(kernel)
    letters, answer = equation.split("->")
    of_inputs, of_kernel = letters.split(",")
    sizes = {
        **dict(zip(of_inputs, inputs.shape, strict=True)),
        **dict(zip(of_kernel, kernel.shape, strict=True)),
    }
    layer = keras.layers.EinsumDense(
        equation,
        tuple(sizes[each] for each in answer[1:]),
        bias_axes=None if bias is None else answer[-1],
        name=name,
        dtype=dtype,
    )
    return filled(layer, inputs, [kernel] if bias is None else [kernel, bias])
