"""Normalizations by labels, vectors, styles and a reference batch, against their formulas in NumPy."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from plain_numpy import drawn, numpy

from zoo import ZooError, backend, layers
from zoo.backend.contract import GradientTask

IMAGES = drawn(6, 3, 2, 4)
LABELS = np.array([0, 2, 2, 1, 0, 2])


def standardized(images: Any, axes: tuple[int, ...]) -> Any:
    mean = images.mean(axis=axes, keepdims=True)
    return (images - mean) / np.sqrt(images.var(axis=axes, keepdims=True) + 1e-5)


def conditional(classes: int = 4) -> layers.ConditionalBatchNormalization:
    """Built, its tables no longer ones and zeros."""
    layer = layers.ConditionalBatchNormalization(classes)
    layer.build([IMAGES.shape, LABELS.shape])
    layer.gamma.assign(drawn(classes, 4, seed=1))
    layer.beta.assign(drawn(classes, 4, seed=2))
    return layer


def test_each_label_has_its_scales_and_offsets() -> None:
    layer = conditional()
    gamma, beta = (numpy(table)[LABELS][:, None, None] for table in (layer.gamma, layer.beta))
    expected = standardized(IMAGES, (0, 1, 2)) * gamma + beta
    assert numpy(layer([IMAGES, LABELS], training=True)) == pytest.approx(expected, abs=1e-4)
    column = LABELS[:, None].astype("int64")
    assert numpy(layer([IMAGES, column], training=True)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_with_all_labels_equal_it_is_plain_batch_normalization(training: bool) -> None:
    layer, plain = conditional(), layers.BatchNormalization()
    plain.build(IMAGES.shape)
    plain.gamma.assign(layer.gamma[2])
    plain.beta.assign(layer.beta[2])
    outputs = layer([IMAGES, np.full(6, 2)], training=training)
    assert numpy(outputs) == pytest.approx(numpy(plain(IMAGES, training=training)), abs=1e-5)
    assert (numpy(layer.moving_mean) == numpy(plain.moving_mean)).all()
    assert (numpy(layer.moving_variance) == numpy(plain.moving_variance)).all()


def test_at_the_start_labels_change_nothing() -> None:
    layer = layers.ConditionalBatchNormalization(3)
    outputs = layer([IMAGES, LABELS], training=True)
    assert (numpy(outputs) == numpy(layers.BatchNormalization()(IMAGES, training=True))).all()


def test_rows_of_labels_that_do_not_occur_get_no_gradient_and_others_the_sum_of_theirs() -> None:
    layer = conditional(4)
    weights = drawn(*IMAGES.shape, seed=3)

    def loss() -> tuple[Any, tuple[()]]:
        return ops.sum(layer([IMAGES, LABELS], training=True) * weights), ()

    _, (gamma, beta), _ = backend.engine().player_gradients(
        loss, GradientTask([layer.gamma, layer.beta], layer.non_trainable_variables, batch_size=6)
    )
    each = weights.sum(axis=(1, 2))
    assert numpy(beta) == pytest.approx(np.stack([each[label == LABELS].sum(axis=0) for label in range(4)]), abs=1e-4)
    assert (numpy(gamma)[3] == 0).all()
    assert (numpy(gamma)[:3] != 0).all()


def test_plugins_that_refuse_batch_normalization_refuse_it_by_labels_and_vectors_too() -> None:
    assert isinstance(layers.ConditionalBatchNormalization(3), layers.BatchNormalization)
    assert isinstance(layers.ModulatedBatchNormalization(), layers.BatchNormalization)


def test_a_single_input_is_refused() -> None:
    with pytest.raises(ZooError, match=r"^ConditionalBatchNormalization takes a list of two, as in layer\(\[inputs, l"):
        layers.ConditionalBatchNormalization(3)(IMAGES)


def test_a_vectors_linear_maps_scale_around_one_and_move_around_zero() -> None:
    layer = layers.ModulatedBatchNormalization()
    vectors = drawn(6, 5, seed=1)
    outputs = numpy(layer([IMAGES, vectors], training=True))
    gain, offset = (numpy(each.kernel) for each in (layer.modulation.gain, layer.modulation.offset))
    scale, move = (1 + vectors @ gain)[:, None, None], (vectors @ offset)[:, None, None]
    assert outputs == pytest.approx(standardized(IMAGES, (0, 1, 2)) * scale + move, abs=1e-4)
    assert len(layer.trainable_variables) == 2  # no biases, no scale of its own


def test_maps_of_zeros_leave_batch_normalization() -> None:
    layer = layers.ModulatedBatchNormalization(kernel_initializer="zeros")
    outputs = layer([IMAGES, drawn(6, 5)], training=True)
    assert (numpy(outputs) == numpy(layers.BatchNormalization()(IMAGES, training=True))).all()


def test_the_two_maps_are_drawn_apart_and_each_spectrally_normalized() -> None:
    layer = layers.ModulatedBatchNormalization(spectral=True)
    for _ in range(100):
        outputs = numpy(layer([IMAGES, np.eye(6, 5, dtype="float32")], training=True))
    gain, offset = (numpy(each.layer.kernel) for each in (layer.modulation.gain, layer.modulation.offset))
    assert (gain != offset).all()
    gain, offset = (np.vstack([each / np.linalg.norm(each, 2), np.zeros((1, 4))]) for each in (gain, offset))
    expected = standardized(IMAGES, (0, 1, 2)) * (1 + gain)[:, None, None] + offset[:, None, None]
    assert outputs == pytest.approx(expected, abs=1e-3)


def test_a_style_sets_the_mean_and_the_deviation_of_each_channel() -> None:
    layer = layers.AdaptiveInstanceNormalization()
    styles = drawn(6, 5, seed=1)
    layer.build([IMAGES.shape, styles.shape])
    maps = layer.modulation
    for number, each in enumerate((maps.gain, maps.offset)):
        each.bias.assign(drawn(4, seed=number))
    outputs = numpy(layer([IMAGES, styles]))
    gain, offset = (styles @ numpy(each.kernel) + numpy(each.bias) for each in (maps.gain, maps.offset))
    assert outputs.mean(axis=(1, 2)) == pytest.approx(offset, abs=1e-4)
    assert outputs.std(axis=(1, 2)) == pytest.approx(abs(1 + gain), rel=1e-3)


@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3, 3)])
def test_a_sample_is_normalized_as_if_it_had_joined_the_reference_batch(shape: tuple[int, ...]) -> None:
    samples, reference = drawn(*shape), drawn(5, *shape[1:], seed=1)
    layer = layers.VirtualBatchNormalization()
    outputs, of_reference = (numpy(each) for each in layer([samples, reference]))
    axes = tuple(range(len(shape) - 1))
    for sample, output in zip(samples, outputs, strict=True):
        joined = standardized(np.concatenate([reference, sample[None]]), axes)
        assert output == pytest.approx(joined[-1], abs=1e-5)
    assert of_reference == pytest.approx(standardized(reference, axes), abs=1e-5)


def test_a_virtually_normalized_sample_does_not_depend_on_its_batch() -> None:
    layer = layers.VirtualBatchNormalization()
    reference = drawn(5, 3, seed=1)
    together, _ = layer([drawn(4, 3), reference])
    alone, _ = layer([drawn(4, 3)[:1], reference])
    assert numpy(together)[:1] == pytest.approx(numpy(alone), rel=1e-6)


def test_a_modulation_is_film() -> None:
    layer = layers.ChannelModulation(kernel_initializer=keras.initializers.Constant(0.5))
    outputs = layer([np.array([[2.0, 3.0]]), np.array([[1.0, 3.0]])])  # 1 + .5 * 4 times x, plus .5 * 4
    assert numpy(outputs) == pytest.approx(np.array([[3 * 2 + 2, 3 * 3 + 2]]))
