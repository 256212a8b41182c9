"""What the residual translators of unpaired translation share (Zhu et al. 2017, appendix 7.2)."""

from typing import Any

import keras

from zoo.layers.exact import Tensor
from zoo.layers.normalization import InstanceNormalization
from zoo.layers.pixels import ReflectionPadding2D


def instance_relu(maps: Tensor) -> Tensor:
    """Instance normalization without scale and offset, then ReLU."""
    return keras.layers.ReLU()(InstanceNormalization(affine=False)(maps))


def plain_convolution(filters: int, size: int, weights: keras.Initializer, **settings: Any) -> keras.layers.Conv2D:
    """Without a bias, which the normalization behind it would take out again."""
    return keras.layers.Conv2D(filters, size, use_bias=False, kernel_initializer=weights, **settings)


def translating_block(maps: Tensor, weights: keras.Initializer) -> Tensor:
    """Maps (B, h, w, C) and what two normalized 3 x 3 convolutions of them add, reflected at the border."""
    filters = maps.shape[-1]
    inner = instance_relu(plain_convolution(filters, 3, weights)(ReflectionPadding2D(1)(maps)))
    inner = plain_convolution(filters, 3, weights)(ReflectionPadding2D(1)(inner))
    return keras.layers.Add()([maps, InstanceNormalization(affine=False)(inner)])
