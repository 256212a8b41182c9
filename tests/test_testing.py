"""Every check of zoo.testing can fail, and says what was expected and what came."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo import ZooError, backend
from zoo.testing import check_plugin, contract
from zoo.testing.checks import CHECKS
from zoo.testing.subject import NotApplicableError, NotTrainedError, Subject

STACKS = Path(__file__).with_name("stacks")

COUNTER = """
    import itertools
    NUMBERS = itertools.count()

    @hookimpl
    def generator_penalty(fake_samples):
        return (1 + next(NUMBERS)) * ops.mean(ops.square(fake_samples))
"""
NETWORK = """
    @hookimpl
    def networks():
        inputs = keras.Input((3,))
        return {"idle": zoo.Network(keras.Model(inputs, keras.layers.Dense(2)(inputs)), "generator")}
"""
SHARED = """
    LAYER = keras.layers.Dense(4)

    @hookimpl(wrapper=True)
    def generator(sample_shape, recipe):
        yield
        latents = keras.Input((recipe.latent_size,))
        x = keras.layers.Dense(2)(latents)
        return keras.Model(latents, keras.layers.Dense(2)(LAYER(x)))

    @hookimpl(wrapper=True)
    def discriminator(sample_shape):
        yield
        samples = keras.Input(sample_shape)
        return keras.Model(samples, keras.layers.Dense(1)(LAYER(samples)))
"""
LOUD = """
    @hookimpl(wrapper=True)
    def generator(recipe):
        model = yield
        latents = keras.Input((recipe.latent_size,))
        return keras.Model(latents, keras.layers.Rescaling(300.0)(model(latents)))
"""
SOCIABLE = """
    @keras.saving.register_keras_serializable(package="tests_of_testing")
    class Centred(keras.layers.Layer):
        def call(self, inputs):
            return inputs - ops.mean(inputs, axis=0, keepdims=True)

    @hookimpl(wrapper=True)
    def generator(recipe):
        model = yield
        latents = keras.Input((recipe.latent_size,))
        return keras.Model(latents, Centred()(model(latents)))
"""
UNREGISTERED = """
    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    @hookimpl(wrapper=True)
    def generator(recipe):
        model = yield
        latents = keras.Input((recipe.latent_size,))
        return keras.Model(latents, Doubled()(model(latents)))
"""
DEAF = """
    @hookimpl(wrapper=True)
    def generator(recipe):
        model = yield
        inputs = {
            "latents": keras.Input((recipe.latent_size,), name="latents"),
            "labels": keras.Input((), name="labels", dtype="int32"),
        }
        return keras.Model(inputs, model(inputs["latents"]))
"""
RECIPE = """
    @dataclass(frozen=True)
    class Mine(zoo.Recipe):
        mine_units = 5

    @hookimpl
    def recipe():
        return Mine()
"""
INFINITE = """
    @hookimpl
    def variables():
        return {"mine": keras.Variable(0.0, trainable=False)}

    @hookimpl
    def observe(variables):
        variables["mine"].assign(ops.log(0 * variables["mine"].value))
        return {}
"""
FIXED_BATCH = """
    @hookimpl
    def generator_penalty(fake_samples, recipe):
        return ops.mean(ops.reshape(fake_samples, (recipe.batch_size, 2)))
"""
EXACT = """
    @hookimpl
    def generator_penalty(fake_samples, generator, latents):
        hidden = generator.layers[1](latents)
        return ops.mean(hidden * ops.convert_to_tensor(latents))
