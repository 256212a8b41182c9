"""Copies of generators whose noise is drawn once and for all, for formats that can't draw."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.keras_internals import SEED_STATE, number_of_calls
from zoo.layers.stock import copied, inner_layers, is_functional

TOLERANCE = 1e-4  # of an affine layer, by which float32 rounds


class FixedNoise(keras.layers.Layer):
    """x * scale + shift, each (1, ...): what dropout and added noise are once they are drawn."""

    def build(self, shape: Sequence[int]) -> None:
        """Both are as large as a sample."""
        one = (1, *shape[1:])
        self.scale = self.add_weight(name="scale", shape=one, initializer="ones", trainable=False)
        self.shift = self.add_weight(name="shift", shape=one, initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale + self.shift


def with_fixed_noise(model: Any, states: np.ndarray) -> Any:
    """A copy of the model whose noise is what a sample alone draws by its seed generators' states, (generators, 2).

    A layer that draws is replaced where it is affine in each value of its one input; others stay.
    """
    if not is_functional(model):
        return model
    seeds = [each for each in model.non_trainable_variables if each.path.endswith(SEED_STATE)]
    for variable, state in zip(seeds, states, strict=True):
        variable.assign(state)
    drawn = {id(layer): found for layer in inner_layers(model) if (found := affine(layer)) is not None}

    def fixed(layer: keras.Layer) -> keras.Layer | None:
        if id(layer) not in drawn:
            return None
        made = FixedNoise(name=layer.name, dtype=layer.dtype_policy.name)
        made.build(layer.input.shape)
        made.set_weights(list(drawn[id(layer)]))
        return made

    return copied(model, fixed)


def affine(layer: keras.Layer) -> tuple[np.ndarray, np.ndarray] | None:
    """(scale, shift) of a layer that draws, as it draws now; None for one that does not, or is not affine."""
    own = [each for each in getattr(layer, "variables", ()) if each.path.endswith(SEED_STATE)]
    if (
        not own
        or number_of_calls(layer) != 1
        or isinstance(layer.input, list)
        or layer.input.shape != layer.output.shape
    ):
        return None
    before = [ops.convert_to_numpy(each) for each in own]
    shape = (1, *layer.input.shape[1:])

    def answer(values: np.ndarray) -> np.ndarray:
        for variable, state in zip(own, before, strict=True):
            variable.assign(state)
        made = ops.convert_to_numpy(layer(ops.convert_to_tensor(values.astype("float32")), training=False))
        for variable, state in zip(own, before, strict=True):
            variable.assign(state)
        return np.asarray(made)

    shift = answer(np.zeros(shape))
    scale = answer(np.ones(shape)) - shift
    tried = np.random.default_rng(0).normal(size=shape)
    return (scale, shift) if np.allclose(answer(tried), scale * tried + shift, atol=TOLERANCE) else None
