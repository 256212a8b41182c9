"""What a run records of backend, precision and devices, and what may change when it continues."""

import gzip
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo import ZooError, backend
from zoo.backend.options import EngineOptions, Processes

BFLOAT16 = EngineOptions(precision="bfloat16")


def test_a_run_is_recorded_continued_and_opened_in_its_precision(tmp_path: Path, train: Callable) -> None:
    out = tmp_path / "run"
    run = train(out, 3, engine=BFLOAT16)
    assert run.record["precision"] == "bfloat16"
    with pytest.raises(ZooError, match=r"precision: 'bfloat16' there, 'float32' here"):
        train(out, 4)
    assert train(out, 4, engine=BFLOAT16).metrics[-1]["step"] == 4
    opened = zoo.load(out)
    assert {layer.compute_dtype for layer in opened.generator.layers if layer.weights} == {"bfloat16", "float32"}
    assert opened.sample(3).shape == (3, 8, 8, 1)


def test_a_run_records_its_engine(finished: zoo.Run) -> None:
    engine = finished.record["engine"]
    assert engine["backend"] == "tensorflow"
    assert engine["processes"] == 1
    assert len(engine["devices"]) == 1
    assert engine["policy"] == backend.engine().policy(convolutions=False).summary


def test_continuing_with_another_policy_warns(tmp_path: Path, train: Callable) -> None:
    run = train(tmp_path / "run", 2)
    record = {**run.record, "engine": {**run.record["engine"], "policy": "by hand"}}
    run.directory.write_record(record)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", zoo.ZooWarning)
        train(tmp_path / "run", 3)
    assert [str(each.message) for each in caught if "policy by hand is graph, one call an update" in str(each.message)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--backend", "jax"],
            "Keras runs on tensorflow already. Set KERAS_BACKEND=jax before anything imports Keras.",
        ),
        (["--processes", "2"], "Several processes need --coordinator HOST:PORT"),
        (["--process", "1"], "Process 1 of 1: they are numbered from 0 to 0."),
        (
            ["--processes", "2", "--coordinator", "127.0.0.1:9"],
            "Several processes train one run on JAX alone. Add --backend jax.",
        ),
    ],
)
def test_an_impossible_engine_is_refused(
    words: list[str], message: str, zoo_command: Callable, tiny_words: Callable
) -> None:
    result = zoo_command(*tiny_words("--steps", 1, *words))
    assert result.code == 2
    assert message in result.err
    assert not Path("runs").exists()


def test_options_of_an_engine_are_checked_in_python() -> None:
    with pytest.raises(
        ZooError, match=r"Unknown precision: 'float16'\. Did you mean 'bfloat16'\? Available: bfloat16, float32"
    ):
        EngineOptions(precision="float16")  # type: ignore[arg-type]
    with pytest.raises(ZooError, match="--devices must be at least 1; received 0"):
        EngineOptions(devices=0)
    with pytest.raises(ZooError, match="Process 2 of 2"):
        Processes(2, 2, "localhost:1")


def test_an_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZooError, match=r"Unknown backend: 'torch'\. Available: jax, tensorflow"):
        backend.choose("torch")


def test_a_profiled_run_equals_another_and_leaves_a_trace_and_a_summary(
    tmp_path: Path, train: Callable, finished: zoo.Run, assert_equal_runs: Callable
) -> None:
    run = train(tmp_path / "run", profile=True)
    assert_equal_runs(run, finished)
    folder = run.path / "profile"
    assert "discriminator updates" in (folder / "summary.txt").read_text()
    assert json.loads(gzip.decompress((folder / "trace.json.gz").read_bytes()))["traceEvents"]
    assert list(folder.glob("plugins/profile/*/*.xplane.pb"))


def test_a_run_too_short_for_a_profile_says_how_many_steps_it_takes(
    zoo_command: Callable, tiny_words: Callable
) -> None:
    result = zoo_command(*tiny_words("--steps", 2, "--profile"))
    assert result.code == 2
    assert "Training ended before a step could be profiled. Give --steps 33" in result.err
