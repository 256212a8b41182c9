"""The normalizations against Keras' own, against formulas in NumPy, and against a file of an earlier zoo."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from plain_numpy import drawn, numpy

from zoo import ZooError, backend, layers
from zoo.backend.normalization import batch_normalized

NORMALIZATIONS = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.InstanceNormalization,
)


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


def old_model() -> keras.Model:
    """Saved when `zoo.layers` was a single module: each of its layers, their weights drawn and moved."""
    return keras.models.load_model(Path(__file__).with_name("of_one_module.keras"))


def test_a_model_saved_before_the_layers_were_a_package_gives_what_it_gave() -> None:
    inputs = np.random.default_rng(0).normal(size=(4, 4, 4, 3)).astype("float32")
    expected = [[-0.46495786, -1.1383018], [0.43977317, -1.3189247], [0.40954500, -0.8786433], [1.4325769, 0.35288626]]
    assert numpy(old_model()(inputs, training=False)) == pytest.approx(np.array(expected), rel=1e-5)


def test_the_weights_of_that_model_have_their_names_and_are_as_many() -> None:
    names = [[variable.name for variable in layer.variables] for layer in old_model().layers if layer.variables]
    scales = ["gamma", "beta"]
    assert names == [
        ["singular_vector", "kernel", "bias"],
        [*scales, "moving_mean", "moving_variance"],
        *([scales] * 3),
        ["singular_vector", "kernel", "bias"],
    ]


@pytest.mark.parametrize("kind", NORMALIZATIONS)
@pytest.mark.parametrize("training", [True, False])
def test_without_scales_it_is_as_with_scales_of_one_and_offsets_of_zero(
    kind: type[keras.Layer], training: bool
) -> None:
    inputs = drawn(4, 3, 2, 8)
    bare = kind(affine=False)
    assert (numpy(bare(inputs, training=training)) == numpy(kind()(inputs, training=training))).all()
    assert bare.trainable_variables == []


def test_the_channels_at_a_pixel_get_the_mean_square_one() -> None:
    inputs = np.array([[[[3.0, 4.0]], [[0.0, 0.0]]]], "float32")  # mean squares 12.5 and 0
    outputs = numpy(layers.PixelNormalization()(inputs))
    assert outputs[0, 0, 0] == pytest.approx(np.array([3, 4]) / 12.5**0.5)
    assert (outputs[0, 1, 0] == 0).all()


def test_scaled_latents_are_the_same_after_pixel_normalization() -> None:
    latents = drawn(4, 16)
    once, scaled = (numpy(layers.PixelNormalization()(latents * scale)) for scale in (1.0, 7.0))
    assert once == pytest.approx(scaled, rel=1e-5)
    assert (once**2).mean(axis=1) == pytest.approx(np.ones(4), rel=1e-5)
