"""TensorFlow and JAX compute the same losses, penalties and gradients from the same weights, inputs and draws."""

from pathlib import Path

import numpy as np
import pytest
from hook_cases import CASES as HOOKS
from players import CASES, LONG, MEASURED, NUMPY, PLAYERS
from plugin_kinds import untried
from programs import BACKENDS, FAST_COMPILING, Program, run_together
from tiny import Case

Results = dict[str, dict[str, np.ndarray]]
TOLERANCES = {"float32": 1e-4, "float64": 1e-5, "mended": 1e-9}
DROPPING = {
    "jax": {"mean", "tanh", "var"},
    "tensorflow": {"leaky_relu", "rescaling"},
}  # Keras' ops that drop float64 to float32


def marks(case: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.long] if case.stack in LONG else []


measurements = pytest.mark.parametrize(
    ("precision", "case"),
    [
        pytest.param(precision, case.name, marks=marks(case), id=f"{precision} {case.name}")
        for precision, cases in MEASURED.items()
        for case in cases
    ],
)
players = pytest.mark.parametrize("player", PLAYERS)


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the program measured on each backend of the cases to be tested, in both precisions at once."""
    tests = [each for each in request.session.items if each.path == request.path and hasattr(each, "callspec")]
    names = sorted({each.callspec.params["case"] for each in tests if "case" in each.callspec.params})
    folder = tmp_path_factory.mktemp("players")
    paths = {backend: folder / f"{backend}.npz" for backend in BACKENDS}
    programs = [Program(backend, ["players.py", path, *names]) for backend, path in paths.items()]
    run_together(programs, XLA_FLAGS=FAST_COMPILING)
    return {backend: read(path) for backend, path in paths.items()}


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


def pairs(results: Results, *prefix: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What both backends measured, by the last part of its name."""
    begin = "|".join([*prefix, ""])
    names = [[name for name in results[backend] if name.startswith(begin)] for backend in BACKENDS]
    assert names[0] == names[1] != []
    return {name.removeprefix(begin): tuple(results[backend][name] for backend in BACKENDS) for name in names[0]}


def whole(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(each) for each in arrays])


def relative_error(made: dict[str, tuple[np.ndarray, np.ndarray]]) -> float:
    """The norm of the difference of all arrays over the norm of all."""
    first, second = (whole([pair[index] for pair in made.values()]) for index in (0, 1))
    return float(np.linalg.norm(first - second) / np.linalg.norm(first))


@measurements
@players
def test_losses_and_penalties_agree(precision: str, case: str, player: str, results: Results) -> None:
    made = pairs(results, precision, case, player, "metric")
    assert f"{player}_loss" in made
    for name, (first, second) in made.items():
        assert second == pytest.approx(first, rel=TOLERANCES[precision], abs=0), name


@measurements
@players
def test_gradients_agree(precision: str, case: str, player: str, results: Results) -> None:
    made = pairs(results, precision, case, player, "gradient")
    assert relative_error(made) < TOLERANCES[precision]


@measurements
@players
def test_the_gradients_norm_is_that_of_the_gradient(precision: str, case: str, player: str, results: Results) -> None:
    """An update applies what it measures: nothing is summed or dropped on the way."""
    if "helping" in case and player == "generator":
        pytest.skip("one of its networks has an optimizer of its own, which keeps no gradient")
    measured = pairs(results, precision, case, player, "metric")[f"{player}_gradient_norm"]
    gradients = pairs(results, precision, case, player, "gradient").values()
    for index in (0, 1):
        norm = np.linalg.norm(whole([pair[index].astype("float64") for pair in gradients]))
        assert measured[index] == pytest.approx(norm, rel=1e-5)


@pytest.mark.parametrize("case", [pytest.param(case.name, marks=marks(case)) for case in CASES])
@players
def test_what_an_update_writes_beside_weights_agrees(case: str, player: str, results: Results) -> None:
    begin = f"mended|{case}|{player}|written|"
    if any(name.startswith(begin) for name in results["jax"]):
        for name, (first, second) in pairs(results, "mended", case, player, "written").items():
            near = TOLERANCES["mended"]
            assert second == pytest.approx(first, rel=near, abs=1e-3 * near), name


def test_every_registered_plugin_is_compared() -> None:
    tried = [*(case.stack for case in MEASURED["mended"]), *(case.plugin for case in HOOKS)]
    assert untried(tried) <= {"projected"}  # compiling its feature network, compared by itself, takes half a minute


@pytest.mark.parametrize("backend", BACKENDS)
def test_these_of_keras_ops_and_no_others_drop_float64_to_float32(backend: str, results: Results) -> None:
    """Where Keras mends one, its place among the mended ones of players.py is free."""
    deviations = {name: float(results[backend][f"op|{name}"]) for name in NUMPY}
    assert {name for name, deviation in deviations.items() if deviation > 1e-12} == DROPPING[backend]
    assert all(deviation < 1e-6 for deviation in deviations.values()), deviations


def test_a_diagnosis_measures_the_same_on_both(results: Results) -> None:
    made = pairs(results, "probe")
    assert len(made) == 5 * 2 * 5  # objectives, measurements, figures
    for name, (first, second) in made.items():
        assert second == pytest.approx(first, rel=1e-6), name
