"""One run on several devices, and in several processes: the same numbers, one run directory, no end unheard."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from subprocess import Popen

import numpy as np
import pytest
import yaml
from on_devices import CASES, DRAWS, LONG_ON_JAX, STEPS
from programs import BACKENDS, FAST_COMPILING, SECONDS, Program, run_together
from refused_hooks import LINE

from zoo.backend.options import EngineOptions, Processes
from zoo.errors import ZooError
from zoo.runs.checkpoints import Checkpoints

State = dict[str, np.ndarray]
NOISE = ("discriminator/003/bias", "discriminator/006/moving_mean")  # a bias before batch normalization, what it moves
QUICK = {  # to compile
    "XLA_FLAGS": FAST_COMPILING,
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
OF_RUNS = 1e-6  # which compute in float32, whatever the process has set
DOUBLE = {"JAX_ENABLE_X64": "1"}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which programs compile quickly, and but once what is the same."""
    folder = tmp_path_factory.mktemp("quick")
    return {**QUICK, "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"), "TFDS_DATA_DIR": str(folder / "data")}


def write_images(folder: Path) -> None:
    np.save(folder / "images.npy", np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))


def cases_on(backend: str, long: bool) -> list[str]:
    """The names of the cases that a backend's process with two devices tries."""
    if backend == "tensorflow":
        return [*CASES]
    return [name for name in CASES if name != DRAWS and (long or name not in LONG_ON_JAX)]  # every draw is one there


@pytest.fixture(scope="module")
def found_by(
    request: pytest.FixtureRequest, quick: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The folder into which a backend's process with two devices has written what it found."""
    tests = [each for each in request.session.items if each.path == request.path]
    long = any(each.get_closest_marker("long") for each in tests)

    @cache
    def find(backend: str) -> Path:
        folder = tmp_path_factory.mktemp(backend)
        write_images(folder)
        words = ["on_devices.py", "devices", folder, *cases_on(backend, long)]
        run_together([Program(backend, words)], **quick, **DOUBLE)
        return folder

    return find


@pytest.fixture(params=BACKENDS)
def found(request: pytest.FixtureRequest, found_by: Callable[[str], Path]) -> Path:
    """That folder, of each backend."""
    return found_by(request.param)


def read(path: Path) -> State:
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files if name != "notes.json"}


def last(run: Path) -> State:
    """The state of a run's last checkpoint."""
    return read(Checkpoints(run / "checkpoints").paths()[-1])


def largest_difference(states: tuple[State, State]) -> float:
    """Of all arrays, relative to the norm of each."""
    one, other = states
    assert one.keys() == other.keys()
    norms = {name: np.linalg.norm(np.float64(each)) for name, each in one.items()}
    return max(np.linalg.norm(np.float64(one[name]) - other[name]) / (norm or 1) for name, norm in norms.items())


@pytest.mark.parametrize(
    ("found", "case"),
    [
        pytest.param(backend, case, marks=[] if case in cases_on(backend, long=False) else pytest.mark.long)
        for backend in BACKENDS
        for case in cases_on(backend, long=True)
    ],
    indirect=["found"],
)
def test_two_devices_train_as_one_does(found: Path, case: str) -> None:
    states = read(found / f"{case}-1.npz"), read(found / f"{case}-2.npz")
    measured, weights = (
        {name for name in states[0] if name.startswith("metrics/") is which} for which in (True, False)
    )
    assert all(states[0][name].shape == (STEPS,) for name in measured)
    assert states[0]["steps"] == STEPS
    assert largest_difference(tuple({name: each[name] for name in weights} for each in states)) < 1e-9
    # Keras on JAX takes means in float32
    assert largest_difference(tuple({name: each[name] for name in measured} for each in states)) < 1e-6


def test_batch_normalization_sees_the_whole_batch_on_jax_and_a_devices_part_on_tensorflow(found: Path) -> None:
    arrays = read(found / "moving variance.npz")
    whole = arrays["features"].var(axis=0)
    parts = np.mean([part.var(axis=0) for part in np.split(arrays["features"], 2)], axis=0)
    assert np.abs(whole - parts).max() > 0.01  # they are told apart
    expected = {"jax": whole, "tensorflow": parts}[found.name.rstrip("0123456789")]
    assert arrays["found"] == pytest.approx(0.9 + 0.1 * expected, rel=1e-6)


