"""Whatever a process can change about a number: fixed while the zoo computes, refused, or recorded."""

import gc
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from zoo import backend
from zoo.backend import idle, settings
from zoo.backend.settings import variables
from zoo.cli.printing import numbers
from zoo.training.run_yaml import changes

DISTURBED = {  # another value of each setting that is fixed
    "keras.config.floatx": "float64",
    "keras.config.dtype_policy": "mixed_float16",
    "keras.config.epsilon": 1e-2,
    "keras.config.image_data_format": "channels_first",
    "tf.config.run_functions_eagerly": True,
    "tf.config.experimental.enable_tensor_float_32_execution": False,
    "tf.config.optimizer.set_jit": "autoclustering",
    "numpy.seterr": {"divide": "raise", "over": "raise", "under": "raise", "invalid": "raise"},
}


@pytest.fixture
def disturbed() -> Any:
    """A process whose owner has changed all that can be changed."""
    before = [(each, each.read()) for each in settings.settings()]
    for each, _ in before:
        if each.name in DISTURBED:
            each.write(DISTURBED[each.name])
    yield
    for each, value in before:
        each.write(value)


def tiny_run(out: Path, data_dir: Path) -> zoo.Run:
    values = {"width": 2, "batch_size": 4, "latent_size": 3}
    return zoo.run("dcgan", data_dir=data_dir, settings=values, budget=zoo.Budget(steps=2), out=out, progress=False)


def state_of(run: zoo.Run) -> dict[str, np.ndarray]:
    latest = run.directory.checkpoints.latest()
    assert latest is not None
    return dict(latest[0])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> zoo.Run:
    return tiny_run(tmp_path_factory.mktemp("plain") / "run", data_dir)


@pytest.mark.usefixtures("disturbed")
def test_a_run_in_a_disturbed_process_has_the_bits_of_one_in_a_plain_process(
    plain: zoo.Run, tmp_path: Path, data_dir: Path
) -> None:
    run = tiny_run(tmp_path / "run", data_dir)
    assert {layer.compute_dtype for layer in run.generator.layers} == {run.record["precision"]} == {"float32"}
    for name, array in state_of(plain).items():
        np.testing.assert_array_equal(state_of(run)[name], array, err_msg=name)
    np.testing.assert_array_equal(run.sample(4), plain.sample(4))
    found = {each.name: each.read() for each in settings.settings() if each.name in DISTURBED}
    assert found == DISTURBED  # they are the program's own again
    assert set(settings.differing()) == set(DISTURBED)


def test_every_setting_that_is_fixed_is_disturbed_in_these_tests() -> None:
    alone = {"keras.distribution.distribution", "locale.LC_NUMERIC"}  # several devices; a locale that may lack here
    assert {each.name for each in settings.settings()} - alone == set(DISTURBED)


def test_settings_are_restored_after_an_error() -> None:
    keras.config.set_epsilon(0.5)
    try:
        with pytest.raises(ZeroDivisionError, match="division"), backend.fixed():
            1 / (keras.config.epsilon() - 1e-7)  # 0: it is the standard one inside
        assert keras.config.epsilon() == 0.5
    finally:
        keras.config.set_epsilon(1e-7)


def test_a_setting_that_does_not_change_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = settings.Setting("jax.config.jax_enable_x64", False, lambda: True, lambda value: None)
    monkeypatch.setattr(settings, "settings", lambda: [stuck])
    with pytest.raises(zoo.ZooError, match="jax_enable_x64 is True here and can't be changed"), backend.fixed():
        pass


def test_the_scope_of_a_strategy_and_graph_options_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.raises(zoo.ZooError, match="scope of a tf"), backend.fixed():
        pass
    with tf.Graph().as_default(), pytest.raises(zoo.ZooError, match="as version 1 did"), backend.fixed():
        pass
    options = {"auto_mixed_precision": True, "remapping": True}
    monkeypatch.setattr(tf.config.optimizer, "get_experimental_options", lambda: options)
    with pytest.raises(zoo.ZooError, match="auto_mixed_precision"), backend.fixed():
        pass


