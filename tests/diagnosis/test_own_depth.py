"""A stack's own networks with other activations and without normalizations, against networks written by hand."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError, backend
from zoo.base.progress import Silent
from zoo.cli import main
from zoo.diagnosis import own_depth as module
from zoo.diagnosis.exchanging import exchanged, normalizes
from zoo.diagnosis.opening import locked, opened
from zoo.diagnosis.own_depth import Network, OwnDepth, by_layer, overall, reasons
from zoo.layers import BatchNormalization, ConditionalBatchNormalization, SpectralNormalization
from zoo.networks import clip_weights
from zoo.training.trainer import Trainer

DRAW = np.random.default_rng(0)
INPUTS = DRAW.normal(size=(5, 4)).astype("float32")
LIMIT = 0.5  # of weights


class Hiding(keras.layers.Dense):
    """A layer whose activation nobody sees."""

    def call(self, inputs: object) -> object:
        return ops.relu(super().call(inputs))


def network() -> keras.Model:
    """Each way in which an activation may be there: a setting, a layer, in a wrapper, a gate, and at the end."""
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, activation="relu", name="setting")(inputs)
    x = BatchNormalization(name="normal")(x)
    x = keras.layers.LeakyReLU(0.2, name="layer")(x)
    x = SpectralNormalization(keras.layers.Dense(6, activation="elu"), name="wrapped")(x)
    gate = keras.layers.Activation("sigmoid", name="gate")(x)
    x = keras.layers.Multiply()([x, gate])
    x = keras.layers.Dense(3, name="linear")(x)
    x = keras.layers.Activation("tanh", name="end")(x)
    return keras.Model(inputs, keras.layers.Reshape((3, 1))(x), name="generator")


def by_hand(model: keras.Model, activation: Callable, normalized: bool) -> np.ndarray:
    """What the copy is to answer in inference, after no training: statistics are 0 and 1."""

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        layer = model.get_layer(name)
        kernel, bias = (ops.convert_to_numpy(each) for each in getattr(layer, "layer", layer).trainable_variables)
        if name == "wrapped" and normalized:
            vector = ops.convert_to_numpy(layer.singular_vector)
            right = vector @ kernel.T
            right /= np.linalg.norm(right)
            left = right @ kernel
            kernel = kernel / (right @ kernel @ left.T / np.linalg.norm(left))
        return x @ kernel + bias

    x = activation(dense("setting", INPUTS))
    x = activation(LIMIT * x / np.sqrt(1 + 1e-5) if normalized else x)  # a scale of 1 is clipped too
    x = activation(dense("wrapped", x))
    x = x / (1 + np.exp(-x))
    return np.tanh(dense("linear", x))


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize(
    ("name", "activation"), [("tanh", np.tanh), ("sigmoid", lambda x: 1 / (1 + np.exp(-x)))], ids=["tanh", "sigmoid"]
)
def test_hidden_activations_are_exchanged_and_gates_and_ends_are_not(
    name: str, activation: Callable, normalized: bool
) -> None:
    model = network()
    clip_weights(model, LIMIT)
    before = [each.numpy() for each in model.variables]
    copy = exchanged(model, name, normalized)
    answer = ops.convert_to_numpy(copy(INPUTS, training=False))[..., 0]
    np.testing.assert_allclose(answer, by_hand(model, activation, normalized), rtol=2e-5, atol=1e-6)
    assert all(each.constraint.limit == LIMIT for each in copy.trainable_variables)
    assert normalizes(copy) == normalized
    assert all(np.array_equal(old, each.numpy()) for old, each in zip(before, model.variables, strict=True))


def test_what_cannot_be_exchanged_is_refused() -> None:
    inputs, labels = keras.Input((4,)), keras.Input((), dtype="int32")
    conditional = keras.Model([inputs, labels], ConditionalBatchNormalization(2)([inputs, labels]), name="generator")
    assert exchanged(conditional, "tanh", True).count_params() == conditional.count_params()
    with pytest.raises(ZooError, match="generator's ConditionalBatchNormalization brings a condition into it"):
        exchanged(conditional, None, False)
    hiding = keras.Model(inputs, Hiding(3)(inputs), name="discriminator")
    with pytest.raises(ZooError, match="discriminator's Hiding is a plugin's own layer"):
        exchanged(hiding, "relu", True)

    class Subclassed(keras.Model):
        pass

    with pytest.raises(ZooError, match="is no functional model"):
        exchanged(Subclassed(name="generator"), "relu", True)


def test_norms_are_those_of_the_gradient_by_each_layers_kernel(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCHES", 1)
    trainer = Trainer(make_stack("vanilla", "discriminator_units=3", "dropout=0"), tiny_dataset((2,)))
    critic = trainer.players.discriminator
    assert len(by_layer(trainer, "generator")["norms"]) == 2  # without scales and offsets of the normalization
    kernel = critic.trainable_variables[2]
    kernel.assign(np.zeros(kernel.shape))  # every logit is its bias, 0: the first layer has no gradient
    found = by_layer(trainer, "discriminator")
    assert found["layers"] == ["01 dense", "02 dense"]
    assert found["norms"][0] == 0
    assert (found["word"], found["change"]) == ("vanishes", None)
    # at logits of 0 the slopes of softplus(-D(x)) and softplus(D(z)) are -1/2 and 1/2
    terms = eager_terms(trainer)
    real, fake = (ops.convert_to_numpy(each).mean(axis=0) for each in (terms.real_features, terms.fake_features))
    assert found["norms"][1] == pytest.approx(np.linalg.norm(fake - real) / 2, rel=1e-4)


@pytest.fixture
def experiment(tiny_dataset: Callable, make_stack: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable:
    monkeypatch.setattr(module, "ACTIVATIONS", (None, "sigmoid"))

    def make(path: Path, games: tuple[str, ...] = ("hinge",)) -> OwnDepth:
        stack = make_stack("vanilla", "generator_units=8,8,8,8", "generator_normalization=none")
        return OwnDepth(stack, tiny_dataset((2,)), 0, 0, games, backend.EngineOptions(), path, Silent())

    return make


def test_sigmoids_make_a_gradient_vanish_and_nothing_is_measured_twice(
    experiment: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = experiment(tmp_path).carried_out()
    own, sigmoid = found["measurements"]
    assert (own["network"], sigmoid["network"]) == ("as they are", "sigmoid")
    assert sigmoid["generator"]["change"] < own["generator"]["change"] - 1
    assert sigmoid["generator"]["word"] == "vanishes"
    assert "the generator (sigmoid)" in overall(found)
    assert {each.name for each in tmp_path.glob("*.png")} == {"generator-hinge.png", "discriminator-hinge.png"}
    assert "the generator (sigmoid)" in (tmp_path / "report.html").read_text()
    monkeypatch.setattr(module, "by_layer", None)
    assert experiment(tmp_path).carried_out() == found


def test_a_network_that_is_refused_is_said_with_the_reason() -> None:
    refused = [{"network": name, "objective": "hinge", "sentence": "No."} for name in ("tanh", "relu", "tanh")]
    assert reasons({"refused": refused}) == {"No.": "tanh; relu"}
    assert Network(None, False).name == "own activations, without normalization"


def test_one_process_at_a_time_writes_an_experiment(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(ZooError, match="Another process is writing the experiment"), locked(tmp_path):
        pass


def test_options_of_the_other_experiment_are_refused(capsys: pytest.CaptureFixture) -> None:
    for words, problem in (
        (["--own", "--layers", "3"], "--layers is of the deep critics"),
        (["--own", "--clip", "0.1"], "--clip is of the deep critics"),
        (["--game", "hinge"], "--game chooses losses for VARIANT's own networks"),
    ):
        with pytest.raises(SystemExit):
            main(["depth", "vanilla", *words])
        assert problem in capsys.readouterr().err


def test_several_processes_are_refused() -> None:
    engine = backend.EngineOptions(processes=backend.options.Processes(0, 2, "localhost:1"))
    with pytest.raises(ZooError, match="leave --processes out"):
        opened("vanilla", "ring8", None, None, (), (), engine, Silent())
