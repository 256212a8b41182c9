"""Whole runs on JAX, and from one backend to the other: resuming, several steps a call, and what is not imported."""

import json
from pathlib import Path

import numpy as np
import pytest
from plugin_kinds import named_in, with_state
from programs import BACKENDS, FAST_COMPILING, Program, run_together
from sittings import ALSO_FROM_HOST, CASES, CONTINUED, CONTINUED_LONG, FROM_HOST, LONG, LOOPED, SITTINGS

from zoo.catalogue import read_catalogue
from zoo.runs.checkpoints import Checkpoints

Arrays = dict[str, np.ndarray]
SETTINGS = ("generator_units=8", "discriminator_units=8", "batch_size=4", "latent_size=3", "average_decay=0.9")
WORDS = ["run", "vanilla", *(word for setting in SETTINGS for word in ("--set", setting))]
on_both = pytest.mark.parametrize("backend", BACKENDS)


def each_of(sittings: dict, long: dict) -> pytest.MarkDecorator:
    """Every case and mode of each backend."""
    found = [
        pytest.param(case.name, mode, backend, marks=pytest.mark.long if (case, mode) in long[backend] else [])
        for backend in BACKENDS
        for case, mode in sittings[backend]
    ]
    return pytest.mark.parametrize(("case", "mode", "backend"), found)


def each_looped(cases: list) -> pytest.MarkDecorator:
    """Every case that is trained by the device's loop, on each backend; those of which a mode is long are."""
    found = [
        pytest.param(case.name, backend, marks=pytest.mark.long if case in [one for one, _ in LONG[backend]] else [])
        for backend in BACKENDS
        for case in cases
    ]
    return pytest.mark.parametrize(("case", "backend"), found)


def read(path: Path) -> Arrays:
    with np.load(path) as archive:
        return dict(archive)


def assert_equal(one: Arrays, other: Arrays) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], strict=True, err_msg=name)


@pytest.fixture(scope="module")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each backend, in which one process has begun and another one continued."""
    folder = tmp_path_factory.mktemp("sittings")
    for backend in BACKENDS:
        (folder / backend).mkdir()
    tests = [each for each in request.session.items if each.path == request.path]
    words = ["--all"] if any(each.get_closest_marker("long") for each in tests) else []
    cache = str(tmp_path_factory.mktemp("compiled"))
    caching = {"JAX_COMPILATION_CACHE_DIR": cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    for what in ("begin", "continue"):
        programs = [Program(backend, ["sittings.py", what, folder / backend, *words]) for backend in BACKENDS]
        run_together(programs, XLA_FLAGS=FAST_COMPILING, **caching)
    return folder


def test_every_registered_plugin_with_state_is_trained_in_sittings() -> None:
    assert with_state() - named_in(case.stack for case in CASES) == set()


@each_of(CONTINUED, CONTINUED_LONG)
def test_a_fresh_process_continues_bit_for_bit(case: str, mode: str, backend: str, trained: Path) -> None:
    place = trained / backend / f"{case} by {mode}"
    assert_equal(read(place / "whole state.npz"), read(place / "continued state.npz"))
    whole, continued = read(place / "whole metrics.npz"), read(place / "continued metrics.npz")
    assert_equal({name: each[-len(continued[name]) :] for name, each in whole.items()}, continued)


@each_of(SITTINGS, LONG)
def test_any_division_into_calls_gives_the_same_bits(case: str, mode: str, backend: str, trained: Path) -> None:
    place = trained / backend / f"{case} by {mode}"
    assert_equal(read(place / "whole state.npz"), read(place / "halves state.npz"))
    assert_equal(read(place / "whole metrics.npz"), read(place / "halves metrics.npz"))


@each_looped(ALSO_FROM_HOST)
def test_the_devices_loop_takes_the_same_samples_from_the_host_and_from_its_own_memory(
    case: str, backend: str, trained: Path
) -> None:
    host, own = (read(trained / backend / f"{case} by {mode}" / "whole state.npz") for mode in (FROM_HOST, "loop"))
    assert_equal(host, own)


@each_looped(LOOPED)
def test_the_devices_loop_gives_the_numbers_of_single_calls(case: str, backend: str, trained: Path) -> None:
    """To rounding: what one call fuses two may not."""
    calls, loop = (read(trained / backend / f"{case} by {mode}" / "whole metrics.npz") for mode in ("calls", "loop"))
    assert calls.keys() == loop.keys()
    for name, values in calls.items():
        assert loop[name] == pytest.approx(values, rel=1e-5, abs=1e-6), name


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> tuple[Path, dict[str, str]]:
    """Runs that began for 3 steps on one backend, named after it, and continued to 6 on the other; what was said."""
    folder = tmp_path_factory.mktemp("crossed")
    np.savez(folder / "own.npz", samples=np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8))
    said = {}
    for steps, backends in ((3, BACKENDS), (6, BACKENDS[::-1])):
        programs = []
        for begun, backend in zip(BACKENDS, backends, strict=True):
            more = ["--dataset", folder / "own.npz", "--steps", steps, "--out", folder / begun]
            programs.append(Program(backend, ["crossing.py", folder / f"{begun} {steps}.npz", *WORDS, *more]))
        said = dict(zip(BACKENDS, run_together(programs, TFDS_DATA_DIR=str(data_dir)), strict=True))
    return folder, said


@on_both
def test_a_checkpoint_loads_bit_for_bit_on_the_other_backend(backend: str, crossed: tuple[Path, dict]) -> None:
    folder, _ = crossed
    with np.load(folder / backend / "checkpoints" / "step-00000003.npz") as archive:
        saved = {name: archive[name] for name in archive.files if name != "notes.json"}
    loaded = read(folder / f"{backend} 6.npz")
    assert saved.keys() == loaded.keys()
    for name, array in saved.items():
        np.testing.assert_array_equal(loaded[name], array, err_msg=name)


@on_both
def test_a_run_that_continues_on_the_other_backend_says_so_and_ends(backend: str, crossed: tuple[Path, dict]) -> None:
    folder, said = crossed
    other = BACKENDS[1 - BACKENDS.index(backend)]
    assert "continues otherwise than it began" in said[backend]
    assert f"backend {backend} is {other} now" in " ".join(said[backend].split())
    state, _ = Checkpoints(folder / backend / "checkpoints").latest() or ({}, {})
    assert state["steps"] == 6


IMPORTED = """
import json, sys
from zoo.cli import main
try:
    main(sys.argv[2:])
