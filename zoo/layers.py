"""Normalization layers whose second-order gradients are right on every backend.

Keras' own on TensorFlow stop a gradient inside the variance, which a gradient penalty needs. Here moments are plain
means. All of them normalize (B, ..., C) with a learned scale and offset for each of the C channels.
"""

import math
from collections.abc import Callable
from typing import Any, get_args

import keras
from keras import ops

from zoo.backend.normalization import batch_normalized
from zoo.backend.scopes import exact_values, inherited_scope
from zoo.errors import ZooError, unknown
from zoo.recipe import Normalization

Tensor = Any
PACKAGE = "zoo"  # under which saved models find these classes


class ChannelScaled(keras.layers.Layer):
    """What the normalizations share: an epsilon, and a scale and an offset for each channel.

    In mixed precision moments, scales and offsets are float32, and only what comes out is rounded.
    """

    def __init__(self, epsilon: float = 1e-5, gamma_initializer: Any = "ones", **settings: Any) -> None:
        super().__init__(**{"autocast": False, **settings})
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the C scales and offsets."""
        channels = (input_shape[-1],)
        exact = {"shape": channels, "autocast": False}
        self.gamma = self.add_weight(initializer=self.gamma_initializer, name="gamma", **exact)
        self.beta = self.add_weight(initializer="zeros", name="beta", **exact)
        super().build(input_shape)

    def normalize(self, inputs: Tensor, mean: Tensor, variance: Tensor, channels: tuple[int, ...] = (-1,)) -> Tensor:
        """Give inputs of these moments mean 0 and variance 1, then scale and offset their channels.

        It takes one multiplication and one addition of the large tensor. `channels` is the shape that C has in it.
        """
        scale = ops.rsqrt(variance + self.epsilon) * ops.reshape(self.gamma, channels)
        return ops.cast(inputs * scale + (ops.reshape(self.beta, channels) - mean * scale), self.compute_dtype)

    def exact(self, inputs: Tensor) -> Tensor:
        """Inputs as precise as the weights are."""
        return ops.cast(inputs, self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        initializer = keras.initializers.serialize(self.gamma_initializer)
        return {**super().get_config(), "epsilon": self.epsilon, "gamma_initializer": initializer}


@keras.saving.register_keras_serializable(package=PACKAGE)
class BatchNormalization(ChannelScaled):
    """Normalizes each channel over the batch (Ioffe and Szegedy 2015), in inference by moving statistics.

    Momentum and epsilon default to the papers' .9 and 1e-5, not to Keras' .99 and 1e-3.
    """

    def __init__(self, momentum: float = 0.9, **settings: Any) -> None:
        super().__init__(**settings)
        self.momentum = momentum

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the moving statistics too."""
        super().build(input_shape)
        fixed = {"shape": (input_shape[-1],), "trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(initializer="zeros", name="moving_mean", **fixed)
        self.moving_variance = self.add_weight(initializer="ones", name="moving_variance", **fixed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Standardize by the batch's own moments in training, by the moving ones otherwise."""
        if not training:
            return self.normalize(self.exact(inputs), self.moving_mean, self.moving_variance)
        outputs, mean, variance = batch_normalized(inputs, self.gamma, self.beta, self.epsilon) or self.by_formula(
            inputs
        )
        self.follow(self.moving_mean, mean)
        self.follow(self.moving_variance, variance)
        return outputs

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

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Refuse groups of a single value: each would be its own mean."""
        channels = input_shape[-1] or 0
        if len(input_shape) < 3 and channels == math.gcd(self.groups, channels):
            raise ZooError(
                f"Group normalization of {channels} features in {channels} groups would make them all zero. "
                "Use wider layers, or discriminator_normalization=layer."
            )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Standardize each group of each sample."""
        inputs = self.exact(inputs)
        shape = ops.shape(inputs)
        groups = math.gcd(self.groups, inputs.shape[-1])
        channels = (groups, inputs.shape[-1] // groups)
        grouped = ops.reshape(inputs, (*shape[:-1], *channels))
        axes = (*range(1, inputs.ndim - 1), inputs.ndim)
        return ops.reshape(self.normalize(grouped, *moments(grouped, axes), channels), shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package=PACKAGE)
class InstanceNormalization(ChannelScaled):
    """Normalizes each channel of each sample over its positions (Ulyanov et al. 2016); needs (B, H, W, C)."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
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
class SpectralNormalization(keras.layers.Wrapper):
    """Divides the wrapped layer's kernel by its largest singular value (Miyato et al. 2018).

    The value comes from one power iteration in each training call, and the gradient flows through it as in section 2.1
    of the paper (Keras' own stops it). The kernel counts as a matrix of (all other axes, output channels).
    """

    def __init__(self, layer: keras.Layer, **settings: Any) -> None:
        super().__init__(layer, **{"autocast": False, **settings})  # the kernel is divided in float32

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the running left singular vector u, (1, output channels)."""
        super().build(input_shape)
        self.singular_vector = self.add_weight(
            shape=(1, self.layer.kernel.shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="singular_vector",
            trainable=False,
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Call the layer with its kernel divided by the singular value."""
        with exact_values():
            divided = self.divided_kernel(training)
        with inherited_scope([(self.layer.kernel, divided)]):
            return self.layer(inputs)

    def divided_kernel(self, training: bool) -> Tensor:
        """The kernel divided by its singular value."""
        kernel = ops.convert_to_tensor(self.layer.kernel)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        fixed = ops.stop_gradient(matrix)
        right = unit(ops.matmul(self.singular_vector, ops.transpose(fixed)))
        left = unit(ops.matmul(right, fixed))
        if training:
            self.singular_vector.assign(left)
        sigma = ops.sum(ops.matmul(right, matrix) * left)
        divisor = ops.where(sigma > 0, sigma, 1.0)  # a kernel of zeros stays one
        return kernel / divisor


def normalized(layer: keras.Layer, kind: Normalization, **settings: Any) -> Callable[[Tensor], Tensor]:
    """The layer followed by (or, for "spectral", wrapped into) the normalization of that name."""
    if kind == "none":
        return layer
    if kind == "spectral":
        return SpectralNormalization(layer)
    kinds = {
        "batch": BatchNormalization,
        "layer": LayerNormalization,
        "group": GroupNormalization,
        "instance": InstanceNormalization,
    }
    if kind not in kinds:
        raise unknown("normalization", kind, get_args(Normalization))
    normalization = kinds[kind](**settings)
    return lambda inputs: normalization(layer(inputs))


def moments(inputs: Tensor, axes: tuple[int, ...], keepdims: bool = True) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over the axes, every gradient kept."""
    mean = ops.mean(inputs, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(inputs - mean), axis=axes, keepdims=keepdims)
    return (mean if keepdims else ops.squeeze(mean, axis=axes)), variance


def unit(vector: Tensor) -> Tensor:
    """The vector scaled to length 1."""
    return vector * ops.rsqrt(ops.sum(ops.square(vector)) + 1e-12)  # of a zero kernel too
