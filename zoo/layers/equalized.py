"""Equalized learning rates: weights drawn from N(0, 1) and scaled when they are used, not when they are drawn.

Adam's steps do not depend on a gradient's size, so weights of the same size learn at the same rate. Karras et al. 2017
(https://arxiv.org/abs/1710.10196), section 4.1.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.errors import ZooError
from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor, image_shape
from zoo.layers.filters import TAPS, Resampling, check_resampling, resampled_convolution, resampled_size


class Equalized(ExactLayer):
    """A kernel and a bias with an equalized learning rate.

    The kernel used is gain * rate_multiplier / sqrt(inputs to one output) times the stored one, which starts as
    N(0, 1) / rate_multiplier; the bias used is rate_multiplier times the stored one, and starts at `initial_bias`.
    Keras' own activations and `Rescaling` follow as layers, as in LeakyReLU(.2) and Rescaling(sqrt(2)) for StyleGAN2.
    """

    def __init__(
        self,
        gain: float = 1.0,
        rate_multiplier: float = 1.0,
        use_bias: bool = True,
        initial_bias: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.gain = gain
        self.rate_multiplier = rate_multiplier
        self.use_bias = use_bias
        self.initial_bias = initial_bias

    def make_weights(self, kernel_shape: tuple[int, ...]) -> None:
        """Make a kernel (..., inputs, outputs) and a bias (outputs,)."""
        normal = keras.initializers.RandomNormal(stddev=1 / self.rate_multiplier)
        self.kernel = self.exact_weight("kernel", kernel_shape, normal)
        if self.use_bias:
            initial = keras.initializers.Constant(self.initial_bias / self.rate_multiplier)
            self.bias = self.exact_weight("bias", kernel_shape[-1:], initial)

    def scaled_kernel(self) -> Tensor:
        """The kernel that is used, not yet rounded."""
        return self.kernel * self.kernel_scale()

    def kernel_scale(self) -> float:
        """By what the stored kernel is multiplied."""
        return self.gain * self.rate_multiplier / math.sqrt(math.prod(self.kernel.shape[:-1]))

    def with_bias(self, outputs: Tensor) -> Tensor:
        """Outputs (..., outputs) with the bias that is used."""
        return outputs + ops.cast(self.bias * self.rate_multiplier, outputs.dtype) if self.use_bias else outputs

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        names = ("gain", "rate_multiplier", "use_bias", "initial_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package=PACKAGE)
class EqualizedDense(Equalized):
    """A dense layer (B, ..., Z) to (B, ..., units) with an equalized learning rate.

    StyleGAN2's mapping network has `rate_multiplier=.01` (Karras et al. 2018, https://arxiv.org/abs/1812.04948,
    appendix C), its styles `initial_bias=1`.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units

    def build(self, input_shape: Shape) -> None:
        """Make the weights."""
        self.make_weights((int(input_shape[-1] or 0), self.units))
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Multiply, then add."""
        return self.with_bias(ops.matmul(self.rounded(inputs), self.rounded(self.scaled_kernel())))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, ..., units)."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "units": self.units}


class ConvolutionSettings(Equalized):
    """What the equalized convolutions of images share: their width, window and resampling."""

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        resampling: Resampling = "none",
        taps: Sequence[float] = TAPS,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        check_resampling(resampling, kernel_size, taps)
        if kernel_size < 1:
            raise ZooError(f"A convolution needs a kernel_size of 1 or more; received {kernel_size}.")
        self.filters = filters
        self.kernel_size = kernel_size
        self.resampling: Resampling = resampling
        self.taps = tuple(taps)

    def make_kernel(self, images: Shape) -> None:
        """Make a kernel (kernel_size, kernel_size, C, filters) and its bias."""
        channels = image_shape(self, images)[-1]
        self.make_weights((self.kernel_size, self.kernel_size, channels, self.filters))

    def convolved(self, images: Tensor, kernel: Tensor) -> Tensor:
        """Images, resampled by the filter on the way, without the bias."""
        return resampled_convolution(self.rounded(images), self.rounded(kernel), self.resampling, self.taps)

    def output_shape_of(self, images: Shape) -> Shape:
        """(B, H, W, filters), H and W resampled."""
        sizes = (resampled_size(size, self.resampling) for size in images[1:3])
        return (images[0], *sizes, self.filters)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        names = ("filters", "kernel_size", "resampling", "taps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package=PACKAGE)
class EqualizedConv2D(ConvolutionSettings):
    """A convolution (B, H, W, C) to (B, H', W', filters) with an equalized learning rate; zeros surround the image.

    `resampling="down"` blurs by `taps` and takes every second position, as in StyleGAN2's discriminator; "up" doubles
    the size by a transposed convolution and blurs then, so that H' is 2 H. Karras et al. 2018
    (https://arxiv.org/abs/1812.04948), appendix C. A 1 x 1 convolution is cheaper beside an `Upsample` or `Downsample`.
    """

    def build(self, input_shape: Shape) -> None:
        """Make the weights."""
        self.make_kernel(input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Convolve, then add."""
        return self.with_bias(self.convolved(inputs, self.scaled_kernel()))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, H', W', filters)."""
        return self.output_shape_of(input_shape)
