"""Losses, penalties and augmentations that bring no networks: both backends against one another and differences."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest
from draws import substitute_draws
from hook_cases import CASES, Case, Made
from keras.src import backend as keras_backend
from programs import FAST_COMPILING, Program, run_together

AGREEMENT = 1e-5  # of both backends, relative: Keras on JAX rounds variances and powers to float32
EXACTNESS = 1e-6  # of a gradient, relative to its central difference
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(autouse=True)
def equal_draws(float64: None) -> Iterator[None]:
    """Random numbers that are the same on both backends."""
    before = dict(vars(keras_backend.random))
    substitute_draws()
    yield
    vars(keras_backend.random).update(before)


@lru_cache
def measured(name: str) -> tuple[Made, list[float], np.ndarray]:
    made = Made(next(case for case in CASES if case.name == name))
    return made, *made.measured()


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("hooks") / "jax.npz"
    run_together([Program("jax", ["hooks_on_jax.py", path])], XLA_FLAGS=FAST_COMPILING)
    with np.load(path) as archive:
        return dict(archive)


@each_case
def test_the_gradient_is_that_of_finite_differences(case: Case) -> None:
    made, values, slope = measured(case.name)
    assert np.isfinite(values).all()
    direction = np.random.default_rng(2).normal(size=slope.shape)
    size = np.linalg.norm(slope)
    assert size > 0
    assert made.slope_along(direction) == pytest.approx(slope @ direction, rel=0, abs=EXACTNESS * size)


@each_case
def test_both_backends_have_the_same_values_and_gradients(case: Case, on_jax: dict[str, np.ndarray]) -> None:
    _, values, slope = measured(case.name)
    assert on_jax[f"{case.name}|value"] == pytest.approx(values, rel=AGREEMENT)
    assert np.linalg.norm(on_jax[f"{case.name}|slope"] - slope) < AGREEMENT * np.linalg.norm(slope)
