"""Normalization layers whose second-order gradients are right on every backend.

Keras' own on TensorFlow stop a gradient inside the variance, which a gradient penalty needs. Here moments are plain
means. All of them normalize (B, ..., C) with a learned scale and offset for each of the C channels, or with none:
`affine=False`.
"""

import math
from typing import Any

import keras
from keras import ops

from zoo.backend.normalization import batch_normalized
from zoo.errors import ZooError
from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor, moments


class ChannelScaled(ExactLayer):
    """What the normalizations share: an epsilon, and, if `affine`, a scale and an offset for each channel.

    In mixed precision moments, scales and offsets are float32, and only what comes out is rounded.
    """

    def __init__(
        self, epsilon: float = 1e-5, gamma_initializer: Any = "ones", affine: bool = True, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.affine = affine

    def build(self, input_shape: Shape) -> None:
        """Make the C scales and offsets."""
        if self.affine:
            self.gamma = self.exact_weight("gamma", (input_shape[-1],), self.gamma_initializer)
            self.beta = self.exact_weight("beta", (input_shape[-1],), "zeros")
        super().build(input_shape)

    def normalize(self, inputs: Tensor, mean: Tensor, variance: Tensor, channels: tuple[int, ...] = (-1,)) -> Tensor:
        """Give inputs of these moments mean 0 and variance 1, then scale and offset their channels.

        It takes one multiplication and one addition of the large tensor. `channels` is the shape that C has in it.
        """
        scale = ops.rsqrt(variance + self.epsilon)
        if not self.affine:
            return self.rounded(inputs * scale - mean * scale)
        scale = scale * ops.reshape(self.gamma, channels)
        return self.rounded(inputs * scale + (ops.reshape(self.beta, channels) - mean * scale))

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        initializer = keras.initializers.serialize(self.gamma_initializer)
        own = {"epsilon": self.epsilon, "gamma_initializer": initializer, "affine": self.affine}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class BatchNormalization(ChannelScaled):
    """Normalizes each channel over the batch (Ioffe and Szegedy 2015), in inference by moving statistics.

    Momentum and epsilon default to the papers' .9 and 1e-5, not to Keras' .99 and 1e-3.
    """

    def __init__(self, momentum: float = 0.9, **settings: Any) -> None:
        super().__init__(**settings)
        self.momentum = momentum

    def build(self, input_shape: Shape) -> None:
        """Make the moving statistics too."""
        super().build(input_shape)
        channels = (input_shape[-1],)
        self.moving_mean = self.exact_weight("moving_mean", channels, "zeros", trainable=False)
        self.moving_variance = self.exact_weight("moving_variance", channels, "ones", trainable=False)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Standardize by the batch's own moments in training, by the moving ones otherwise."""
        if not training:
            return self.normalize(self.exact(inputs), self.moving_mean, self.moving_variance)
        outputs, mean, variance = self.by_kernel(inputs) or self.by_formula(inputs)
        self.follow(self.moving_mean, mean)
        self.follow(self.moving_variance, variance)
        return outputs

    def by_kernel(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
        """The outputs, mean and variance (C,) from the backend's own kernel; None where it has none."""
        if self.affine:
            return batch_normalized(inputs, self.gamma, self.beta, self.epsilon)
        channels = {"shape": (inputs.shape[-1],), "dtype": self.variable_dtype}
        return batch_normalized(inputs, ops.ones(**channels), ops.zeros(**channels), self.epsilon)

    def by_formula(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The outputs, and the mean and variance of the batch, (C,)."""
        inputs = self.exact(inputs)
        mean, variance = moments(inputs, tuple(range(inputs.ndim - 1)), keepdims=False)
        return self.normalize(inputs, mean, variance), mean, variance

    def follow(self, moving: keras.Variable, current: Tensor) -> None:
        """Move a moving statistic towards the current one."""
        moving.assign(self.momentum * moving + (1 - self.momentum) * ops.stop_gradient(current))

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable(package=PACKAGE)
class LayerNormalization(ChannelScaled):
    """Normalizes each sample over all its values (Ba et al. 2016), as in the critics of Gulrajani et al. 2017."""

    def call(self, inputs: Tensor) -> Tensor:
        """Standardize each sample."""
        inputs = self.exact(inputs)
        return self.normalize(inputs, *moments(inputs, tuple(range(1, inputs.ndim))))


@keras.saving.register_keras_serializable(package=PACKAGE)
class GroupNormalization(ChannelScaled):
    """Normalizes each sample over groups of channels (Wu and He 2018): as many groups as divide both C and `groups`."""

    def __init__(self, groups: int = 8, **settings: Any) -> None:
        super().__init__(**settings)
        self.groups = groups

    def build(self, input_shape: Shape) -> None:
        """Refuse groups of a single value: each would be its own mean."""
        channels = input_shape[-1] or 0
        if len(input_shape) < 3 and channels == math.gcd(self.groups, channels):
            raise ZooError(
                f"Group normalization of {channels} features in {channels} groups would make them all zero. "
                "Use wider layers, or discriminator_normalization=layer."
            )
        self.group_count = math.gcd(self.groups, channels)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Standardize each group of each sample."""
        inputs = self.exact(inputs)
        shape = ops.shape(inputs)
        channels = (self.group_count, inputs.shape[-1] // self.group_count)
        grouped = ops.reshape(inputs, (*shape[:-1], *channels))
        axes = (*range(1, inputs.ndim - 1), inputs.ndim)
        return ops.reshape(self.normalize(grouped, *moments(grouped, axes), channels), shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package=PACKAGE)
class InstanceNormalization(ChannelScaled):
    """Normalizes each channel of each sample over its positions (Ulyanov et al. 2016); needs (B, H, W, C).

    CycleGAN's has no scale and offset: `affine=False`.
    """

    def build(self, input_shape: Shape) -> None:
        """Refuse inputs without positions: each value would be its own mean."""
        if len(input_shape) < 3:
            raise ZooError(
                "Instance normalization needs images; features of a dense layer would all become zero. "
                "Use discriminator_normalization=layer."
            )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Standardize each channel of each sample."""
        inputs = self.exact(inputs)
        return self.normalize(inputs, *moments(inputs, tuple(range(1, inputs.ndim - 1))))


@keras.saving.register_keras_serializable(package=PACKAGE)
class PixelNormalization(ExactLayer):
    """Gives the channels at each position the mean square 1: x / sqrt(mean over C of x^2 + epsilon).

    It has no weights. Karras et al. 2017 (https://arxiv.org/abs/1710.10196), section 4.2, after each convolution of the
    generator and for latents (B, Z), where it is also StyleGAN2's first step of the mapping network.
    """

    def __init__(self, epsilon: float = 1e-8, **settings: Any) -> None:
        super().__init__(**settings)
        self.epsilon = epsilon

    def call(self, inputs: Tensor) -> Tensor:
        """Scale the channels at each position."""
        inputs = self.exact(inputs)
        square = ops.mean(ops.square(inputs), axis=-1, keepdims=True)
        return self.rounded(inputs * ops.rsqrt(square + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "epsilon": self.epsilon}