"""
CASES: dict[str, tuple[str, str]] = {
    "the stack loads and its recipe is complete": (
        RECIPE,
        "expected every attribute of the recipe of 'mine' to be a field, as in `mine_units: int = 5`; received "
        "`mine_units = 5` without an annotation.",
    ),
    "every variable of the state is finite": (
        INFINITE,
        "expected every variable to be finite after 3 steps; received others in plugin/mine.",
    ),
    "every trainable weight moves": (
        NETWORK,
        "expected every trainable weight to have moved after 3 steps; received no change of network_idle/000/kernel (",
    ),
    "an update changes only its own player": (
        SHARED,
        "expected the discriminator's update to change nothing else; received changes of generator/",
    ),
    "training resumes bit for bit": (
        COUNTER,
        "expected 3 + 1 steps with a checkpoint between to equal 4 steps bit for bit; received other values in ",
    ),
    "samples are a function of the seed however many are made": (
        SOCIABLE,
        "expected the first 3 samples to be the same however many are made; received others, up to ",
    ),
    "the saved generator makes the same samples": (
        UNREGISTERED,
        "expected keras.models.load_model to open generator.keras (mark each layer of your own with "
        "@keras.saving.register_keras_serializable, and give it a get_config); received TypeError: ",
    ),
    "hooks take a batch of any size": (FIXED_BATCH, "Plugin 'mine', hook 'generator_penalty' (mine.py, line "),
    "bfloat16 stays finite": (EXACT, "Plugin 'mine', hook 'generator_penalty' (mine.py, line "),
}


@pytest.mark.parametrize("check", CASES)
def test_a_check_fails_for_a_plugin_that_is_wrong(check: str, plugin_file: Callable) -> None:
    text, message = CASES[check]
    subject = Subject("vanilla+mine", (2,), [plugin_file(text)])
    with pytest.raises((AssertionError, ZooError), match=f"{re.escape(message)}"):
        CHECKS[check](subject)


def test_images_out_of_range_are_told(plugin_file: Callable) -> None:
    with pytest.raises(AssertionError, match=r"expected pixels in \[-1, 1\] \(a generator of images ends in tanh\)"):
        CHECKS["samples have the shape and range of the data"](Subject("vanilla+mine", (8, 8, 1), [plugin_file(LOUD)]))


def test_a_generator_that_does_not_heed_its_labels_is_told(plugin_file: Callable) -> None:
    subject = Subject("vanilla+mine", (2,), [plugin_file(DEAF)], classes=3)
    with pytest.raises(AssertionError, match="expected other samples under each of 3 labels; received the same"):
        CHECKS["a conditional generator heeds its labels"](subject)


def test_a_wrong_second_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = backend.engine()
    if not engine.stock_normalizations:
        pytest.skip("Keras' normalizations are right on this backend")
    monkeypatch.setattr(type(engine), "stock_normalizations", ())
    subject = Subject("dcgan+wgan_gp+stock_layer_norm", (16, 16, 1), [STACKS / "stock_layer_norm.py"])
    with pytest.raises(
        AssertionError, match=r"expected the discriminator's gradient by .* to equal the difference quo"
    ):
        CHECKS["gradients are right to second order"](subject)


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("a conditional generator heeds its labels", "the generator takes no labels"),
        ("declared variables are saved", "no plugin declares variables"),
        ("frozen networks stay as they are", "no plugin declares a frozen network"),
        ("gradients are right to second order", "no hook differentiates by `gradients`"),
    ],
)
def test_a_check_that_has_nothing_to_look_at_says_so(check: str, reason: str, vanilla: Subject) -> None:
    with pytest.raises(NotApplicableError, match=f"^{reason}$"):
        CHECKS[check](vanilla)


@pytest.fixture(scope="module")
def vanilla() -> Subject:
    return Subject("vanilla", (2,))


def test_what_does_not_train_is_told_once(plugin_file: Callable) -> None:
    file = plugin_file("@hookimpl\ndef generator_loss():\n    return 1 / 0\n")
    subject = Subject("vanilla+mine", (2,), [file])
    with pytest.raises(ZooError, match=r"ZeroDivisionError"):
        CHECKS["it trains and every metric is finite"](subject)
    with pytest.raises(
        NotTrainedError, match=r"^Plugin 'mine' .* does not train: Plugin 'mine', hook 'generator_loss'"
    ):
        CHECKS["training resumes bit for bit"](subject)


def test_networks_of_the_zoos_own_plugins_are_small_and_a_plugins_own_values_stay(plugin_file: Callable) -> None:
    file = plugin_file("""
        @dataclass(frozen=True)
        class Mine(zoo.Recipe):
            width: int = 7
            horizon: int = 1000

        @hookimpl
        def recipe():
            return Mine()
    """)
    recipe = Subject("vanilla+mine", files=[file], settings={"dropout": 0.0}).stack.recipe
    assert (recipe.generator_units, recipe.discriminator_units, recipe.batch_size) == ((8,), (8, 8), 4)
    assert (recipe.width, recipe.horizon, recipe.dropout, recipe.average_decay) == (7, 1000, 0.0, 0.9)
    assert Subject("dcgan").stack.recipe.width == 2


def test_a_subject_may_hold_fields_beside_samples_and_labels() -> None:
    dataset = Subject("vanilla", (8, 8, 1), classes=3, fields={"source": (8, 8, 3), "code": (5,)}).dataset
    assert {name: each.kind for name, each in dataset.fields.items()} == {
        "samples": "image", "labels": "label", "source": "image", "code": "vector",
    }  # fmt: skip
    assert dataset.rows(dataset.labels[:4])["source"].shape == (4, 8, 8, 3)
    assert dataset.fields["labels"].frequencies == pytest.approx((0.4, 0.3, 0.3))


def test_contract_makes_one_test_of_each_check_on_each_shape() -> None:
    test = contract("stacks/convolutional.py", shapes=[(8, 8, 1), (16, 16, 3)])
    (mark,) = (each for each in test.pytestmark if each.name == "parametrize")
    assert len(mark.args[1]) == 2 * len(CHECKS)
    assert {subject.files[0] for subject, _ in mark.args[1]} == {STACKS / "convolutional.py"}
    assert {subject.text for subject, _ in mark.args[1]} == {"convolutional"}


def test_check_plugin_returns_what_held_and_needs_to_know_what_to_check() -> None:
    held = check_plugin(STACKS / "linear.py", shapes=[(2,)])
    assert "training resumes bit for bit [2]" in held
    assert len(held) >= 11
    with pytest.raises(ZooError, match=r"^Say what is to be checked: contract\('my_gan.py'\)"):
        check_plugin()


def test_a_plugin_that_is_not_there_is_told() -> None:
    with pytest.raises(ZooError, match=r"no_such\.py: the file does not exist"):
        check_plugin("no_such.py")