def test_on_jax_two_devices_train_with_batch_normalization_as_one_does(found: Path) -> None:
    if "jax" not in found.name:
        pytest.skip("TensorFlow normalizes each device's part of a batch")
    states = [read(found / f"batch normalization-{devices}.npz") for devices in (1, 2)]
    weights = [name for name in states[0] if name.partition("/")[0] in ("generator", "discriminator")]
    assert len(weights) > len(NOISE)
    for name in weights:
        if name not in NOISE:  # its gradient is zero but for rounding, of which Adam makes whole steps
            assert largest_difference(({name: states[0][name]}, {name: states[1][name]})) < 1e-5, name


def test_a_state_goes_from_one_device_to_two_and_back_bit_for_bit(found: Path) -> None:
    left, *arrived = [read(found / f"carried-{index}.npz") for index in range(3)]
    for state in arrived:
        for name in state:
            np.testing.assert_array_equal(state[name], left[name], strict=True, err_msg=name)


def test_a_run_goes_on_with_another_number_of_devices_and_says_so(found: Path) -> None:
    told = json.loads((found / "told.json").read_text())
    assert "crossing continues otherwise than it began" in told["crossing 6"]
    assert "devices [" in told["crossing 6"]
    assert told["whole 10"] == told["crossing 3"] == told["crossing 10"] == ""
    assert largest_difference((last(found / "whole"), last(found / "crossing"))) < OF_RUNS


def test_what_devices_can_not_do_is_refused_before_training(found: Path) -> None:
    told = json.loads((found / "told.json").read_text())
    assert told["odd"] == (
        "A batch of 5 can't be divided over 2 devices: --set batch_size=6, or another number of --devices."
    )
    assert told["three"].startswith("--devices 3: ")
    assert told["three"].endswith(" has already computed on 2 of the CPU's. Start a new process.")


def test_a_loss_assigns_no_variable_where_devices_see_shares_and_may_on_jax(found: Path) -> None:
    told = json.loads((found / "told.json").read_text())
    expected = (
        f"Plugin 'mine', hook 'discriminator_penalty' (mine.py, line {LINE}): RuntimeError: 'level' is assigned while "
        "a loss is computed: on several devices TensorFlow shows each its share of the batch, and their mean need not "
        "be what the variable holds. Assign it in the hook 'observe', which sees the whole batch; or train on one "
        "device, or on JAX"
    )
    assert told["shared"] == ("" if "jax" in found.name else expected)


def test_a_penalty_of_a_plain_number_is_one_on_two_devices_too(found: Path) -> None:
    assert json.loads((found / "told.json").read_text())["nothing"] == 0


def test_processes_are_numbered_and_find_each_other_by_an_address() -> None:
    with pytest.raises(ZooError, match="Process 2 of 2: they are numbered from 0 to 1"):
        Processes(2, 2, "127.0.0.1:1")
    with pytest.raises(ZooError, match="--coordinator HOST:PORT"):
        EngineOptions(processes=Processes(0, 2))


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.long)])
def test_a_command_divides_the_cpu_on_first_use_of_the_data_too(
    backend: str, quick: dict[str, str], tmp_path: Path
) -> None:
    settings = [f"--set={name}=8" for name in ("generator_units", "discriminator_units", "batch_size")]
    words = ["run", "vanilla", "--devices", 2, "--steps", 2, "--out", tmp_path / "run", *settings, "--backend", backend]
    run_together([Program(backend, ["-m", "zoo", *words])], **{**quick, "TFDS_DATA_DIR": str(tmp_path / "data")})
    engine = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())["engine"]
    assert engine["backend"] == backend
    assert [device[-1] for device in engine["devices"]] == ["0", "1"]


