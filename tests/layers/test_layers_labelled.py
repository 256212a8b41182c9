"""Labels beside what a player is given: its first layer by hand, and what else stays as it was."""

from typing import Any

import keras
import numpy as np
import pytest
from by_hand import gradients, rows
from keras import ops
from plain_numpy import drawn, numpy

from zoo import ZooError, layers, losses

LABELS = np.array([0, 2, 1, 2], "int32")
ONE_HOT = np.eye(3)[LABELS]


def only(model: keras.Model, kind: type) -> Any:
    (found,) = [layer for layer in model.layers if isinstance(layer, kind)]
    return found


def test_a_label_is_a_further_row_of_the_generators_first_kernel() -> None:
    symbolic, latents = keras.Input((4,)), drawn(4, 4)
    below = keras.Model(symbolic, keras.layers.Dense(5)(symbolic), name="g")
    model = layers.labels_with_latents("mine", below, 3)
    layer = only(model, keras.layers.Dense)
    assert layer.kernel.shape == (7, 5)
    kernel = numpy(layer.kernel)
    expected = latents @ kernel[:4] + kernel[4:][LABELS]
    assert numpy(model({"latents": latents, "labels": LABELS})) == pytest.approx(expected, abs=1e-5)


def test_labels_are_maps_beside_the_channels_that_a_convolution_sees() -> None:
    samples = keras.Input((4, 6, 2))
    x = keras.layers.Conv2D(3, 1, name="first")(samples)
    x = keras.layers.Flatten(name="features")(x)
    model = layers.labels_with_samples(keras.Model(samples, keras.layers.Dense(1)(x), name="d"), 3)
    images = drawn(4, 4, 6, 2)
    kernel = numpy(model.get_layer("first").kernel)[0, 0]
    assert kernel.shape == (5, 3)
    first = keras.Model(model.input, model.get_layer("first").output)({"samples": images, "labels": LABELS})
    assert numpy(first) == pytest.approx(images @ kernel[:2] + (ONE_HOT @ kernel[2:])[:, None, None], abs=1e-5)


@pytest.mark.parametrize("shape", [(4, 6, 2), (2,)])
def test_labels_follow_flattened_images_and_points(shape: tuple[int, ...]) -> None:
    samples = keras.Input(shape)
    x = keras.layers.Dense(1, name="first")(keras.layers.Flatten()(samples) if len(shape) == 3 else samples)
    model = layers.labels_with_samples(keras.Model(samples, x, name="d"), 3)
    given = drawn(4, *shape)
    kernel = numpy(model.get_layer("first").kernel)
    size = int(np.prod(shape))
    assert kernel.shape == (size + 3, 1)
    expected = given.reshape(4, -1) @ kernel[:size] + ONE_HOT @ kernel[size:]
    assert numpy(model({"samples": given, "labels": LABELS})) == pytest.approx(expected, abs=1e-5)


def test_an_inner_model_is_made_as_wide_as_what_it_is_given_and_stays_one_where_it_is_called_twice() -> None:
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, keras.layers.Dense(5)(inner_input), name="mapping")
    latents = keras.Input((4,))
    twice = keras.layers.Add()([inner(latents), inner(latents)])
    model = layers.labels_with_latents("mine", keras.Model(latents, twice, name="g"), 3)
    assert [tuple(each.shape) for each in model.trainable_variables] == [(7, 5), (5,)]


def test_a_frozen_network_is_not_built_once_more() -> None:
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, keras.layers.Dense(5)(inner_input), name="seen")
    inner.trainable = False
    samples = keras.Input((4,))
    with pytest.raises(ZooError, match="The model 'd' holds a frozen network, 'seen'"):
        layers.labels_with_samples(keras.Model(samples, inner(samples), name="d"), 3)


def test_classes_are_told_from_the_features_and_proxies_are_rows_of_a_table() -> None:
    samples = keras.Input((2,))
    features = keras.layers.Identity(name="features")(samples)
    below = keras.Model(samples, keras.layers.Dense(1)(features), name="d")
    model = layers.with_embedding(below, 3, 4, is_spectral=False)
    given = drawn(4, 2)
    answer = model({"samples": given, "labels": LABELS})
    assert set(answer) == {"logits", "embedding", "proxy"}
    assert numpy(answer["proxy"]) == pytest.approx(numpy(only(model, keras.layers.Embedding).embeddings)[LABELS])
    assert numpy(model({"samples": given, "labels": LABELS[::-1]})["embedding"]) == pytest.approx(
        numpy(answer["embedding"])
    )


def test_the_cross_entropy_of_classes_has_the_gradient_of_a_one_hot_label() -> None:
    logits = drawn(4, 3)
    found = gradients(lambda each: losses.class_cross_entropy(each, ops.convert_to_tensor(LABELS)), rows(logits))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert numpy(found) == pytest.approx((shares - ONE_HOT) / 4, abs=1e-6)
    perfect = losses.class_cross_entropy(rows(1e4 * ONE_HOT), ops.convert_to_tensor(LABELS))
    assert float(perfect) == 0
