"""The cure of JAX's convolution gradients: equal to Keras' own on JAX, and compiled without the forms that are slow."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp

from zoo.backend.jax_convolutions import FORWARD, Geometry, convolution, kernel_gradient, transposed_convolution

AGREEMENT = 1e-12  # relative, of a whole tensor in float64
REVERSED = "rhs_reversal"  # how XLA prints a convolution for which it has but a naive kernel on a CPU
HALVING = Geometry(samples=(8, 8), kernel=(5, 5), features=(4, 4), strides=(2, 2), before=(1, 1))
SAMPLES, KERNEL, FEATURES = (2, 8, 8, 20), (5, 5, 20, 3), (2, 4, 4, 3)


@pytest.fixture(scope="module")
def keras_on_jax() -> dict:
    """What a process of Keras on JAX has found: this one runs Keras on TensorFlow."""
    script = Path(__file__).with_name("keras_on_jax.py")
    quick = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}  # to compile; the numbers are few
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env={**os.environ, **quick})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def plain_convolution(samples: jax.Array, kernel: jax.Array) -> jax.Array:
    return lax.conv_general_dilated(samples, kernel, (2, 2), "SAME", dimension_numbers=FORWARD)


def plain_transposed_convolution(features: jax.Array, kernel: jax.Array) -> jax.Array:
    return lax.conv_transpose(features, kernel, (2, 2), "SAME", dimension_numbers=FORWARD, transpose_kernel=True)


def cured_convolution(samples: jax.Array, kernel: jax.Array) -> jax.Array:
    return convolution(HALVING, samples, kernel)


def cured_transposed_convolution(features: jax.Array, kernel: jax.Array) -> jax.Array:
    return transposed_convolution(HALVING, features, kernel)


def penalty(function: Callable) -> Callable:
    """The squared norm of the gradient by the samples."""
    return lambda samples, kernel: jnp.sum(jax.grad(lambda x: jnp.sum(function(x, kernel) ** 2))(samples) ** 2)


def compiled(function: Callable, *shapes: tuple[int, ...]) -> str:
    """What XLA makes of the gradient by the second operand."""
    operands = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    return jax.jit(jax.grad(function, argnums=1)).lower(*operands).compile().as_text()


@pytest.mark.long
def test_values_and_gradients_of_both_orders_equal_those_of_keras_own_functions(keras_on_jax: dict) -> None:
    errors = {name: max(case["errors"]) for name, case in keras_on_jax["cases"].items()}
    assert len(errors) > 10
    assert max(errors.values()) < AGREEMENT, errors


def test_shapes_and_dtypes_are_those_of_keras_own_functions(keras_on_jax: dict) -> None:
    for name, case in keras_on_jax["cases"].items():
        assert case["dtypes"] == ["float64"], name
        assert all(plain == cured for plain, cured in case["shapes"]), name


def test_layers_in_bfloat16_give_what_they_gave(keras_on_jax: dict) -> None:
    plain, cured = keras_on_jax["bfloat16"]
    assert cured[0] == plain[0] == "bfloat16"
    assert cured[1] == pytest.approx(plain[1], rel=1e-2)


def test_keras_gets_its_own_functions_back_even_after_an_error(keras_on_jax: dict) -> None:
    assert keras_on_jax["inside"]
    assert keras_on_jax["restored"]


def test_the_three_functions_are_adjoint() -> None:
    draw = np.random.default_rng(0)
    samples, kernel, features = (jnp.asarray(draw.normal(size=each), "float32") for each in (SAMPLES, KERNEL, FEATURES))
    products = [
        jnp.sum(convolution(HALVING, samples, kernel) * features),
        jnp.sum(transposed_convolution(HALVING, features, kernel) * samples),
        jnp.sum(kernel_gradient(HALVING, samples, features) * kernel),
    ]
    assert [float(each) for each in products] == pytest.approx([float(products[0])] * 3, rel=1e-4)


def test_the_kernel_gradient_of_a_penalty_has_no_reversed_convolution() -> None:
    assert REVERSED in compiled(penalty(plain_convolution), SAMPLES, KERNEL)  # or there is nothing to cure any more
    assert REVERSED not in compiled(penalty(cured_convolution), SAMPLES, KERNEL)


def test_the_kernel_gradient_of_a_transposed_convolution_has_no_reversed_convolution() -> None:
    def squares(function: Callable) -> Callable:
        return lambda features, kernel: jnp.sum(function(features, kernel) ** 2)

    assert REVERSED in compiled(squares(plain_transposed_convolution), FEATURES, KERNEL)
    assert REVERSED not in compiled(squares(cured_transposed_convolution), FEATURES, KERNEL)
