"""Losses, penalties and augmentations that bring no networks: both backends against one another and differences."""

import json
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pytest
from draws import substitute_draws
from hook_cases import CASES, Case, Made
from keras.src import backend as keras_backend
from programs import BACKENDS, FAST_COMPILING, Program, run_together
from refused_hooks import ASSIGNING, LINE, OTHERS, told

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
def from_jax(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hooks") / "jax.npz"
    run_together([Program("jax", ["hooks_on_jax.py", path])], XLA_FLAGS=FAST_COMPILING)
    return path


@pytest.fixture(scope="module")
def on_jax(from_jax: Path) -> dict[str, np.ndarray]:
    with np.load(from_jax) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def refused(from_jax: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """What a backend is told by case."""

    @cache
    def on(backend: str) -> dict[str, str]:
        if backend == "jax":
            return json.loads(from_jax.with_suffix(".json").read_text())
        return told(tmp_path_factory.mktemp("refused"))

    return on


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


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_variable_that_is_assigned_in_a_branch_or_loop_is_refused_by_its_plugin_line_and_name(
    backend: str, refused: Callable[[str], dict[str, str]]
) -> None:
    for case in ASSIGNING:
        found = refused(backend)[case]
        hook = {"penalty": "discriminator_penalty", "loss": "discriminator_loss"}.get(case.split()[-1], "observe")
        assert found.startswith(f"Plugin 'mine', hook '{hook}' (mine.py, line {LINE}): "), (case, found)
        assert "'level' is assigned inside keras.ops.cond or a loop, where its value can't be kept." in found, case


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("case", "hook", "problem"),
    [
        ("a draw in a branch", "discriminator_penalty", "the seed draws inside keras.ops.cond or a loop"),
        ("a layer in a hook", "augment", "/kernel' is made while the step is traced: nothing would save or train it"),
        ("a dict for a tensor", "discriminator_penalty", "a dict of tensors is no tensor. Take one of it by its name"),
    ],
    ids=OTHERS,
)
def test_what_else_a_hook_can_not_do_is_told_with_its_plugin_and_line(
    case: str, hook: str, problem: str, backend: str, refused: Callable[[str], dict[str, str]]
) -> None:
    found = refused(backend)[case]
    assert found.startswith(f"Plugin 'mine', hook '{hook}' (mine.py, line {LINE}): ")
    assert problem in found
