"""What holds for every layer: gradients of both orders on both backends, files, precisions, batches of any size."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from layer_cases import CASES, RANDOM, Case, as_given, built, outcome, symbolic_shapes
from plain_numpy import numpy

from zoo import layers

ON_TENSORFLOW, ON_JAX = 1e-5, 1e-3  # of finite differences; Keras on JAX rounds means to float32
AGREEMENT = 1e-5  # of the backends, for the same reason
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # to compile
each_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def on_tensorflow() -> Callable[[str], Any]:
    """Measured once for all tests."""
    return cache(lambda name: outcome(CASES[name]))


@pytest.fixture(scope="module")
def on_jax() -> Iterator[Callable[[], Any]]:
    """One process measures all; it runs beside the tests that don't ask for it yet."""
    command = [sys.executable, Path(__file__).with_name("layers_on_jax.py")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env={**os.environ, "XLA_FLAGS": QUICK}, **pipes)

    @cache
    def found() -> Any:
        out, err = process.communicate()
        assert process.returncode == 0, err
        return json.loads(out)

    yield found
    process.kill()  # without effect on one that has ended
    process.communicate()


def given(case: Case, dtype: str, seed: int = 0) -> Any:
    inputs = case.inputs(seed)
    return as_given(
        [ops.cast(each, dtype) if each.dtype.kind == "f" else ops.convert_to_tensor(each) for each in inputs]
    )


def results(found: Any) -> list[Any]:
    return [numpy(ops.cast(each, "float32")) for each in (found if isinstance(found, list) else [found])]


def model_of(layer: keras.Layer, case: Case) -> keras.Model:
    inputs = [keras.Input(each.shape[1:], dtype=str(each.dtype)) for each in case.inputs()]
    return keras.Model(inputs, layer(as_given(inputs)))


@pytest.mark.usefixtures("float64", "on_jax")
@each_case
def test_second_order_gradients_are_those_of_finite_differences_on_tensorflow(
    name: str, on_tensorflow: Callable
) -> None:
    _, errors = on_tensorflow(name)
    assert max(errors.values()) < ON_TENSORFLOW, errors


@pytest.mark.usefixtures("float64")
def test_the_measure_finds_the_gradient_that_keras_own_batch_normalization_stops() -> None:
    _, errors = outcome(Case(keras.layers.BatchNormalization))
    assert max(errors.values()) > 10 * ON_TENSORFLOW


@pytest.mark.parametrize("kind", [each for each in vars(layers).values() if inspect.isclass(each)])
def test_every_layer_is_among_the_cases_and_says_whose_it_is(kind: type) -> None:
    if kind in (layers.ExactLayer, layers.NoiseDropout):  # a base class, and Keras' own Dropout that is left on
        return
    made = {type(case.make()) for case in CASES.values()}
    assert kind in made
    assert "20" in kind.__doc__  # a year


@each_case
def test_a_saved_layer_is_read_back_with_its_settings_and_its_values(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    layer = built(case)
    model = model_of(layer, case)
    model(given(case, "float32"), training=True)  # what a layer remembers is no longer as at the start
    model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(read.variables, model.variables, strict=True):
        assert name in RANDOM or (numpy(one) == numpy(other)).all()
        one.assign(other)  # a generator begins anew
    config = [each.get_config() for each in read.layers if type(each) is type(layer)]
    assert json.dumps(config[0]) == json.dumps(layer.get_config())  # tuples are lists in the file
    for training in (False, True):
        pairs = zip(*(results(each(given(case, "float32"), training=training)) for each in (read, model)), strict=True)
        assert all((one == other).all() for one, other in pairs)


@each_case
def test_mixed_precision_computes_in_bfloat16_near_what_float32_gives(name: str) -> None:
    case = CASES[name]
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = built(case)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {each.dtype for each in mixed.trainable_variables} <= {"float32"}
    exact = built(case)
    if name in RANDOM:
        exact.seed_generator.state.assign(mixed.seed_generator.state)
    rounded = mixed(given(case, "bfloat16"), training=True)
    for each in rounded if isinstance(rounded, list) else [rounded]:
        assert keras.backend.standardize_dtype(each.dtype) == "bfloat16"
    pairs = zip(results(rounded), results(exact(given(case, "float32"), training=True)), strict=True)
    for received, expected in pairs:
        assert np.linalg.norm(received - expected) < 0.02 * np.linalg.norm(expected)


@each_case
def test_a_graph_takes_batches_of_sizes_that_it_did_not_know(name: str) -> None:
    case = CASES[name]
    layer = built(case)
    inputs = [np.asarray(each) for each in case.inputs()]
    few = [(each[:3] if each.dtype.kind == "i" else each[:3].astype("float32")) for each in inputs]
    shapes = [tf.TensorSpec([None, *each.shape[1:]], each.dtype) for each in few]
    graph = tf.function(lambda *each: layer(as_given(list(each))), input_signature=shapes, autograph=False)
    if name in RANDOM:
        layer.strength.assign(0.0)
    for received, expected in zip(results(graph(*few)), results(layer(as_given(few))), strict=True):
        assert received == pytest.approx(expected, rel=1e-4, abs=1e-4)
        assert len(received) == 3
    assert [list(each.shape)[1:] for each in results(graph(*few))] == [each[1:] for each in symbolic_shapes(case)]


@pytest.mark.usefixtures("float64")
@each_case
def test_jax_gives_the_values_gradients_and_shapes_of_tensorflow(
    name: str, on_tensorflow: Callable, on_jax: Callable
) -> None:
    case, received = CASES[name], on_jax()[name]
    expected, _ = on_tensorflow(name)
    assert max(received["errors"].values()) < ON_JAX, received["errors"]
    assert received["shapes"] == symbolic_shapes(case)
    assert len(received["values"]) == len(expected)
    for one, other in zip(received["values"], expected, strict=True):
        distance = np.linalg.norm(np.subtract(one, other))
        assert name in RANDOM or distance <= AGREEMENT * np.linalg.norm(other)
