"""JAX on CPUs: two-dimensional convolutions whose gradients, of every order, keep to XLA's fast kernel.

Convolution, transposed convolution and kernel gradient are bilinear, and adjoint to one another: for samples x
(B, H, W, C), a kernel k (h, w, C, F) and features y (B, P, Q, F) of one geometry

    <convolution(x, k), y> = <x, transposed_convolution(y, k)> = <k, kernel_gradient(x, y)>

so each one's derivatives are the other two. JAX would derive them from the convolution that it has built instead, and
end with a window larger than its input; XLA exchanges the two, and for the reversed windows that follow it has but a
naive kernel on a CPU. Derivatives here are for reverse mode: forward mode is refused.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import keras
from jax import lax
from jax import numpy as jnp

from zoo.backend import keras_internals

Array = Any
Pair = tuple[int, int]

# The option lets XLA use YNNPACK for matrix products, but not for convolutions, where Eigen is faster.
COMPILER_OPTIONS: dict[str, Any] = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"}
NARROW = 16  # channels, as many as a vector register holds floats: up to here all phases share one matrix product
FORWARD = ("NHWC", "HWIO", "NHWC")
BY_KERNEL = ("CHWN", "IHWO", "HWNC")  # the sum is over the batch


@dataclass(frozen=True)
class Geometry:
    """Sizes (height, width) of samples, kernel and features, strides, and the padding `before` (above and left)."""

    samples: Pair
    kernel: Pair
    features: Pair
    strides: Pair
    before: Pair

    @property
    def padding(self) -> list[Pair]:
        """(before, after) for each axis; after is negative where the last samples are not reached."""
        axes = zip(self.samples, self.kernel, self.features, self.strides, self.before, strict=True)
        return [(before, (count - 1) * stride + size - length - before) for length, size, count, stride, before in axes]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def convolution(geometry: Geometry, samples: Array, kernel: Array) -> Array:
    """The features (B, P, Q, F) of samples (B, H, W, C) under a kernel (h, w, C, F)."""
    return correlation(samples, kernel, geometry.padding, FORWARD, strides=geometry.strides)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def transposed_convolution(geometry: Geometry, features: Array, kernel: Array) -> Array:
    """The samples (B, H, W, C) to which features (B, P, Q, F) spread under a kernel (h, w, C, F)."""
    narrow = kernel.shape[2] <= NARROW
    gaps = any(size < stride for size, stride in zip(geometry.kernel, geometry.strides, strict=True))
    phases = phases_together if narrow or gaps else phases_apart
    spread = phases(geometry, features, kernel)  # (B, rows, stride, columns, stride, C)
    batch, rows, down, columns, across, channels = spread.shape
    height, width = geometry.samples
    return spread.reshape(batch, rows * down, columns * across, channels)[:, :height, :width]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def kernel_gradient(geometry: Geometry, samples: Array, features: Array) -> Array:
    """The kernel (h, w, C, F) of the sums, over all positions, of samples (B, H, W, C) times features (B, P, Q, F)."""
    return correlation(samples, features, geometry.padding, BY_KERNEL, dilation=geometry.strides)


def keep(function: Callable[..., Array]) -> Callable[..., tuple[Array, tuple[Array, Array]]]:
    """The forward function of a custom derivative, with both operands as residuals."""
    return lambda geometry, first, second: (function(geometry, first, second), (first, second))


def convolution_derivatives(geometry: Geometry, operands: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    """The gradients of `convolution` by samples and by kernel."""
    samples, kernel = operands
    return transposed_convolution(geometry, upstream, kernel), kernel_gradient(geometry, samples, upstream)


def transposed_derivatives(geometry: Geometry, operands: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    """The gradients of `transposed_convolution` by features and by kernel."""
    features, kernel = operands
    return convolution(geometry, upstream, kernel), kernel_gradient(geometry, upstream, features)


def kernel_derivatives(geometry: Geometry, operands: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    """The gradients of `kernel_gradient` by samples and by features."""
    samples, features = operands
    return transposed_convolution(geometry, features, upstream), convolution(geometry, samples, upstream)


convolution.defvjp(keep(convolution), convolution_derivatives)
transposed_convolution.defvjp(keep(transposed_convolution), transposed_derivatives)
kernel_gradient.defvjp(keep(kernel_gradient), kernel_derivatives)


def correlation(
    inputs: Array,
    window: Array,
    padding: Sequence[Pair],
    layout: tuple[str, str, str],
    strides: Pair = (1, 1),
    dilation: Pair = (1, 1),
) -> Array:
    """lax' convolution, so written that XLA does not exchange its operands, for which it has no fast kernel."""
    names = lax.conv_dimension_numbers(inputs.shape, window.shape, layout)
    if math.prod(window.shape[axis] for axis in names.rhs_spec[2:]) > math.prod(
        inputs.shape[axis] for axis in names.lhs_spec[2:]
    ):
        # XLA exchanges the operands where the window is larger, and would see through a padding without the barrier.
        inputs = lax.optimization_barrier(padded(inputs, padding))
        padding = [(0, 0), (0, 0)]
    return lax.conv_general_dilated(inputs, window, strides, padding, rhs_dilation=dilation, dimension_numbers=names)


