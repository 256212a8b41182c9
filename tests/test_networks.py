"""Models that plugins extend one on top of the other."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError, backend, networks


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


def test_heads_of_several_plugins_branch_off_one_another_so_that_no_tensor_is_read_three_times() -> None:
    """The order of three gradients' sum is TensorFlow's choice anew in each process; that of two has no effect."""
    model = plain()
    for count in (1, 2):
        heads = [keras.layers.Dense(1)(each) for each in networks.branches(model, count)]
        model = networks.extended(model, outputs={f"{count}-{place}": each for place, each in enumerate(heads)})
    readers = [len(layer._outbound_nodes) for layer in model.layers if not isinstance(layer, keras.layers.Dense)]
    assert max(readers) == 2
    assert set(model.output) == {"logits", "1-0", "2-0", "2-1"}
    answer = keras.Model(model.input, networks.branches(model)[0])({"samples": np.ones((2, 2))})
    assert ops.convert_to_numpy(answer).tolist() == [[1, 1], [1, 1]]


def test_another_input_of_a_name_that_is_there_is_refused() -> None:
    other: dict[str, Any] = {"labels": keras.Input((1,), name="labels")}
    with pytest.raises(ZooError, match=r"has an input 'labels' already: extend it with zoo.networks.input_of"):
        networks.extended(shifted(plain()), other)


def test_features_are_asked_for_by_name_where_there_are_none() -> None:
    samples = keras.Input((2,))
    with pytest.raises(ZooError, match="The discriminator 'bare' has no layer named 'features'"):
        networks.features_of(keras.Model(samples, keras.layers.Dense(1)(samples), name="bare"))


def test_latents_of_a_generator_are_what_is_neither_code_nor_field_nor_truncation() -> None:
    given = {
        "latents": ops.zeros((2, 3)), "code": ops.zeros((2,), "int32"), "labels": ops.zeros((2,), "int32"),
        "source": ops.zeros((2, 4, 4, 1)), "truncation": ops.ones((2, 1)),
    }  # fmt: skip
    fields = {"samples": None, "labels": None, "source": None}
    assert list(networks.own_latents(given, fields)) == ["latents"]
    moved = networks.with_latents(given, {"latents": ops.ones((2, 3))})
    assert {name: float(ops.mean(each)) for name, each in moved.items()} == {
        "latents": 1, "code": 0, "labels": 0, "source": 0, "truncation": 1,
    }  # fmt: skip
    alone = ops.zeros((2, 3))
    assert networks.own_latents(alone, {})["latents"] is alone
    assert networks.with_latents(alone, {"latents": 5}) == 5


def test_substituted_weights_compute_and_are_gone_afterwards() -> None:
    model = plain()
    (kernel,) = model.trainable_variables
    with networks.substituted([(kernel, ops.convert_to_tensor([[3.0], [5.0]]))]):
        assert float(model(np.ones((1, 2)))[0, 0]) == 8
        kernel.assign([[7.0], [7.0]])  # as a layer's state is
    assert float(model(np.ones((1, 2)))[0, 0]) == 2


def test_values_one_after_the_other_are_tensors_again() -> None:
    tensors = [ops.reshape(ops.arange(6.0), (2, 3)), ops.convert_to_tensor(7.0), ops.convert_to_tensor([8.0, 9.0])]
    values = networks.flattened(tensors)
    assert [float(each) for each in values] == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    back = networks.unflattened(values * 2, tensors)
    assert [ops.convert_to_numpy(each).tolist() for each in back] == [[[0, 2, 4], [6, 8, 10]], 14, [16, 18]]


def test_gradients_are_of_lists_and_dicts_too() -> None:
    inputs = [ops.convert_to_tensor(2.0), ops.convert_to_tensor(3.0)]
    gradients = backend.engine().input_gradients
    assert [float(each) for each in gradients(lambda both: both[0] * both[1], inputs)] == [3, 2]
    named = gradients(lambda both: both["x"] * both["y"], dict(zip("xy", inputs, strict=True)))
    assert {name: float(each) for name, each in named.items()} == {"x": 3, "y": 2}


def test_a_vector_takes_the_place_of_the_logits() -> None:
    answer = networks.vector_critic(plain(), 5)({"samples": np.ones((3, 2))})
    assert {name: each.shape for name, each in answer.items()} == {"logits": (3, 5)}
