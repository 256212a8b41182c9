"""Transformers on a grid of tokens: attention that knows how far apart two places are, and where a token is."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError
from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor

LONGEST = 10_000.0  # the base of the wavelengths, in tokens
SMALLEST_SQUARE = 1e-6


@keras.saving.register_keras_serializable(package=PACKAGE)
class RotaryAttention(ExactLayer):
    """Self-attention of several heads over tokens (B, T, C) of which the last H W lie on a grid; (B, T, C) again.

    In each head queries and keys have a mean square of 1 times a learned scale, and are turned by angles that grow with
    the token's row, in their first half, and its column, in the other, so that a product depends on how far apart two
    tokens are (Su et al. 2021, https://arxiv.org/abs/2104.09864, on a grid). Tokens before the grid are not turned. The
    last linear map begins with weights of that gain. C is a multiple of 4 times the heads.
    """

    def __init__(self, heads: int, grid: Sequence[int], gain: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.heads, self.grid, self.gain = heads, tuple(grid), gain

    def build(self, input_shape: Shape) -> None:
        """Make the maps, the scales and the angles."""
        tokens, channels = (int(size or 0) for size in input_shape[1:])
        height, width = self.grid
        if channels % (4 * self.heads) or tokens < height * width:
            raise ZooError(
                f"RotaryAttention takes tokens of a multiple of 4 channels in each of {self.heads} heads, {height} x "
                f"{width} of them or more; received {tokens} of {channels} channels."
            )
        size = channels // self.heads
        self.mixing = keras.layers.Dense(3 * channels, dtype=self.dtype_policy, name="mixing")
        first = keras.initializers.VarianceScaling(self.gain**2, "fan_avg", "uniform")
        self.joining = keras.layers.Dense(channels, kernel_initializer=first, dtype=self.dtype_policy, name="joining")
        for each in (self.mixing, self.joining):
            each.build(input_shape)
        self.scale = self.exact_weight("scale", (2, 1, 1, 1, size), "ones")  # of queries, and of keys
        self.angles = angles(height, width, size, tokens - height * width)

    def call(self, inputs: Tensor) -> Tensor:
        tokens, channels = inputs.shape[1:]
        size = channels // self.heads
        mixed = ops.reshape(self.mixing(self.rounded(inputs)), (-1, tokens, 3, self.heads, size))
        mixed = ops.transpose(mixed, (2, 0, 3, 1, 4))  # (3, B, heads, T, size)
        queries, keys = ops.unstack(self.rounded(self.turned(self.exact(mixed[:2]))), 2, axis=0)
        scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))
        shares = self.rounded(ops.softmax(self.exact(scores) * size**-0.5, axis=-1))
        found = ops.transpose(ops.matmul(shares, mixed[2]), (0, 2, 1, 3))
        return self.joining(ops.reshape(found, (-1, tokens, channels)))

    def turned(self, vectors: Tensor) -> Tensor:
        """Queries and keys (2, B, heads, T, size), normalized, scaled, and turned pair by pair of channels."""
        square = ops.mean(ops.square(vectors), axis=-1, keepdims=True)
        vectors = vectors * ops.rsqrt(square + SMALLEST_SQUARE) * self.scale
        cosines, sines = (ops.cast(each, vectors.dtype) for each in (np.cos(self.angles), np.sin(self.angles)))
        return vectors * cosines + ops.matmul(vectors, ops.cast(quarter_turn(vectors.shape[-1]), vectors.dtype)) * sines

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of x."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "heads": self.heads, "grid": self.grid, "gain": self.gain}


@keras.saving.register_keras_serializable(package=PACKAGE)
class SinePositions(ExactLayer):
    """Where the tokens of a grid are, (B, H W, C), for each of the samples of its input: sines and cosines, fixed.

    The first half of the channels tells the column, the other the row, C a multiple of 4. Vaswani et al. 2017
    (https://arxiv.org/abs/1706.03762), section 3.5, for grids.
    """

    def __init__(self, grid: Sequence[int], channels: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.grid, self.channels = tuple(grid), channels
        height, width = self.grid
        self.table = sines(height, width, channels)

    def call(self, inputs: Tensor) -> Tensor:
        """As often as there are samples."""
        shape = (ops.shape(inputs)[0], *self.table.shape)
        return ops.broadcast_to(ops.cast(self.table, self.compute_dtype), shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, H W, C)."""
        return (input_shape[0], *self.table.shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "grid": self.grid, "channels": self.channels}


def places(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each token, (H W,) each."""
    rows, columns = np.indices((height, width))
    return rows.ravel(), columns.ravel()


def angles(height: int, width: int, size: int, before: int) -> np.ndarray:
    """(T, size): by how much each pair of channels is turned; 0 for the tokens before the grid."""
    rates = np.repeat(LONGEST ** -(np.arange(0, size // 2, 2) / (size // 2)), 2)
    rows, columns = (np.outer(each, rates) for each in places(height, width))
    return np.concatenate([np.zeros((before, size)), np.concatenate([rows, columns], axis=1)])


def quarter_turn(size: int) -> np.ndarray:
    """The matrix that turns each pair of channels (a, b) into (-b, a)."""
    return np.kron(np.eye(size // 2), [[0.0, 1.0], [-1.0, 0.0]])


def sines(height: int, width: int, channels: int) -> np.ndarray:
    """(H W, C)."""
    rates = LONGEST ** -(np.arange(channels // 4) / (channels // 4))
    rows, columns = (np.outer(each, rates) for each in places(height, width))
    return np.concatenate([function(each) for each in (columns, rows) for function in (np.sin, np.cos)], axis=1)
