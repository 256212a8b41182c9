"""A generator in Keras' own layers alone makes the same samples, and needs no zoo to be opened."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from layer_cases import CASES, IMAGES, POINTS, Case, as_given

import zoo
from zoo import backend, layers
from zoo.backend.options import EngineOptions
from zoo.layers.stock import foreign_layers, in_stock_layers
from zoo.testing.subject import Subject
from zoo.training.derivation import with_derived
from zoo.training.players import build_discriminator, build_generator
from zoo.training.sampler import write_note

FURTHER = {
    "layer of images": Case(layers.LayerNormalization),
    "instance": Case(layers.InstanceNormalization),
    "conditional points": Case(lambda: layers.ConditionalBatchNormalization(3), POINTS, second="labels"),
    "modulation, spectral": Case(lambda: layers.ChannelModulation(spectral=True), second="vector"),
    "spectral": Case(lambda: layers.SpectralNormalization(keras.layers.Conv2D(3, 3, activation="relu"))),
    "spectral grouped": Case(lambda: layers.SpectralNormalization(layers.GroupedConv2D(4, 3, groups=2))),
    "equalized up": Case(lambda: layers.EqualizedConv2D(3, resampling="up", rate_multiplier=0.1)),
    "equalized, no bias": Case(lambda: layers.EqualizedConv2D(3, 1, use_bias=False)),
    "attention, whole": Case(lambda: layers.SelfAttention(pooling=False)),
    "rotary with a token": Case(lambda: layers.RotaryAttention(2, (2, 2)), (4, 5, 8)),
    "deviation of a small batch": Case(lambda: layers.MinibatchDeviation(4), (3, 2, 3, 2)),
    "up by 3": Case(lambda: layers.Upsample((1, 2, 3, 2, 1), 3, "edge"), IMAGES),
    "dropout": Case(lambda: layers.NoiseDropout(0.5)),
}
ALL = {**CASES, **FURTHER}
NOISY = ("noise", "dropout")  # of them


def around(case: Case) -> keras.Model:
    """A model of a layer alone, its weights and statistics random."""
    inputs = [keras.Input(each.shape[1:], dtype=int32_or_float32(each)) for each in case.inputs()]
    model = keras.Model(as_given(inputs), case.make()(as_given(inputs)))
    draw = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(draw.uniform(0.3, 1.2, variable.shape))
    return model


def int32_or_float32(values: np.ndarray) -> str:
    return "int32" if values.dtype == np.int32 else "float32"


def given_to(case: Case) -> Any:
    return as_given([each.astype(int32_or_float32(each)) for each in case.inputs(1)])


def answers(model: keras.Model, given: Any) -> list[np.ndarray]:
    return [ops.convert_to_numpy(each) for each in keras.tree.flatten(model(given, training=False))]


NETWORKS = {  # shape and classes of their samples, and which player draws noise
    "biggan": ((16, 16, 3), 3, ""),
    "stylegan2": ((16, 16, 3), None, "generator"),
    "gat": ((16, 16, 3), None, ""),
    "vanilla+virtual_batch_norm": ((2,), None, ""),
    "began": ((16, 16, 3), None, ""),
    "ebgan": ((16, 16, 3), None, ""),
}
SHIPPED = ("cgan-projection@fashion_mini", "pix2pix-edges@fashion_mini")


def silent(model: keras.Model) -> None:
    """Let a network of the zoo's layers draw nothing."""
    for each in layers.every_layer(model):
        if isinstance(each, layers.NoiseDropout):
            each.rate = 0
        if isinstance(each, layers.NoiseInjection):
            each.strength.assign(0.0)


