"""Self-attention over the positions of an image."""

from typing import Any

import keras
from keras import ops

from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor, image_shape
from zoo.layers.spectral import spectral_where


@keras.saving.register_keras_serializable(package=PACKAGE)
class SelfAttention(ExactLayer):
    """Adds to each position what it finds at others: y = x + gamma o(softmax(q k') v), x (B, H, W, C).

    q, k, v and o are 1 x 1 convolutions without bias, to C/8, C/8, C/2 and back to C channels; the softmax goes over
    the keys, and nothing divides their products. gamma is one number and starts at 0: the layer starts as the identity.
    With `pooling`, keys and values are the maxima of 2 x 2 positions, as in the papers' code, not in their figures;
    `spectral` normalizes the four convolutions. Zhang et al. 2018 (https://arxiv.org/abs/1805.08318), section 3; Brock
    et al. 2018 (https://arxiv.org/abs/1809.11096), whose code has the C/2.
    """

    def __init__(self, spectral: bool = False, pooling: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self.spectral = spectral
        self.pooling = pooling

    def build(self, input_shape: Shape) -> None:
        """Make the four convolutions and gamma."""
        *_, channels = image_shape(self, input_shape)
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.query, self.key = self.convolution("query", narrow), self.convolution("key", narrow)
        self.value, self.output_convolution = self.convolution("value", half), self.convolution("output", channels)
        for each in (self.query, self.key, self.value):
            each.build(input_shape)
        self.output_convolution.build((*input_shape[:-1], half))
        self.gamma = self.exact_weight("gamma", (), "zeros")
        super().build(input_shape)

    def convolution(self, name: str, filters: int) -> keras.Layer:
        """A 1 x 1 convolution."""
        made = keras.layers.Conv2D(filters, 1, use_bias=False, dtype=self.dtype_policy, name=name)
        return spectral_where(self.spectral, made, dtype=self.dtype_policy)

    def call(self, inputs: Tensor) -> Tensor:
        """Attend, then add."""
        height, width, _ = image_shape(self, inputs.shape)
        images = self.rounded(inputs)
        keys, values = (positions(self.pooled(each(images))) for each in (self.key, self.value))
        scores = ops.matmul(positions(self.query(images)), ops.transpose(keys, (0, 2, 1)))
        shares = self.rounded(ops.softmax(self.exact(scores), axis=-1))  # (B, positions, keys)
        found = ops.matmul(shares, values)
        found = ops.reshape(found, (-1, height, width, found.shape[-1]))
        return self.rounded(self.exact(inputs) + self.gamma * self.exact(self.output_convolution(found)))

    def pooled(self, features: Tensor) -> Tensor:
        """The maxima of 2 x 2 positions, if they are wanted; an odd row or column at the end is left out."""
        return maxima(features) if self.pooling else features

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of x."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "spectral": self.spectral, "pooling": self.pooling}


def positions(features: Tensor) -> Tensor:
    """(B, H, W, C) as (B, H W, C)."""
    _, height, width, channels = features.shape
    return ops.reshape(features, (-1, height * width, channels))


def maxima(features: Tensor) -> Tensor:
    """Of squares of 2 x 2 positions.

    TensorFlow's own pooling has a second-order gradient under XLA that takes the wrong one of two positions which are
    equal in bfloat16, and none in bfloat16 itself.
    """
    _, height, width, channels = features.shape
    rows, columns = height // 2, width // 2
    squares = ops.reshape(features[:, : 2 * rows, : 2 * columns], (-1, rows, 2, columns, 2, channels))
    return ops.max(squares, axis=(2, 4))
