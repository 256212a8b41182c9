"""The zoo's layers against Keras' own in their values, NumPy's singular values, and finite differences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zoo import ZooError, backend, layers
from zoo.backend.normalization import batch_normalized

NORMALIZATIONS = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.InstanceNormalization,
)


def drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(1.0, 2.0, shape).astype(keras.config.floatx())


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


def with_random_scales(layer: Any, inputs: Any) -> Any:
    """The layer, built, its scales and offsets no longer 1 and 0."""
    layer.build(inputs.shape)
    layer.gamma.assign(drawn(*layer.gamma.shape, seed=1))
    layer.beta.assign(drawn(*layer.beta.shape, seed=2))
    return layer


@pytest.mark.parametrize("shape", [(5, 6), (4, 3, 2, 6)])
def test_batch_normalization_equals_keras_in_training_and_in_inference(shape: tuple[int, ...]) -> None:
    stock = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    ours = layers.BatchNormalization()
    inputs = drawn(*shape)
    for layer in (stock, ours):
        with_random_scales(layer, inputs)
    for number in range(3):
        more = drawn(*shape, seed=number)
        assert numpy(ours(more, training=True)) == pytest.approx(numpy(stock(more, training=True)), abs=1e-5)
    assert numpy(ours.moving_mean) == pytest.approx(numpy(stock.moving_mean), abs=1e-5)
    assert numpy(ours.moving_variance) == pytest.approx(numpy(stock.moving_variance), abs=1e-5)
    assert numpy(ours(inputs, training=False)) == pytest.approx(numpy(stock(inputs, training=False)), abs=1e-5)


def test_the_moving_statistics_follow_their_formula() -> None:
    layer = layers.BatchNormalization(momentum=0.75)
    layer(np.array([[1.0], [3.0]], "float32"), training=True)  # mean 2, biased variance 1
    assert numpy(layer.moving_mean) == pytest.approx([0.25 * 2])
    assert numpy(layer.moving_variance) == pytest.approx([0.75 * 1 + 0.25 * 1])
    layer(np.array([[0.0], [6.0]], "float32"), training=True)  # mean 3, biased variance 9
    assert numpy(layer.moving_mean) == pytest.approx([0.75 * 0.5 + 0.25 * 3])
    assert numpy(layer.moving_variance) == pytest.approx([0.75 * 1 + 0.25 * 9])


def test_inference_leaves_the_moving_statistics_alone() -> None:
    layer = layers.BatchNormalization()
    layer(drawn(4, 3), training=False)
    assert (numpy(layer.moving_mean) == 0).all()
    assert (numpy(layer.moving_variance) == 1).all()


@pytest.mark.parametrize("shape", [(5, 6), (4, 3, 2, 6)])
def test_layer_normalization_equals_keras_over_all_of_a_samples_values(shape: tuple[int, ...]) -> None:
    inputs = drawn(*shape)
    stock = keras.layers.LayerNormalization(axis=tuple(range(1, len(shape))), epsilon=1e-5, center=False, scale=False)
    assert numpy(layers.LayerNormalization()(inputs)) == pytest.approx(numpy(stock(inputs)), abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "groups"), [((5, 6), 1), ((5, 6), 2), ((5, 6), 3), ((4, 3, 2, 6), 3), ((4, 3, 2, 6), 6)]
)
def test_group_normalization_equals_keras(shape: tuple[int, ...], groups: int) -> None:
    inputs = drawn(*shape)
    stock = with_random_scales(keras.layers.GroupNormalization(groups, epsilon=1e-5), inputs)
    ours = with_random_scales(layers.GroupNormalization(groups), inputs)
    assert numpy(ours(inputs)) == pytest.approx(numpy(stock(inputs)), abs=1e-5)


def test_group_normalization_takes_as_many_groups_as_divide_the_channels() -> None:
    inputs = drawn(4, 3, 3, 12)
    four = layers.GroupNormalization(4)(inputs)
    assert numpy(layers.GroupNormalization(8)(inputs)) == pytest.approx(numpy(four))


def test_instance_normalization_equals_one_group_a_channel() -> None:
    inputs = drawn(4, 3, 5, 6)
    stock = with_random_scales(keras.layers.GroupNormalization(6, epsilon=1e-5), inputs)
    ours = with_random_scales(layers.InstanceNormalization(), inputs)
    assert numpy(ours(inputs)) == pytest.approx(numpy(stock(inputs)), abs=1e-5)


def test_instance_normalization_refuses_the_features_of_a_dense_layer() -> None:
    with pytest.raises(ZooError, match=r"^Instance normalization needs images; .* discriminator_normalization=layer"):
        layers.InstanceNormalization()(drawn(4, 3))


def test_group_normalization_refuses_groups_of_a_single_value() -> None:
    with pytest.raises(ZooError) as raised:
        layers.GroupNormalization()(drawn(4, 2))
    assert str(raised.value) == (
        "Group normalization of 2 features in 2 groups would make them all zero. Use wider layers, or "
        "discriminator_normalization=layer."
    )


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_constant_inputs_stay_finite(kind: type[keras.Layer]) -> None:
    inputs = ops.ones((2, 3, 3, 4))
    layer = kind()
    slopes = backend.engine().input_gradients(lambda each: ops.square(layer(each, training=True)), inputs)
    assert np.isfinite(numpy(layer(inputs))).all()
    assert np.isfinite(numpy(slopes)).all()


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

    _, (gradient,), _ = backend.engine().player_gradients(loss, [dense.kernel], [], batch_size=5)

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


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(momentum=0.8, epsilon=1e-3, gamma_initializer=keras.initializers.Constant(2.0)),
        layers.LayerNormalization(epsilon=1e-3),
        layers.GroupNormalization(groups=2, epsilon=1e-3),
        layers.InstanceNormalization(epsilon=1e-3),
        layers.SpectralNormalization(keras.layers.Conv2D(3, 2)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_saved_model_is_read_back_with_the_same_settings_and_values(layer: keras.Layer, tmp_path: Path) -> None:
    inputs = drawn(4, 5, 5, 4)
    samples = keras.Input(inputs.shape[1:])
    model = keras.Model(samples, layer(samples))
    model(inputs, training=True)  # moving statistics and vectors are no longer the initial ones
    model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    assert json.dumps(read.layers[1].get_config()) == json.dumps(layer.get_config())  # tuples are lists in the file
    assert (numpy(read(inputs, training=False)) == numpy(model(inputs, training=False))).all()
    assert (numpy(read(inputs, training=True)) == numpy(model(inputs, training=True))).all()


def test_normalized_names_what_there_is() -> None:
    with pytest.raises(ZooError) as raised:
        layers.normalized(keras.layers.Dense(3), "bach")
    assert str(raised.value) == (
        "Unknown normalization: 'bach'. Available: batch, group, instance, layer, none, spectral. Did you mean 'batch'?"
    )


def test_the_backends_kernel_of_batch_normalization_equals_the_formula_up_to_second_order_gradients() -> None:
    """float32 alone has the kernel; everything else in this file is float64, the formula."""
    layer = layers.BatchNormalization(momentum=0.0, dtype="float32")
    values, weights = drawn(8, 5, 5, 6).astype("float32"), drawn(8, 5, 5, 6, seed=1).astype("float32")
    layer.build(values.shape)
    layer.gamma.assign(1 + drawn(6, seed=2) / 10)
    assert batch_normalized(ops.convert_to_tensor(values), layer.gamma, layer.beta, layer.epsilon) is not None

    def measured(normalized: Callable[[Any], tuple[Any, Any, Any]]) -> list[Any]:
        inputs = tf.constant(values)
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                outputs, mean, variance = normalized(inputs)
                total = tf.reduce_sum(tf.nn.leaky_relu(outputs, 0.2) * weights)
            slopes = inner.gradient(total, inputs)
            penalty = tf.reduce_mean(tf.square(tf.reduce_sum(tf.square(slopes), [1, 2, 3])))
        return [numpy(each) for each in (outputs, mean, variance, slopes, outer.gradient(penalty, inputs))]

    def kernel(inputs: Any) -> Any:
        return batch_normalized(inputs, layer.gamma, layer.beta, layer.epsilon)

    for received, expected in zip(measured(kernel), measured(layer.by_formula), strict=True):
        assert np.linalg.norm(received - expected) < 1e-5 * np.linalg.norm(expected)
    layer(values, training=True)
    assert numpy(layer.moving_variance) == pytest.approx(values.astype("float64").var(axis=(0, 1, 2)), rel=1e-5)