def expect(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_stock_layers_compute_the_same(name: str) -> None:
    model, given = around(ALL[name]), given_to(ALL[name])
    copy = in_stock_layers(model, nullcontext())
    assert foreign_layers(model) != []
    assert foreign_layers(copy) == []
    silent(model)
    expect(answers(copy, given), answers(model, given))


def test_plain_keras_opens_layers_players_and_shipped_generators(tmp_path: Path) -> None:
    expected: dict[str, list[np.ndarray]] = {}

    def keep(name: str, model: keras.Model, given: Any) -> None:
        """Write the model, and what it is given; remember what it answers without noise."""
        copy = in_stock_layers(model, nullcontext())
        assert foreign_layers(copy) == [], name
        copy.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", **by_name(given))
        silent(model)
        expected[name] = answers(model, given)

    for name, case in ALL.items():
        keep(name, around(case), given_to(case))
    for name, (shape, classes, _) in NETWORKS.items():
        for player, model in players(name, shape, classes).items():
            keep(f"{name} {player}", model, random_inputs(model))
    for name in SHIPPED:
        sampler = zoo.load(name).sampler
        sampler.save_model(tmp_path / f"{name}.keras")
        assert not (tmp_path / f"{name}.md").exists()
        given = random_inputs(sampler.generator)
        np.savez(tmp_path / f"{name}.npz", **by_name(given))
        silent(sampler.generator)
        with sampler.averaged():
            expected[name] = answers(sampler.generator, given)
    subprocess.run([sys.executable, Path(__file__).with_name("plain_keras.py"), tmp_path], check=True)
    drawing = {*NOISY, *(f"{name} {player}" for name, (_, _, player) in NETWORKS.items() if player), SHIPPED[1]}
    with np.load(tmp_path / "answers.npz") as found:
        for name, each in expected.items():
            expect([found[f"{name} {number}"] for number in range(len(each))], each)
        assert sorted(name for name in expected if found[f"{name} draws"]) == sorted(drawing)


def players(name: str, shape: tuple[int, ...], classes: int | None) -> dict[str, keras.Model]:
    """Both players of a variant, small, all their weights random."""
    subject = Subject(name, shape, classes=classes)
    fields, engine = with_derived(subject.stack, subject.dataset.fields), backend.engine(EngineOptions())
    found = {
        "generator": build_generator(subject.stack, fields, engine),
        "discriminator": build_discriminator(subject.stack, fields, engine),
    }
    draw = np.random.default_rng(0)
    for model in found.values():
        for variable in model.weights:
            values = draw.normal(0, 0.2, variable.shape)
            variable.assign(1 + np.abs(values) if "variance" in variable.path else values)
    return found


def random_inputs(model: keras.Model) -> Any:
    """What a network may be given: a tensor, or several as it has its inputs."""
    draw = np.random.default_rng(1)

    def drawn(tensor: Any) -> np.ndarray:
        shape = (3, *tensor.shape[1:])
        if "int" in tensor.dtype:
            return draw.integers(0, 3, shape).astype(tensor.dtype)
        return draw.normal(size=shape).astype("float32")

    return keras.tree.map_structure(drawn, model.input)


def by_name(given: Any) -> dict[str, np.ndarray]:
    """Inputs as the arrays of a file."""
    several = given if isinstance(given, list) else [given]
    return dict(given) if isinstance(given, dict) else {str(number): each for number, each in enumerate(several)}


def test_noise_is_drawn_as_strongly_as_by_the_zoo() -> None:
    ones = np.ones((8, 16, 16, 4), "float32")
    injection = layers.NoiseInjection()
    for layer, deviation in ((injection, 0.7), (layers.NoiseDropout(0.5), 1.0)):
        samples = keras.Input(ones.shape[1:])
        model = keras.Model(samples, layer(samples))
        if layer is injection:
            layer.strength.assign(deviation)
        made = ops.convert_to_numpy(in_stock_layers(model, nullcontext())(ones))
        np.testing.assert_allclose([made.mean(), made.std()], [1.0, deviation], atol=0.06)
        assert (np.ptp(made, axis=-1) == 0).all() == (layer is injection)


def test_operations_between_layers_stay_what_they_are() -> None:
    samples = keras.Input((6, 6, 8))
    one, other = ops.split(layers.BatchNormalization()(samples), 2, axis=-1)
    model = keras.Model(samples, keras.layers.Multiply()([one, other]))
    copy = in_stock_layers(model, nullcontext())
    assert foreign_layers(copy) == []
    inputs = np.random.default_rng(1).normal(size=(4, 6, 6, 8)).astype("float32")
    np.testing.assert_allclose(copy(inputs, training=False), model(inputs, training=False), atol=2e-6)


def test_a_model_of_stock_layers_is_left_as_it_is() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert in_stock_layers(model, nullcontext()) is model


class Foreign(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


def test_layers_without_an_equal_are_told_beside_the_file(tmp_path: Path) -> None:
    write_note(tmp_path / "generator.md", [Foreign(), Foreign()])
    told = (tmp_path / "generator.md").read_text()
    assert told.count(f"{__name__}.Foreign") == 1
    assert "import zoo.layers" in told
    write_note(tmp_path / "generator.md", [])
    assert list(tmp_path.iterdir()) == []
