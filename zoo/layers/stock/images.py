"""The equals of what moves, filters and limits pixels, and of what is learned and depends on no input."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from zoo.layers.learned import LearnedMap
from zoo.layers.pixels import PixelRange, PixelShuffle, ReflectionPadding2D
from zoo.layers.resampling import AlignedUpsample, Downsample, Upsample
from zoo.layers.stock.equals import Value, constant, product, stock_equal
from zoo.layers.transformers import SinePositions


@stock_equal(ReflectionPadding2D)
def mirrored(layer: ReflectionPadding2D, inputs: Any, value: Value) -> Any:
    """By an operation."""
    sides = (layer.padding, layer.padding)
    return ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")


@stock_equal(PixelShuffle)
def shuffled(layer: PixelShuffle, inputs: Any, value: Value) -> Any:
    """By operations, as the layer itself."""
    return layer.call(inputs)


@stock_equal(PixelRange)
def limited(layer: PixelRange, inputs: Any, value: Value) -> Any:
    """By an operation."""
    return ops.clip(inputs, -1.0, 1.0)


def filtered(images: Any, matrix: Callable[[int], np.ndarray], dtype: Any, bias: Any = None) -> Any:
    """Images (B, H, W, C) with rows and columns mixed by `matrix(H)`, (H', H), and `matrix(W)`: (B, H', W', C)."""
    height, width = images.shape[1:3]
    rows = product("bhwc,ih->biwc", images, matrix(height), "rows", dtype)
    return product("biwc,jw->bijc", rows, matrix(width), "columns", dtype, bias)


@stock_equal(Upsample)
@stock_equal(Downsample)
@stock_equal(AlignedUpsample)
def resampled(layer: Any, inputs: Any, value: Value) -> Any:
    """Two products with matrices."""
    return filtered(inputs, layer.matrix, layer.dtype_policy)


@stock_equal(LearnedMap)
def learned(layer: LearnedMap, inputs: Any, value: Value) -> Any:
    """A constant."""
    return ops.cast(constant(layer, inputs, value(layer.map), "map"), layer.compute_dtype)


@stock_equal(SinePositions)
def positions(layer: SinePositions, inputs: Any, value: Value) -> Any:
    """A constant."""
    return ops.cast(constant(layer, inputs, layer.table, "table"), layer.compute_dtype)