except SystemExit as ending:
    assert not ending.code, ending.code
with open(sys.argv[1], "w") as file:
    json.dump(sorted({name.partition(".")[0] for name in sys.modules}), file)
"""
HIDING = """
import importlib.abc, importlib.util, sys

class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

sys.meta_path.insert(0, Hidden())
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "tensorflow" else find_spec(name, package)
from zoo.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ending:
    assert ending.code == 2, ending.code
else:
    raise AssertionError("it ran")
"""


def test_with_jax_and_prepared_data_nothing_imports_tensorflow(tmp_path: Path, data_dir: Path) -> None:
    from zoo.data import open_dataset

    open_dataset("fashion_mini", read_catalogue(), data_dir=data_dir)
    points = tmp_path / "points.npz"
    np.savez(points, samples=np.random.default_rng(0).normal(size=(40, 2)))
    programs = [
        Program(environment, ["-c", IMPORTED, tmp_path / f"{number}.json", "run", stack, *WORDS[2:], *more])
        for number, (environment, stack, more) in enumerate(
            [
                ("jax", "vanilla", ["--dataset", points, "--steps", 2, "--out", tmp_path / "0"]),
                (
                    "tensorflow",
                    "vanilla+infogan",  # which copies a model
                    ["--backend", "jax", "--dataset", "fashion_mini", "--steps", 2, "--out", tmp_path / "1"],
                ),
            ]
        )
    ]
    run_together(programs, TFDS_DATA_DIR=str(data_dir))
    for number in range(len(programs)):
        modules = json.loads((tmp_path / f"{number}.json").read_text())
        assert "jax" in modules
        assert not {"tensorflow", "tensorflow_datasets"} & set(modules)


def test_data_that_only_tensorflow_can_prepare_says_what_to_do_where_it_is_missing(tmp_path: Path) -> None:
    words = ["--dataset", "mnist", "--data-dir", tmp_path, "--steps", 2, "--out", tmp_path / "run"]
    (said,) = run_together([Program("jax", ["-c", HIDING, *WORDS, *words])])
    assert said.startswith("Error: ")
    assert "Traceback" not in said
    for expected in ("mnist", "zoo data export mnist", "TensorFlow", "gan-zoo", str(tmp_path)):
        assert expected in said