def padded(inputs: Array, padding: Sequence[Pair]) -> Array:
    """The inputs with zeros around the middle axes, or cropped where the padding is negative."""
    return lax.pad(inputs, jnp.zeros((), inputs.dtype), [(0, 0, 0), *((*pair, 0) for pair in padding), (0, 0, 0)])


def phases_apart(geometry: Geometry, features: Array, kernel: Array) -> Array:
    """Samples whose positions leave the same remainder by the stride see the same part of the kernel: one product each.

    None multiplies a zero, as the plain way does, which puts zeros between the features.
    """
    kernel = kernel.swapaxes(2, 3)
    (down, across), (top, left) = geometry.strides, geometry.before

    def phase(row: int, column: int) -> Array:
        part = jnp.flip(kernel[(row + top) % down :: down, (column + left) % across :: across], (0, 1))
        reach = ((row + top) // down, (column + left) // across)
        return correlation(features, part, phase_padding(geometry, part.shape[:2], reach), FORWARD)

    rows = [jnp.stack([phase(row, column) for column in range(across)], axis=3) for row in range(down)]
    return jnp.stack(rows, axis=2)


def phases_together(geometry: Geometry, features: Array, kernel: Array) -> Array:
    """The result of `phases_apart` from one product: all phases' kernels are padded with zeros to one size."""
    strides = geometry.strides
    reach = tuple((stride - 1 + before) // stride for stride, before in zip(strides, geometry.before, strict=True))
    first = [stride * far - before for stride, far, before in zip(strides, reach, geometry.before, strict=True)]
    taps = [-(-(start + size) // stride) for start, size, stride in zip(first, geometry.kernel, strides, strict=True)]
    sizes = zip(first, taps, strides, geometry.kernel, strict=True)
    around = [(start, count * stride - size - start) for start, count, stride, size in sizes]
    channels, width = kernel.shape[2:]
    kernel = jnp.pad(kernel, [*around, (0, 0), (0, 0)])
    kernel = jnp.flip(kernel.reshape(taps[0], strides[0], taps[1], strides[1], channels, width), (0, 2))
    kernel = kernel.transpose(0, 2, 5, 1, 3, 4).reshape(*taps, width, -1)
    spread = correlation(features, kernel, phase_padding(geometry, taps, reach), FORWARD)
    return spread.reshape(*spread.shape[:3], *strides, channels).transpose(0, 1, 3, 2, 4, 5)


def phase_padding(geometry: Geometry, taps: Sequence[int], reach: Sequence[int]) -> list[Pair]:
    """The padding with which a phase of `taps` sees `reach` features ahead, and yields its share of the samples."""
    share = [-(-length // stride) for length, stride in zip(geometry.samples, geometry.strides, strict=True)]
    axes = zip(share, geometry.features, taps, reach, strict=True)
    return [(count - 1 - far, length - known + far) for length, known, count, far in axes]


@contextmanager
def fast_convolutions(wanted: bool = True) -> Iterator[None]:
    """A context in which Keras' layers, traced on JAX, use the convolutions above; `wanted=False` changes nothing.

    Keras' own functions are used for all but images with channels last, and for groups and dilation. No other thread
    may trace meanwhile.
    """
    nn = keras_internals.jax_nn()
    stock = nn.conv, nn.conv_transpose
    if wanted:
        nn.conv, nn.conv_transpose = fast_conv(nn), fast_conv_transpose(nn)
    try:
        yield
    finally:
        nn.conv, nn.conv_transpose = stock


def fast_conv(nn: Any) -> Callable[..., Array]:
    """A replacement of Keras' `conv` on JAX, which falls back on it where `covers` is false."""
    stock = nn.conv

    def conv(
        inputs: Array,
        kernel: Array,
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
    ) -> Array:
        kernel = nn.convert_to_tensor(kernel)
        inputs = nn.convert_to_tensor(inputs, dtype=kernel.dtype)
        if covers(inputs, kernel, kernel.shape[-2], padding, data_format, dilation_rate):
            samples, size, steps = inputs.shape[1:3], kernel.shape[:2], pair(strides)
            around = lax.padtype_to_pads(samples, size, steps, padding.upper())
            axes = zip(samples, size, steps, around, strict=True)
            features = [(length + sum(pads) - width) // step + 1 for length, width, step, pads in axes]
            if min(features) > 0:
                before = tuple(pads[0] for pads in around)
                return convolution(Geometry(samples, size, pair(features), steps, pair(before)), inputs, kernel)
        return stock(inputs, kernel, strides, padding, data_format, dilation_rate)

    return conv


def fast_conv_transpose(nn: Any) -> Callable[..., Array]:
    """A replacement of Keras' `conv_transpose` on JAX, which falls back on it where `covers` is false."""
    stock = nn.conv_transpose

    def conv_transpose(
        inputs: Array,
        kernel: Array,
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
    ) -> Array:
        inputs, kernel = nn.convert_to_tensor(inputs), nn.convert_to_tensor(kernel)
        if covers(inputs, kernel, kernel.shape[-1], padding, data_format, dilation_rate):
            features, size, steps = inputs.shape[1:3], kernel.shape[:2], pair(strides)
            around = keras_internals.of("compute_conv_transpose_padding_args_for_jax", "jax")(
                inputs.shape, kernel.shape, steps, padding, output_padding, 1
            )
            axes = zip(features, size, steps, around, strict=True)
            samples = [(count - 1) * step + 2 - width + sum(pads) for count, width, step, pads in axes]
            if min(samples) > 0:
                before = [width - 1 - pads[0] for width, pads in zip(size, around, strict=True)]
                return transposed_convolution(
                    Geometry(pair(samples), size, features, steps, pair(before)), inputs, kernel
                )
        return stock(inputs, kernel, strides, padding, output_padding, data_format, dilation_rate)

    return conv_transpose


def covers(inputs: Array, kernel: Array, channels: int, padding: Any, data_format: str | None, dilation: Any) -> bool:
    """Whether the functions above cover a call: images, channels last, neither groups nor dilation."""
    return (
        inputs.ndim == 4
        and inputs.shape[-1] == channels
        and inputs.dtype == kernel.dtype
        and padding in ("same", "valid")
        and (data_format or keras.config.image_data_format()) == "channels_last"
        and pair(dilation) == (1, 1)
    )


def pair(value: int | Sequence[int]) -> Pair:
    """(height, width) of one number for both, or of two."""
    height, width = (value, value) if isinstance(value, int) else value
    return height, width
