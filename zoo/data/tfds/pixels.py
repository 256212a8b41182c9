"""Converts TFDS' images to uint8 (S, S, C) with TensorFlow: 8 bits, channels, centre crop, resize.

`zoo/data/images.py` does the same to single files with Pillow; a test compares the two.
"""

from dataclasses import dataclass
from typing import Any

RESIZE = "bicubic, antialiased (TensorFlow)"
SIXTEEN_BITS = 65535 / 255
GRAY_AND_ALPHA, RGB, RGBA = 2, 3, 4  # channels


@dataclass(frozen=True)
class Preprocessing:
    """Channels, crop and size (in pixels) of every image of a dataset."""

    channels: int
    crop: int | None
    size: int
    whole: bool = False  # whether nothing is cut off

    def square(self, image: Any) -> Any:
        """uint8 or uint16 (H, W, any) to uint8 (size, size, channels): the centre square of side `crop`, resized."""
        return self.resized(self.centre(image))

    def centre(self, image: Any) -> Any:
        """The centre square (side, side, channels), or the whole image.

        uint8, or float32 from 0 to 255 where channels were converted.
        """
        import tensorflow as tf

        if self.whole:
            return with_channels(image, self.channels)
        height, width = tf.shape(image)[0], tf.shape(image)[1]
        top, left, side = self.window(height, width)
        square = with_channels(image[top : top + side, left : left + side], self.channels)
        return tf.ensure_shape(square, (self.crop, self.crop, self.channels))

    def resized(self, squares: Any) -> Any:
        """uint8 of one square or a batch of them, (..., size, size, channels)."""
        import tensorflow as tf

        if squares.dtype == tf.uint8 and self.crop == self.size:
            return squares
        # The resize computes in float32; an image of this size already comes out unchanged.
        resized = tf.image.resize(squares, (self.size, self.size), method="bicubic", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)

    def window(self, height: Any, width: Any) -> tuple[Any, Any, Any]:
        """(top, left, side) of the centre square; TensorFlow raises InvalidArgumentError where the crop is larger."""
        import tensorflow as tf

        shorter = tf.minimum(height, width)
        side = self.crop or shorter
        check = tf.debugging.assert_less_equal(
            side, shorter, message=f"an image is smaller than the crop of {self.crop} pixels"
        )
        with tf.control_dependencies([check]):  # else the slice may fail first, with a message that says nothing
            side = tf.identity(side)
        return (height - side) // 2, (width - side) // 2, side


def with_channels(image: Any, channels: int) -> Any:
    """The image (H, W, C) with that many channels; float32 from 0 to 255 where they had to be converted."""
    import tensorflow as tf

    if image.dtype == tf.uint16:
        image = tf.cast(image, tf.float32) / SIXTEEN_BITS
    stored = image.shape[-1]
    if stored == channels:
        return image
    pixels = tf.cast(image, tf.float32)
    if (stored, channels) == (GRAY_AND_ALPHA, RGBA):
        return tf.concat([tf.image.grayscale_to_rgb(pixels[..., :1]), pixels[..., 1:]], axis=-1)
    if stored in (GRAY_AND_ALPHA, RGBA):  # the last channel is alpha
        alpha = pixels[..., -1:] / 255
        pixels = pixels[..., :-1] * alpha + 255 * (1 - alpha)
    if channels == 1 and pixels.shape[-1] == RGB:
        return tf.image.rgb_to_grayscale(pixels)
    colours = tf.image.grayscale_to_rgb(pixels) if channels >= RGB and pixels.shape[-1] == 1 else pixels
    return tf.concat([colours, tf.fill(tf.shape(colours[..., :1]), 255.0)], axis=-1) if channels > RGB else colours
