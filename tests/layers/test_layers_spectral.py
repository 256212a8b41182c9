"""Spectral normalization against NumPy's singular values of the matrices that PyTorch makes of each kernel."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from plain_numpy import drawn, numpy

from zoo import ZooError, backend, layers
from zoo.backend.contract import GradientTask


def test_the_spectrally_normalized_kernel_has_the_largest_singular_value_one() -> None:
    convolution = keras.layers.Conv2D(5, 3, use_bias=False)
    layer = layers.SpectralNormalization(convolution)
    inputs = drawn(1, 3, 3, 4)  # one output position: a convolution is then a product with its kernel as a matrix
    for _ in range(200):
        layer(inputs, training=True)
    kernel = numpy(convolution.kernel).reshape(-1, 5)
    singular_values = np.linalg.svd(kernel, compute_uv=False)
    outputs = numpy(layer(inputs, training=False)).reshape(1, 5)
    assert outputs == pytest.approx(inputs.reshape(1, -1) @ kernel / singular_values[0], rel=1e-4, abs=1e-5)
    assert (numpy(convolution.kernel).reshape(-1, 5) == kernel).all()  # the stored kernel stays as it was


def test_the_spectral_vector_moves_in_training_only() -> None:
    layer = layers.SpectralNormalization(keras.layers.Dense(5))
    inputs = drawn(2, 4)
    layer(inputs)
    before = numpy(layer.singular_vector)
    layer(inputs, training=False)
    assert (numpy(layer.singular_vector) == before).all()
    layer(inputs, training=True)
    assert (numpy(layer.singular_vector) != before).any()


def test_a_kernel_of_zeros_gives_finite_outputs() -> None:
    layer = layers.SpectralNormalization(keras.layers.Dense(5, kernel_initializer="zeros"))
    assert np.isfinite(numpy(layer(drawn(2, 4), training=True))).all()


@pytest.mark.usefixtures("float64")
def test_the_gradient_flows_through_the_singular_value() -> None:
    dense = keras.layers.Dense(3, use_bias=False)
    layer = layers.SpectralNormalization(dense)
    inputs, weights = drawn(5, 4), drawn(5, 3, seed=1)
    layer(inputs)
    kernel = drawn(4, 3, seed=2)
    dense.kernel.assign(kernel)
    _, _, right = np.linalg.svd(kernel)
    layer.singular_vector.assign(right[:1])  # the power iteration has converged

    def loss() -> tuple[Any, tuple[()]]:
        return ops.sum(layer(inputs, training=True) * weights), ()

    _, (gradient,), _ = backend.engine().player_gradients(
        loss, GradientTask([dense.kernel], layer.non_trainable_variables, batch_size=5)
    )

    def value(matrix: Any) -> float:
        return float(np.sum(inputs @ (matrix / np.linalg.svd(matrix, compute_uv=False)[0]) * weights))

    expected = finite_differences(value, kernel)
    assert numpy(gradient) == pytest.approx(expected, rel=1e-6, abs=1e-8)
    stopped = inputs.T @ weights / np.linalg.svd(kernel, compute_uv=False)[0]  # what Keras' own layer gives
    assert np.linalg.norm(expected - stopped) > 0.01 * np.linalg.norm(expected)


def finite_differences(function: Callable[[Any], float], point: Any, size: float = 1e-6) -> Any:
    """Central differences of a scalar function by each coordinate."""
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        shift = np.zeros_like(point)
        shift[index] = size
        gradient[index] = (function(point + shift) - function(point - shift)) / (2 * size)
    return gradient


def test_normalized_names_what_there_is() -> None:
    with pytest.raises(ZooError) as raised:
        layers.normalized(keras.layers.Dense(3), "bach")
    assert str(raised.value) == (
        "Unknown normalization: 'bach'. Did you mean 'batch'? Available: batch, group, instance, layer, none, spectral."
    )


SETTLED = {"power_iterations": 200}


def largest(matrix: Any) -> float:
    return float(np.linalg.svd(matrix, compute_uv=False)[0])


def test_a_transposed_convolution_is_divided_by_the_value_of_its_matrix_of_output_channels() -> None:
    stock = keras.layers.Conv2DTranspose(5, (3, 2), strides=2, padding="same")
    layer = layers.SpectralNormalization(stock, **SETTLED)
    inputs = drawn(2, 4, 3, 4)
    layer.build(inputs.shape)
    kernel = drawn(3, 2, 5, 4, seed=1) - 1  # output channels before input channels
    stock.kernel.assign(kernel)
    outputs = numpy(layer(inputs, training=True))
    sigma = largest(np.moveaxis(kernel, 2, 0).reshape(5, -1))  # PyTorch's (dim=1 of in, out, height, width)
    assert sigma != pytest.approx(largest(kernel.reshape(-1, 4)), rel=1e-2)  # what the last axis would give
    expected = ops.conv_transpose(inputs, kernel / sigma, strides=2, padding="same")
    assert outputs == pytest.approx(numpy(expected), rel=1e-4, abs=1e-5)
    assert layer.singular_vector.shape == (1, 5)


def test_a_depthwise_convolution_is_divided_by_one_value_for_the_filters_of_all_channels() -> None:
    stock = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_initializer="glorot_normal")
    layer = layers.SpectralNormalization(stock, **SETTLED)
    inputs = drawn(2, 4, 4, 3)
    outputs = numpy(layer(inputs, training=True))
    kernel = numpy(stock.kernel)  # (3, 3, 3, 2)
    sigma = largest(np.moveaxis(kernel, (2, 3), (0, 1)).reshape(6, 9))  # PyTorch's (in x multiplier, 1, height, width)
    expected = ops.depthwise_conv(inputs, kernel / sigma)
    assert outputs == pytest.approx(numpy(expected), rel=1e-4, abs=1e-5)


def test_both_kernels_of_a_separable_convolution_are_divided() -> None:
    stock = keras.layers.SeparableConv2D(5, 3, use_bias=False)
    layer = layers.SpectralNormalization(stock, **SETTLED)
    inputs = drawn(2, 4, 4, 3)
    outputs = numpy(layer(inputs, training=True))
    depthwise, pointwise = numpy(stock.depthwise_kernel), numpy(stock.pointwise_kernel)
    between = ops.depthwise_conv(inputs, depthwise / largest(depthwise.reshape(9, 3)))
    expected = ops.conv(between, pointwise / largest(pointwise.reshape(3, 5)))
    assert outputs == pytest.approx(numpy(expected), rel=1e-4, abs=1e-5)
    assert [each.name for each in layer.singular_vectors] == ["singular_vector", "singular_vector_1"]


def test_the_table_of_an_embedding_is_divided() -> None:
    stock = keras.layers.Embedding(7, 4)
    layer = layers.SpectralNormalization(stock, **SETTLED)
    labels = np.array([3, 0, 3])
    outputs = numpy(layer(labels, training=True))
    table = numpy(stock.embeddings)
    assert outputs == pytest.approx(table[labels] / largest(table), rel=1e-4)


def test_a_scaled_kernel_gives_the_same_outputs() -> None:
    dense = keras.layers.Dense(5, use_bias=False)
    layer = layers.SpectralNormalization(dense)
    inputs = drawn(2, 4)
    before = numpy(layer(inputs))
    dense.kernel.assign(3.0 * dense.kernel)
    assert numpy(layer(inputs)) == pytest.approx(before, rel=1e-5)


def test_several_power_iterations_in_a_call_are_as_many_calls_of_one() -> None:
    one, three = (layers.SpectralNormalization(keras.layers.Dense(5), count) for count in (1, 3))
    inputs = drawn(2, 4)
    for layer in (one, three):
        layer(inputs)
        layer.layer.kernel.assign(drawn(4, 5, seed=1))
        layer.singular_vector.assign(drawn(1, 5, seed=2))
    for _ in range(3):
        one(inputs, training=True)
    three(inputs, training=True)
    assert numpy(three.singular_vector) == pytest.approx(numpy(one.singular_vector), rel=1e-5)


def test_no_power_iterations_are_refused() -> None:
    with pytest.raises(ZooError, match=r"needs 1 or more power iterations; received 0"):
        layers.SpectralNormalization(keras.layers.Dense(5), power_iterations=0)


def test_a_layer_without_a_kernel_is_refused() -> None:
    with pytest.raises(ZooError, match=r"finds no kernel in 'flat' \(Flatten\). Wrap a dense layer, a convolution"):
        layers.SpectralNormalization(keras.layers.Flatten(name="flat"))(drawn(2, 3, 3))