@pytest.mark.parametrize(
    "variable",
    [
        "ONEDNN_DEFAULT_FPMATH_MODE=BF16",
        "TF_SET_ONEDNN_FPMATH_MODE=TF32",
        "TF_XLA_FLAGS=--tf_xla_auto_jit=2",
        "TF_ENABLE_AUTO_MIXED_PRECISION=1",
        "XLA_FLAGS=--xla_dump_to=/tmp/x --xla_cpu_enable_fast_math=true",
    ],
)
def test_a_variable_that_contradicts_run_yaml_is_refused_before_anything_is_prepared(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    with pytest.raises(zoo.ZooError, match=f"{name}={value}.*Unset it"):
        zoo.run("dcgan", data_dir=tmp_path, out=tmp_path / "run", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_harmless_and_recorded_variables_are_no_mistakes() -> None:
    flags = "--xla_force_host_platform_device_count=2 --xla_dump_to=/tmp/x"
    harmless = {"ONEDNN_DEFAULT_FPMATH_MODE": "STRICT", "TF_XLA_FLAGS": "--tf_xla_auto_jit=0", "XLA_FLAGS": flags}
    assert variables.refused_variables(harmless, "tensorflow") == []
    rounding = {"ONEDNN_MAX_CPU_ISA": "AVX2", "NVIDIA_TF32_OVERRIDE": "0", "PATH": "/bin", "XLA_FLAGS": flags}
    recorded = {"ONEDNN_MAX_CPU_ISA": "AVX2", "NVIDIA_TF32_OVERRIDE": "0"}
    assert variables.recorded_variables(rounding, "tensorflow") == recorded
    assert variables.refused_variables({"TF_XLA_FLAGS": "--tf_xla_auto_jit=2"}, "jax") == []  # JAX reads none


def test_a_run_records_what_its_digits_depend_on_and_continuing_otherwise_is_told(
    plain: zoo.Run, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    engine = plain.record["engine"]
    assert engine["onednn"] is True
    assert engine["threads"] >= 1
    assert engine["environment"] == {}
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    with pytest.raises(zoo.ZooWarning, match="'ONEDNN_MAX_CPU_ISA': 'AVX2'"):
        tiny_run(plain.path, data_dir)


def test_a_run_of_before_the_record_continues_without_a_word(plain: zoo.Run) -> None:
    engine = {name: value for name, value in plain.record["engine"].items() if name not in ("onednn", "threads")}
    assert changes({**plain.record, "engine": engine}, plain.record) == []
    assert changes(plain.record, {**plain.record, "engine": {**engine, "onednn": False, "threads": 1}}) != []


def test_onednn_is_switched_on_before_tensorflow_loads_unless_the_user_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(backend.sys, "modules", {})
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    backend.set_defaults()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    backend.set_defaults()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"


def test_a_gpu_that_the_backend_does_not_see_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tmp_path / "0000:01:00.0"
    card.mkdir()
    (card / "information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   	 35\n")
    monkeypatch.setattr(idle, "NVIDIA", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    (sentence,) = backend.advice("cpu")
    assert "NVIDIA H100 80GB HBM3" in sentence
    assert "'gan-zoo[gpu]'" in sentence
    assert backend.advice("gpu") == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert backend.advice("cpu") == []


def test_onednn_that_is_off_without_the_users_wish_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(idle, "NVIDIA", tmp_path)
    monkeypatch.setattr(settings.of_backend(), "computes_by_onednn", lambda: False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    assert "without oneDNN" in backend.advice("cpu")[0]
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert backend.advice("cpu") == []


def test_doctor_says_what_digits_depend_on() -> None:
    found = {"environment": {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "threads": 2, "onednn": False}
    lines = numbers({"numbers": found, "settings": {"keras.config.floatx": "float64 (fixed to float32)"}})
    assert lines[0] == "digits by  2 threads, oneDNN off, ONEDNN_MAX_CPU_ISA=AVX2 (run.yaml records it)"
    assert lines[1].strip() == "keras.config.floatx: float64 (fixed to float32)"


def test_the_garbage_collector_is_held_back_and_then_as_it_was() -> None:
    try:
        for before in (False, True):
            (gc.enable if before else gc.disable)()
            with backend.uncollected():
                assert not gc.isenabled()
            assert gc.isenabled() is before
    finally:
        gc.enable()
