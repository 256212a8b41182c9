"""A run's models in other programs' formats, each run by the program itself."""

import hashlib
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from edges_run import edges_run

import zoo
from zoo.layers import BatchNormalization
from zoo.layers.stock import foreign_layers
from zoo.layers.stock.equals import EQUALS
from zoo.networks import called
from zoo.training.exporting import Export, named, varies
from zoo.training.loading import load_discriminator
from zoo.training.names import LATENTS, SAMPLES

TOLERANCE = 1e-5


@pytest.fixture
def latents() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(5, 4)).astype("float32")


def original(run: zoo.Run, latents: np.ndarray) -> np.ndarray:
    return run.sampler.samples(latents)


def test_a_saved_model_is_run_by_tensorflow_and_described(finished: zoo.Run, latents, zoo_command):
    import tensorflow as tf

    assert zoo_command("export", finished.path, "--out", "saved").out == "saved\n"
    loaded = tf.saved_model.load("saved")  # which owns the variables that it serves with
    np.testing.assert_allclose(loaded.serve(latents), original(finished, latents), atol=TOLERANCE)
    assert loaded.serve(latents[:2]).shape == (2, 8, 8, 1)
    described = json.loads(Path("saved/metadata.json").read_text())
    checkpoint = finished.directory.checkpoints.paths()[-1]
    assert described["checkpoint_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert (described["range"], described["averaged"]) == ([-1, 1], True)
    assert described["recipe"] == finished.record["recipe"]
    assert described["inputs"] == {"latents": {"shape": [None, 4], "dtype": "float32"}}


def test_a_keras_file_is_opened_by_keras_with_the_average(finished: zoo.Run, latents):
    path = finished.export("own.keras", format="keras", uint8=True)
    assert (
        foreign_layers(keras.models.load_model(finished.export("judge.keras", format="keras", model="discriminator")))
        == []
    )
    made = np.asarray(keras.models.load_model(path)(latents))
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, finished.sample(latents=latents))
    assert json.loads(Path("own.keras.json").read_text())["range"] == [0, 255]


def test_an_onnx_file_is_run_by_its_runtime(finished: zoo.Run, latents):
    for each in ("onnx", "tf2onnx"):
        pytest.importorskip(each)
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(finished.export("own.onnx", format="onnx")))
    for count in (5, 2):
        (made,) = session.run(None, {session.get_inputs()[0].name: latents[:count]})
        np.testing.assert_allclose(made, original(finished, latents[:count]), atol=TOLERANCE)
    kept = session.get_modelmeta().custom_metadata_map
    assert json.loads(kept["range"]) == [-1, 1]


def test_a_litert_file_is_run_by_its_interpreter(finished: zoo.Run, latents):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    runner = interpreter.Interpreter(str(finished.export("own.tflite", format="litert")))
    given, answer = runner.get_input_details()[0]["index"], runner.get_output_details()[0]["index"]
    for count in (5, 2):
        runner.resize_tensor_input(given, (count, 4))
        runner.allocate_tensors()
        runner.set_tensor(given, latents[:count])
        runner.invoke()
        np.testing.assert_allclose(runner.get_tensor(answer), original(finished, latents[:count]), atol=TOLERANCE)


def test_a_discriminator_is_exported_too(finished: zoo.Run, zoo_command):
    import tensorflow as tf

    assert zoo_command("export", finished.path, "--model", "discriminator", "--out", "judge").code == 0
    images = np.random.default_rng(2).uniform(-1, 1, (3, 8, 8, 1)).astype("float32")
    trained = load_discriminator(finished.stack, finished.record, finished.directory.last_checkpoint()[0])
    logits = keras.ops.convert_to_numpy(trained(images, training=False))
    loaded = tf.saved_model.load("judge")
    np.testing.assert_allclose(loaded.serve(images), logits, atol=TOLERANCE)
    assert logits.std() > 0
    refused = zoo_command("export", finished.path, "--model", "discriminator", "--output", "uint8")
    assert "A discriminator answers logits" in refused.err


def test_what_is_missing_is_named_with_its_extra(finished: zoo.Run, zoo_command, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    refused = zoo_command("export", finished.path, "--format", "onnx")
    assert (refused.code, refused.err) == (
        2,
        "Error: --format onnx needs tf2onnx and onnx: pip install 'gan-zoo[onnx]'.\n",
    )
    with pytest.raises(zoo.ZooError, match=r"Unknown format: 'onx'. Did you mean 'onnx'\?"):
        Export("onx")


def test_an_export_replaces_an_earlier_one_and_nothing_else(finished: zoo.Run, zoo_command):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("mine")
    for words, told in (
        (["--out", "mine"], "mine holds something else than an export."),
        (["--format", "keras", "--out", "own.keras"], ""),
        (["--format", "keras", "--out", "own.keras"], ""),
        (["--out", "own.keras"], "own.keras is a file."),
        (["--out", "saved"], ""),
        (["--out", "saved"], ""),
    ):
        done = zoo_command("export", finished.path, *words)
        assert (done.code == 0) == (not told)
        assert told in done.err
    assert Path("mine/thesis.txt").read_text() == "mine"


def test_formats_that_can_not_draw_have_the_noise_of_one_seed(tmp_path: Path, zoo_command):
    images = np.random.default_rng(1).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    run = edges_run(tmp_path, images)  # whose generator draws noise, by dropout
    edges = np.random.default_rng(2).uniform(-1, 1, (1, 8, 8, 1)).astype("float32")
    sampler = run.sampler
    for variable, state in zip(sampler.generating.seeds, sampler.noise_seeds(0, 0), strict=True):
        variable.assign(state)
    with sampler.averaged():
        answer = called(sampler.generator, {"source": edges}, LATENTS, training=False)
    expected = keras.ops.convert_to_numpy(answer)
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    path = tmp_path / "it.tflite"
    done = zoo_command("export", run.path, "--format", "litert", "--out", path)
    assert "litert can't draw: the generator's noise is fixed to that of seed 0" in done.err
    assert json.loads((tmp_path / "it.tflite.json").read_text())["noise"] == "fixed, seed 0"
    runner = interpreter.Interpreter(str(path))
    runner.allocate_tensors()
    for _ in range(2):
        runner.set_tensor(runner.get_input_details()[0]["index"], edges)
        runner.invoke()
        found = runner.get_tensor(runner.get_output_details()[0]["index"])
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_layers_of_ones_own_in_a_keras_file_are_named(finished: zoo.Run, zoo_command, monkeypatch):
    monkeypatch.delitem(EQUALS, BatchNormalization)
    done = zoo_command("export", finished.path, "--format", "keras", "--out", "own.keras")
    assert "own.keras holds layers that plain Keras does not know: zoo.layers.normalization.BatchNorm" in done.err
    assert "import zoo.layers" in done.err
    assert "--format saved_model" in done.err


def test_noise_in_inference_is_seen(finished: zoo.Run):
    assert not varies(named(finished.generator, LATENTS, SAMPLES, SAMPLES))

    class Noise(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, inputs: object) -> object:
            return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seed_generator)

    inputs = keras.Input((4,), name="latents")
    assert varies(named(keras.Model(inputs, Noise()(inputs)), LATENTS, SAMPLES, SAMPLES))
