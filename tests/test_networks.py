"""Models that plugins extend one on top of the other."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError, networks


def plain() -> keras.Model:
    """The sum of two coordinates."""
    samples = keras.Input((2,))
    features = keras.layers.Identity(name="features")(samples)
    return keras.Model(samples, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(features), name="d")


def shifted(model: keras.Model) -> keras.Model:
    """The logits plus the labels."""
    labels = networks.input_of(model, "labels", (1,))
    logits = networks.outputs_of(model, "logits")["logits"]
    return networks.extended(model, {"labels": labels}, {"logits": keras.layers.Add()([logits, labels])})


def test_two_extensions_share_an_input_that_both_take() -> None:
    model = shifted(shifted(plain()))
    answer = model({"samples": np.ones((1, 2)), "labels": np.full((1, 1), 5.0)})
    assert float(ops.squeeze(answer["logits"])) == 2 + 5 + 5


def test_another_input_of_a_name_that_is_there_is_refused() -> None:
    other: dict[str, Any] = {"labels": keras.Input((1,), name="labels")}
    with pytest.raises(ZooError, match=r"has an input 'labels' already: extend it with zoo.networks.input_of"):
        networks.extended(shifted(plain()), other)


def test_features_are_asked_for_by_name_where_there_are_none() -> None:
    samples = keras.Input((2,))
    with pytest.raises(ZooError, match="The discriminator 'bare' has no layer named 'features'"):
        networks.features_of(keras.Model(samples, keras.layers.Dense(1)(samples), name="bare"))
