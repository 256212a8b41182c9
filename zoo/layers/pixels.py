"""What moves pixels without computing anything of them."""

from typing import Any

import keras
from keras import ops

from zoo.errors import ZooError
from zoo.layers.exact import PACKAGE, Shape, Tensor, image_shape


@keras.saving.register_keras_serializable(package=PACKAGE)
class ReflectionPadding2D(keras.layers.Layer):
    """Images (B, H, W, C) with `padding` pixels more on each side, mirrored at the border pixel, which is not repeated.

    In CycleGAN 3 pixels before the 7 x 7 convolutions and 1 before those of residual blocks, which then pad no further
    (`padding="valid"`): Zhu et al. 2017 (https://arxiv.org/abs/1703.10593), appendix 7.2.
    """

    def __init__(self, padding: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.padding = padding

    def build(self, input_shape: Shape) -> None:
        """Refuse images that are too small to be mirrored."""
        if min(image_shape(self, input_shape)[:2]) <= self.padding or self.padding < 0:
            raise ZooError(
                f"ReflectionPadding2D can't mirror {self.padding} pixels of images of shape {tuple(input_shape[1:])}: "
                "it needs 0 or more, and fewer than their height and width. Use less padding, or larger images."
            )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        sides = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, H + 2 padding, W + 2 padding, C)."""
        height, width, channels = image_shape(self, input_shape)
        return (input_shape[0], height + 2 * self.padding, width + 2 * self.padding, channels)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable(package=PACKAGE)
class PixelShuffle(keras.layers.Layer):
    """Images (B, H, W, factor^2 C) as (B, factor H, factor W, C): each position's channels become a square of pixels.

    The channels of a square's upper left pixel come first, then those of the one to its right, and so on row by row:
    pixel (i, j), channel c is channel (factor i + j) C + c, where PyTorch has factor^2 c + factor i + j. Shi et al.
    2016 (https://arxiv.org/abs/1609.05158), equation 4; in SRGAN with factor 2 (https://arxiv.org/abs/1609.04802).
    """

    def __init__(self, factor: int = 2, **settings: Any) -> None:
        super().__init__(**settings)
        self.factor = factor

    def build(self, input_shape: Shape) -> None:
        """Refuse channels that fill no squares."""
        channels = image_shape(self, input_shape)[-1]
        if self.factor < 1 or channels % self.factor**2:
            raise ZooError(
                f"PixelShuffle can't make squares of {self.factor} x {self.factor} pixels from {channels} channels: "
                f"let the convolution before it have a multiple of {self.factor**2} filters."
            )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        height, width, channels = image_shape(self, inputs.shape)
        factor, shuffled = self.factor, self.compute_output_shape(inputs.shape)
        squares = ops.reshape(inputs, (-1, height, width, factor, factor, channels // factor**2))
        return ops.reshape(ops.transpose(squares, (0, 1, 3, 2, 4, 5)), (-1, *shuffled[1:]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, factor H, factor W, C)."""
        height, width, channels = image_shape(self, input_shape)
        return (input_shape[0], self.factor * height, self.factor * width, channels // self.factor**2)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package=PACKAGE)
class PixelRange(keras.layers.Layer):
    """Limits samples to [-1, 1] in inference, and leaves them in training, where a limit would stop the gradient.

    The end of a generator without tanh, whose authors' code limits images when it writes them: StyleGAN2 (Karras et al.
    2019, https://arxiv.org/abs/1912.04958), Projected GAN (https://arxiv.org/abs/2111.01007), R3GAN.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        return inputs if training else ops.clip(inputs, -1.0, 1.0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The same shape."""
        return tuple(input_shape)