def free_address() -> str:
    """One of this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_two_processes_train_one_run_as_one_process_does(
    found_by: Callable[[str], Path], quick: dict[str, str], tmp_path: Path
) -> None:
    write_images(tmp_path)
    address = free_address()
    words = [["on_devices.py", "process", tmp_path, index, address] for index in (0, 1)]
    run_together([Program("jax", each) for each in words], **quick, **DOUBLE)
    assert not (tmp_path / "1").exists()
    state = last(tmp_path / "0")
    assert state["steps"] == STEPS
    assert largest_difference((last(found_by("jax") / "whole"), state)) < OF_RUNS
    assert yaml.safe_load((tmp_path / "0" / "run.yaml").read_text())["engine"]["processes"] == 2


@pytest.fixture
def pair(quick: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], list[Popen[str]]]]:
    """Starts two processes that train a run without end, and waits until they do."""
    write_images(tmp_path)
    started: list[Popen[str]] = []
    sizes = [f"--set={name}=8" for name in ("generator_units", "discriminator_units", "batch_size")]

    def start() -> list[Popen[str]]:
        words = ["-m", "zoo", "run", "vanilla", "--dataset", tmp_path / "images.npy", *sizes, "--steps", 10**9]
        words += ["--checkpoint-every", 100, "--processes", 2, "--coordinator", free_address()]
        several = [[*words, "--process", index, "--out", tmp_path / f"run{index}"] for index in (0, 1)]
        pair = [Program("jax", each).started(quick) for each in several]
        started.extend(pair)
        folder, seen = tmp_path / "run0" / "checkpoints", time.time()
        end = time.monotonic() + SECONDS
        while not any(path.stat().st_mtime > seen for path in folder.glob("step-*.npz")):
            assert all(each.poll() is None for each in pair), [each.communicate() for each in pair if each.poll()]
            assert time.monotonic() < end
            time.sleep(0.01)
        return pair

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("in_turn", [(1,), pytest.param((1, 0), marks=pytest.mark.long)], ids=["one", "each in turn"])
def test_a_signal_to_one_process_stops_both_and_the_commands_continue(
    in_turn: tuple[int, ...], pair: Callable, tmp_path: Path
) -> None:
    reached = 0
    for told in in_turn:
        processes = pair()
        processes[told].send_signal(signal.SIGTERM)
        ended = [process.communicate(timeout=SECONDS) for process in processes]
        assert [process.returncode for process in processes] == [(143 if index == told else 130) for index in (0, 1)]
        steps = int(last(tmp_path / "run0")["steps"])
        assert steps > reached
        for out, err in ended:
            assert out == ""
            assert (
                err.strip().splitlines()[-1]
                == f"Stopped at step {steps} and saved. The same command goes on from there."
            )
        assert (f"Continuing {tmp_path / 'run0'} from step {reached}." in ended[0][1]) is (reached > 0)
        reached = steps
    assert not (tmp_path / "run1").exists()


@pytest.mark.long
def test_the_end_of_one_process_is_an_error_of_the_other(pair: Callable, tmp_path: Path) -> None:
    survivor, victim = pair()
    victim.kill()
    lines = []
    for line in iter(survivor.stderr.readline, ""):  # its end itself may take as long as a heartbeat may be late
        lines.append(line)
        if "Error" in line:
            break
    assert "The 2 processes can't go on together, probably because another one ended" in lines[-1], lines
    assert last(tmp_path / "run0")["steps"] > 0


@pytest.mark.long
def test_scores_of_one_process_hold_no_other_up(quick: dict[str, str], tmp_path: Path) -> None:
    splits = {"samples": 40, "test_samples": 20}
    draw = np.random.default_rng(0)
    arrays = {name: draw.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8) for name, count in splits.items()}
    np.savez(tmp_path / "images.npz", **arrays)
    extractor = Path(__file__).parents[1] / "stacks" / "pooling.py"
    sizes = [f"--set={name}=8" for name in ("generator_units", "discriminator_units", "batch_size")]
    words = ["-m", "zoo", "run", "vanilla", "--dataset", tmp_path / "images.npz", *sizes, "--steps", 70]
    words += ["--evaluate-every", 33, "--evaluate-samples", 20, "--metrics", "fd"]  # at 33 nothing else is due
    words += ["--extractor", "pooling", "--plugin", extractor, "--processes", 2, "--coordinator", free_address()]
    several = [[*words, "--process", index, "--out", tmp_path / f"run{index}"] for index in (0, 1)]
    told, _ = run_together([Program("jax", each) for each in several], **quick)
    assert "step 33: fd_pooling " in told
    evaluations = json.loads((tmp_path / "run0" / "evaluation.json").read_text())["evaluations"]
    assert [each["step"] for each in evaluations] == [33, 66, 70]
