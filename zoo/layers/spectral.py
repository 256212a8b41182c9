"""Spectral normalization of any layer that has a kernel, and layers followed by a normalization that is named."""

import math
from collections.abc import Callable
from typing import Any, get_args

import keras
from keras import ops

from zoo.backend.scopes import Scope, exact_values
from zoo.errors import ZooError, unknown
from zoo.layers.exact import PACKAGE, Shape, Tensor
from zoo.layers.normalization import BatchNormalization, GroupNormalization, InstanceNormalization, LayerNormalization
from zoo.recipe import Normalization

TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
LAST, NEXT_TO_LAST, LAST_TWO = (-1,), (-2,), (-2, -1)  # axes of a kernel


@keras.saving.register_keras_serializable(package=PACKAGE)
class SpectralNormalization(keras.layers.Wrapper):
    """Divides the wrapped layer's kernel by its largest singular value (Miyato et al. 2018, 1802.05957).

    The value comes from `power_iterations` in each call, kept in training, and the gradient flows through it as in
    section 2.1 of the paper (Keras' own stops it). The kernel counts as a matrix of (all other axes, output channels),
    the transpose of what PyTorch makes of the same layer:

    - transposed convolutions (..., out, in): (positions x in, out);
    - depthwise ones (..., in, multiplier): (positions, in x multiplier), one value for all channels' filters together;
    - separable ones: both of their kernels, each by its own value;
    - an embedding's table: (classes, features).
    """

    def __init__(self, layer: keras.Layer, power_iterations: int = 1, **settings: Any) -> None:
        if power_iterations < 1:
            raise ZooError(f"Spectral normalization needs 1 or more power iterations; received {power_iterations}.")
        super().__init__(layer, **{"autocast": False, **settings})  # the kernel is divided in float32
        self.power_iterations = power_iterations

    def build(self, input_shape: Shape) -> None:
        """Make a running left singular vector u, (1, output channels), for each kernel."""
        super().build(input_shape)
        self.singular_vectors = [
            self.add_weight(
                shape=(1, output_channels(kernel, axes)),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                name=f"singular_vector_{number}" if number else "singular_vector",
                trainable=False,
            )
            for number, (kernel, axes) in enumerate(kernels(self.layer))
        ]

    @property
    def singular_vector(self) -> keras.Variable:
        """The running left singular vector of the (first) kernel."""
        return self.singular_vectors[0]

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Call the layer with its kernels divided by their singular values."""
        with exact_values():
            divided = [
                (kernel, self.divided(ops.convert_to_tensor(kernel), axes, vector, training))
                for (kernel, axes), vector in zip(kernels(self.layer), self.singular_vectors, strict=True)
            ]
        with Scope(divided):
            return self.layer(inputs)

    def divided(self, kernel: Tensor, axes: tuple[int, ...], vector: keras.Variable, training: bool) -> Tensor:
        """The kernel divided by its singular value."""
        matrix = as_matrix(kernel, axes)
        fixed = ops.stop_gradient(matrix)
        left = ops.convert_to_tensor(vector)
        for _ in range(self.power_iterations):
            right = unit(ops.matmul(left, ops.transpose(fixed)))
            left = unit(ops.matmul(right, fixed))
        if training:
            vector.assign(left)
        sigma = ops.sum(ops.matmul(right, matrix) * left)
        divisor = ops.where(sigma > 0, sigma, 1.0)  # a kernel of zeros stays one
        return kernel / divisor

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "power_iterations": self.power_iterations}


def kernels(layer: keras.Layer) -> list[tuple[keras.Variable, tuple[int, ...]]]:
    """The kernels of a layer, each with its axes of output channels, counted from the end."""
    if isinstance(layer, SEPARABLE):
        return [(layer.depthwise_kernel, LAST_TWO), (layer.pointwise_kernel, LAST)]
    if isinstance(layer, keras.layers.Embedding):
        return [(layer.embeddings, LAST)]
    if not hasattr(layer, "kernel"):
        raise ZooError(
            f"Spectral normalization finds no kernel in '{layer.name}' ({type(layer).__name__}). Wrap a dense layer, a "
            "convolution of any kind or an embedding, and the layers inside a layer one by one."
        )
    if isinstance(layer, TRANSPOSED):
        return [(layer.kernel, NEXT_TO_LAST)]
    return [(layer.kernel, LAST_TWO if isinstance(layer, DEPTHWISE) else LAST)]


def kernel_matrices(layer: keras.Layer) -> list[Tensor]:
    """Every kernel of a layer as a matrix (all other axes, output channels), whatever kind of layer it is.

    None of a layer without kernels.
    """
    has_kernels = hasattr(layer, "kernel") or isinstance(layer, (*SEPARABLE, keras.layers.Embedding))
    return [as_matrix(ops.convert_to_tensor(kernel), axes) for kernel, axes in kernels(layer)] if has_kernels else []


def as_matrix(kernel: Tensor, axes: tuple[int, ...]) -> Tensor:
    """A kernel with these axes of output channels as (all other axes, output channels)."""
    others = [axis for axis in range(len(kernel.shape)) if axis - len(kernel.shape) not in axes]
    return ops.reshape(ops.transpose(kernel, (*others, *axes)), (-1, output_channels(kernel, axes)))


def output_channels(kernel: Any, axes: tuple[int, ...]) -> int:
    """How many columns a kernel has as a matrix."""
    return math.prod(kernel.shape[axis] for axis in axes)


def unit(vector: Tensor) -> Tensor:
    """The vector scaled to length 1."""
    return vector * ops.rsqrt(ops.sum(ops.square(vector)) + 1e-12)  # of a zero kernel too


def spectral_where(is_spectral: bool, layer: keras.Layer, **settings: Any) -> keras.Layer:
    """The layer, spectrally normalized or as it is; `settings` are those of the normalization."""
    return SpectralNormalization(layer, **settings) if is_spectral else layer


def normalized(layer: keras.Layer, kind: Normalization, **settings: Any) -> Callable[[Tensor], Tensor]:
    """The layer followed by (or, for "spectral", wrapped into) the normalization of that name."""
    if kind == "none":
        return layer
    if kind == "spectral":
        return SpectralNormalization(layer)
    after = normalization(kind, **settings)
    return lambda inputs: after(layer(inputs))


def at_ends(kind: Normalization) -> Normalization:
    """What a discriminator's first and last layer have where those between have `kind`: spectral normalization bounds
    a network by being on every layer (section 2 of its paper), any other would take the scale out of inputs or logits.
    """
    return "spectral" if kind == "spectral" else "none"


def normalization(kind: Normalization, **settings: Any) -> keras.Layer:
    """The normalization of that name as a layer; that of what needs none, or wraps its layer, changes nothing."""
    kinds = {
        "none": keras.layers.Identity,
        "spectral": keras.layers.Identity,
        "batch": BatchNormalization,
        "layer": LayerNormalization,
        "group": GroupNormalization,
        "instance": InstanceNormalization,
    }
    if kind not in kinds:
        raise unknown("normalization", kind, get_args(Normalization))
    return kinds[kind](**settings)
