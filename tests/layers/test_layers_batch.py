"""Minibatch deviation and discrimination against numbers worked out by hand and their definitions."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from plain_numpy import drawn, numpy

from zoo import ZooError, layers


def deviations(samples: Any, group_size: int = 4) -> Any:
    """The number that each sample got: the same at all its positions."""
    outputs = numpy(layers.MinibatchDeviation(group_size)(samples))
    assert (outputs[..., :-1] == samples).all()
    own = outputs[..., -1].reshape(len(samples), -1)
    assert (own == own[:, :1]).all()
    return own[:, 0]


def by_definition(samples: Any, groups: int) -> Any:
    number = np.arange(len(samples)) % groups
    of_group = [np.sqrt(samples[number == each].var(axis=0) + 1e-8).mean() for each in range(groups)]
    return np.array(of_group)[number]


def test_groups_of_equal_samples_do_not_differ() -> None:
    """Eight samples in groups of four: sample i is with i + 2, not with i + 1."""
    samples = np.tile(drawn(2, 3, 3, 5), (4, 1, 1, 1))
    assert deviations(samples) == pytest.approx(np.zeros(8), abs=1.01e-4)  # sqrt(1e-8)
    neighbours = drawn(2, 3, 3, 5).repeat(4, axis=0)
    assert (deviations(neighbours) > 0.5).all()


def test_samples_of_plus_and_minus_one_deviate_by_one() -> None:
    signs = np.array([1, 1, -1, -1], "float32")[:, None, None, None]
    assert deviations(signs * np.ones((4, 2, 3, 5), "float32")) == pytest.approx(np.ones(4))


@pytest.mark.parametrize(
    ("count", "groups"), [(8, 2), (12, 3), (4, 1), (3, 1), (1, 1), (6, 1), (7, 1), (9, 2), (11, 2), (13, 3)]
)
def test_batches_that_groups_do_not_divide_have_larger_groups(count: int, groups: int) -> None:
    samples = drawn(count, 2, 3, 5)
    assert deviations(samples) == pytest.approx(by_definition(samples, groups), rel=1e-4, abs=1e-5)


def test_features_without_positions_have_a_deviation_too() -> None:
    samples = drawn(8, 5)
    assert deviations(samples) == pytest.approx(by_definition(samples, 2), rel=1e-4)


@pytest.mark.parametrize("compiled_by_xla", [False, True])
def test_a_graph_for_batches_of_any_size_gives_what_each_size_gives(compiled_by_xla: bool) -> None:
    layer = layers.MinibatchDeviation()
    shape = [None, 2, 3, 5]
    graph = tf.function(layer, input_signature=[tf.TensorSpec(shape)], jit_compile=compiled_by_xla)
    for count in (1, 6, 8) if not compiled_by_xla else (6,):
        samples = drawn(count, 2, 3, 5)
        assert numpy(graph(samples)) == pytest.approx(numpy(layer(samples)), abs=1e-6)


def test_groups_of_one_are_refused() -> None:
    with pytest.raises(ZooError, match=r"A group of 1 does not differ"):
        layers.MinibatchDeviation(1)


def near(samples: Any, kernel: Any | None = None) -> Any:
    """What minibatch discrimination joins to samples."""
    layer = layers.MinibatchDiscrimination(3, 2)
    layer.build(samples.shape)
    layer.kernel.assign(layer.kernel if kernel is None else kernel)
    outputs = numpy(layer(samples))
    assert (outputs[:, : samples.shape[1]] == samples).all()
    return outputs[:, samples.shape[1] :]


def test_nearness_is_the_sum_of_exponentials_of_distances_to_the_others() -> None:
    samples, kernel = drawn(4, 5), drawn(5, 6, seed=1) / 10
    points = (samples @ kernel).reshape(4, 3, 2)
    expected = [
        [sum(np.exp(-abs(points[i, b] - points[j, b]).sum()) for j in range(4) if j != i) for b in range(3)]
        for i in range(4)
    ]
    assert near(samples, kernel) == pytest.approx(np.array(expected), rel=1e-4)


def test_equal_samples_are_as_near_as_there_are_others() -> None:
    assert near(np.tile(drawn(1, 5), (6, 1))) == pytest.approx(np.full((6, 3), 5.0))
    assert near(drawn(1, 5)) == pytest.approx(np.zeros((1, 3)), abs=1e-6)


def test_samples_far_apart_are_not_near() -> None:
    assert near(1e3 * drawn(2, 5), drawn(5, 6, seed=1)) == pytest.approx(np.zeros((2, 3)), abs=1e-6)


@pytest.mark.parametrize("layer", [layers.MinibatchDiscrimination(3, 2), layers.MinibatchDeviation(5)])
def test_permuted_samples_give_permuted_outputs(layer: keras.Layer) -> None:
    samples, order = drawn(5, 4), np.array([3, 0, 4, 1, 2])
    assert numpy(layer(samples[order])) == pytest.approx(numpy(layer(samples))[order], rel=1e-3)


def test_discrimination_of_images_is_refused() -> None:
    with pytest.raises(ZooError, match=r"compares features \(B, A\); received shape \(2, 3, 3, 4\). Flatten first"):
        layers.MinibatchDiscrimination()(drawn(2, 3, 3, 4))
