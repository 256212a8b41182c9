"""The convolutional autoencoder that energy-based discriminators share."""

from typing import Any

import keras

from zoo.errors import ZooError
from zoo.layers.exact import Tensor

SMALLEST = 8  # pixels of the smaller side that are not halved any more


def halved_shape(sample_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height and width of images (H, W, C) halved until a side is odd or has 8 pixels or fewer, and how often.

    Raises ZooError for what is no image, and for images that can't be halved.
    """
    height, width = sample_shape[:2] if len(sample_shape) == 3 else (1, 1)
    levels = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > SMALLEST:
        height, width, levels = height // 2, width // 2, levels + 1
    if levels == 0:
        raise ZooError(
            f"This autoencoder takes images whose sides can be halved, more than {SMALLEST} pixels each; received "
            f"samples of shape {sample_shape}. Choose a size with --image-size."
        )
    return height, width, levels


def encoded(images: Tensor, width: int, code_size: int) -> Tensor:
    """Codes (B, code_size), linear, of symbolic images (B, H, W, C).

    Berthelot et al. 2017 (https://arxiv.org/abs/1703.10717), section 3.5: two 3 x 3 convolutions with ELU a level,
    `width` channels more with each, halved by a stride of 2.
    """
    _, _, levels = halved_shape(images.shape[1:])
    x = convolution(width)(images)
    for level in range(1, levels + 2):
        x = convolution(level * width)(convolution(level * width)(x))
        if level <= levels:
            x = convolution((level + 1) * width, strides=2)(x)
    return keras.layers.Dense(code_size)(keras.layers.Flatten()(x))


def decoded(codes: Tensor, sample_shape: tuple[int, ...], width: int, activation: str | None = None) -> Tensor:
    """Images (B, H, W, C) of symbolic codes (B, Z): the encoder's mirror, `width` channels, doubled by repetition."""
    height, breadth, levels = halved_shape(sample_shape)
    x: Any = keras.layers.Dense(height * breadth * width)(codes)
    x = keras.layers.Reshape((height, breadth, width))(x)
    for level in range(levels + 1):
        x = convolution(width)(convolution(width)(x))
        if level < levels:
            x = keras.layers.UpSampling2D()(x)
    return keras.layers.Conv2D(sample_shape[-1], 3, padding="same", activation=activation)(x)


def convolution(filters: int, strides: int = 1) -> keras.layers.Conv2D:
    """3 x 3 with ELU."""
    return keras.layers.Conv2D(filters, 3, strides=strides, padding="same", activation="elu")
