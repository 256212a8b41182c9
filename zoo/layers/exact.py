"""What the zoo's layers share: precision where it matters in mixed precision, and the shapes that they can take."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.errors import ZooError

Tensor = Any
Shape = tuple[int | None, ...]
PACKAGE = "zoo"  # under which saved models find these classes


class ExactLayer(keras.layers.Layer):
    """A layer that gets its inputs as they are, and whose own weights are float32 in mixed precision.

    What it computes exactly it computes by these; what comes out is rounded to the layer's `compute_dtype`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"autocast": False, **settings})

    def exact_weight(self, name: str, shape: Shape, initializer: Any, **settings: Any) -> keras.Variable:
        """A weight that mixed precision does not round when it is read."""
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False, **settings)

    def exact(self, inputs: Tensor) -> Tensor:
        """Inputs as precise as the weights are."""
        return ops.cast(inputs, self.variable_dtype)

    def rounded(self, outputs: Tensor) -> Tensor:
        """Outputs in the precision that the next layer computes in."""
        return ops.cast(outputs, self.compute_dtype)


def image_shape(layer: keras.Layer, shape: Shape) -> tuple[int, int, int]:
    """H, W and C of images (B, H, W, C). Raises ZooError for other shapes, and for sizes that are not known."""
    if len(shape) != 4 or None in shape[1:]:
        raise ZooError(
            f"{type(layer).__name__} needs images of shape (B, H, W, C) whose size is known; received {tuple(shape)}. "
            "Put it behind a convolution or a Reshape, and name the size in keras.Input."
        )
    height, width, channels = (int(size or 0) for size in shape[1:])
    return height, width, channels


def two_shapes(layer: keras.Layer, shapes: Sequence[Any], second: str) -> tuple[Shape, Shape]:
    """The shapes of a layer's two inputs. Raises ZooError where it was called with another number of them."""
    if len(shapes) != 2 or not all(isinstance(each, list | tuple) for each in shapes):
        raise ZooError(f"{type(layer).__name__} takes a list of two, as in layer([inputs, {second}]).")
    first, other = (tuple(each) for each in shapes)
    return first, other


def along_channels(vector: Tensor, dimensions: int) -> Tensor:
    """(B, C) as (B, 1, ..., 1, C) with that many dimensions, to scale or move (B, ..., C)."""
    return ops.reshape(vector, (-1, *(1,) * (dimensions - 2), vector.shape[-1]))


def moments(inputs: Tensor, axes: tuple[int, ...], keepdims: bool = True) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over the axes, every gradient kept."""
    mean = ops.mean(inputs, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(inputs - mean), axis=axes, keepdims=keepdims)
    return (mean if keepdims else ops.squeeze(mean, axis=axes)), variance
