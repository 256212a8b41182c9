"""Centre crop and resize of single images, for sources that TensorFlow does not decode."""

import numpy as np
from PIL import Image

from zoo.errors import ZooError


def centre_square(image: np.ndarray, crop: int | None, size: int) -> np.ndarray:
    """uint8 (H, W, C) to (size, size, C): the centre square of side `crop` (None: of the shorter side), resized."""
    height, width, _ = image.shape
    side = crop or min(height, width)
    if side > min(height, width):
        raise ZooError(f"An image of {width} x {height} pixels is smaller than the crop of {side} pixels.")
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    return square if side == size else resized(square, size)


def resized(image: np.ndarray, size: int) -> np.ndarray:
    """Bicubic, antialiased when it shrinks; channel by channel, so any number of channels will do."""
    channels = [
        Image.fromarray(np.ascontiguousarray(image[..., channel])).resize((size, size), Image.Resampling.BICUBIC)
        for channel in range(image.shape[-1])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)
