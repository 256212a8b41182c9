"""StyleGAN2's convolution, whose kernel each sample's style scales, and the noise beside it."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.equalized import ConvolutionSettings, EqualizedDense
from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor, along_channels, two_shapes


@keras.saving.register_keras_serializable(package=PACKAGE)
class ModulatedConv2D(ConvolutionSettings):
    """A convolution by a kernel of each sample's own: called as ([x, w]), x (B, H, W, C), w (B, Z), to (B, H', W', F).

    The style s = A w + 1 scales the kernel's input channels, k'_io = s_i k_io, and with `demodulate` each output
    channel is divided by sqrt(sum of its k'^2 + epsilon), so that inputs of variance 1 give outputs of variance 1.
    Kernel, A and resampling are those of `EqualizedDense` and `EqualizedConv2D`. What is scaled are x and the outputs,
    which comes to the same and needs no kernel for each sample. To RGB: `kernel_size=1, demodulate=False`.
    Karras et al. 2019 (https://arxiv.org/abs/1912.04958), equations 1 to 3.
    """

    def __init__(self, filters: int, demodulate: bool = True, epsilon: float = 1e-8, **settings: Any) -> None:
        super().__init__(filters, **settings)
        self.demodulate = demodulate
        self.epsilon = epsilon

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Make the kernel, the bias and the map to styles."""
        images, latents = two_shapes(self, input_shape, "latents")
        self.make_kernel(images)
        self.style = EqualizedDense(self.kernel.shape[-2], initial_bias=1.0, dtype=self.variable_dtype, name="style")
        self.style.build(latents)
        super().build(images)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Scale, convolve, scale back, then add."""
        images, latents = inputs
        styles, kernel = self.style(latents), self.scaled_kernel()
        outputs = self.convolved(self.exact(images) * along_channels(styles, 4), kernel)
        if self.demodulate:
            squares = ops.matmul(ops.square(styles), ops.sum(ops.square(kernel), axis=(0, 1)))  # (B, filters)
            outputs = self.exact(outputs) * along_channels(ops.rsqrt(squares + self.epsilon), 4)
        return self.rounded(self.with_bias(outputs))

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """(B, H', W', filters)."""
        return self.output_shape_of(tuple(input_shape[0]))

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "demodulate": self.demodulate, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package=PACKAGE)
class NoiseInjection(ExactLayer):
    """Adds normal noise, one image of (H, W) for all channels: x + strength * noise, strength learned, 0 at the start.

    It draws from its own seed generator in every call, in training and in sampling. The generator's state is among the
    model's variables, and so in a run's checkpoints; a `.keras` file begins with `seed` again. `layer(x, noise=noise)`
    takes noise (B, H, W, 1) or (1, H, W, 1) instead, and draws nothing. Karras et al. 2019
    (https://arxiv.org/abs/1912.04958), section 2.1 and figure 2.
    """

    def __init__(self, seed: int | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Shape) -> None:
        """Make the strength."""
        self.strength = self.exact_weight("strength", (), "zeros")
        super().build(input_shape)

    def call(self, inputs: Tensor, noise: Tensor | None = None) -> Tensor:
        """Draw and add."""
        if noise is None:
            shape = (*ops.shape(inputs)[:-1], 1)
            noise = keras.random.normal(shape, seed=self.seed_generator, dtype=self.variable_dtype)
        return self.rounded(self.exact(inputs) + self.strength * self.exact(noise))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of x."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "seed": self.seed}
