"""What a plugin's author or a user is told when a stack can't work, before training or while its step is traced."""

from collections.abc import Callable

import pytest
from error_places import without_place

from zoo import ZooError, backend
from zoo.data.fields import expected_fields
from zoo.training.players import build_players
from zoo.training.trainer import Trainer

BELOW_IMPORTS = 8  # the line at which the text of a plugin begins
WASSERSTEIN_IS_NO_CROSS_ENTROPY = (
    "Plugin 'label_smoothing' needs a discriminator loss of the family 'cross-entropy'; this stack's is 'wasserstein'. "
    "Use it on a stack such as dcgan or vanilla."
)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ZooError) as raised:
        call()
    return str(raised.value)


@pytest.fixture
def stack_error(make_stack: Callable, plugin_file: Callable) -> Callable[..., str]:
    """The error of putting a plugin of this text on vanilla."""
    return lambda text, below="vanilla+": refused(lambda: make_stack(f"{below}mine", plugins=[plugin_file(text)]))


@pytest.fixture
def build_error(make_stack: Callable, plugin_file: Callable, tiny_dataset: Callable) -> Callable[..., str]:
    """The error of building and training one step of such a stack."""

    def error(text: str, shape: tuple[int, ...] = (2,), below: str = "vanilla+") -> str:
        stack = make_stack(f"{below}mine", plugins=[plugin_file(text)])
        return refused(lambda: Trainer(stack, tiny_dataset(shape)).step())

    return error


def line_of(text: str, plugin_file: Callable) -> int:
    """The number of the last line of a plugin's file."""
    return len(plugin_file(text).read_text().rstrip().splitlines())


def test_a_misspelt_hook_is_named_with_the_nearest(stack_error: Callable) -> None:
    message = stack_error("@hookimpl\ndef discriminator_los(real_logits):\n    return 0\n")
    assert message.startswith(
        "Plugin 'mine' implements an unknown hook 'discriminator_los'. Did you mean 'discriminator_loss'? Available: "
    )


def test_a_misspelt_argument_is_named_with_the_nearest(stack_error: Callable) -> None:
    message = stack_error("@hookimpl\ndef generator_loss(fake_logit):\n    return 0\n")
    assert message.startswith(
        "Plugin 'mine', hook 'generator_loss': unknown argument 'fake_logit'. Did you mean 'fake_logits'? Available: "
    )


def test_an_argument_of_another_hook_is_unknown(stack_error: Callable) -> None:
    message = stack_error("@hookimpl\ndef augment(samples, fake_logits):\n    return samples\n")
    assert message == (
        "Plugin 'mine', hook 'augment': unknown argument 'fake_logits'. Available: samples, others, is_real, seed, "
        "player, step, update, images_seen, progress, variables, networks, generator, discriminator, classes, fields, "
        "recipe."
    )


def test_a_missing_hook_is_named(make_stack: Callable) -> None:
    assert refused(lambda: make_stack("r1")) == (
        "No plugin of the stack 'r1' answers the hook 'discriminator'. Put one that does below it, as in "
        "PLUGIN+r1: zoo list plugins shows what there is."
    )


def test_a_wrapped_hook_without_an_answer_says_who_wraps_it(stack_error: Callable) -> None:
    message = stack_error("@hookimpl(wrapper=True)\ndef discriminator(recipe):\n    return (yield)\n", below="r1+")
    assert message == (
        "No plugin of the stack 'r1+mine' answers the hook 'discriminator', though 'mine' wraps it. Put one that does "
        "below it, as in PLUGIN+r1+mine: zoo list plugins shows what there is."
    )


@pytest.mark.parametrize("hook", ["augment", "discriminator_penalty", "recipe", "check", "variables"])
def test_a_hook_whose_answers_all_count_can_not_be_wrapped(hook: str, stack_error: Callable) -> None:
    message = stack_error(
        f"@hookimpl(wrapper=True)\ndef {hook}(recipe):\n    return (yield)\n".replace("recipe(recipe)", "recipe()")
    )
    assert message == (
        f"Plugin 'mine', hook '{hook}': can't be wrapped, because every plugin's answer counts there. "
        "Remove wrapper=True."
    )


def test_a_plugin_named_twice_is_refused(make_stack: Callable) -> None:
    assert refused(lambda: make_stack("wgan+dcgan")) == (
        "Stack 'wgan+dcgan' has the plugin 'dcgan' twice: part 'wgan' already brings it, and 'dcgan' does again. "
        "Remove one of the two."
    )


def test_a_recipe_field_that_two_plugins_bring_is_refused(stack_error: Callable) -> None:
    text = """
        @dataclass(frozen=True)
        class Mine(zoo.Recipe):
            dropout: float = 0.5

        @hookimpl
        def recipe():
            return Mine()
    """
    assert stack_error(text) == (
        "The plugins 'vanilla' and 'mine' both bring a recipe field 'dropout'. Rename it in one of them, or let one's "
        "recipe class inherit from the other's."
    )


@pytest.mark.parametrize(("value", "kind"), [("{'width': 3}", "dict"), ("zoo.Recipe", "type")])
def test_a_recipe_hook_must_return_a_recipe(value: str, kind: str, stack_error: Callable) -> None:
    assert without_place(stack_error(f"@hookimpl\ndef recipe():\n    return {value}\n")) == (
        f"Plugin 'mine', hook 'recipe': must return an instance of a frozen subclass of zoo.Recipe; received {kind}."
    )


MODEL = """
    @hookimpl
    def {hook}(sample_shape, recipe):
        x = keras.Input({input})
        y = keras.layers.Dense({units})(keras.layers.Flatten()(x))
        return keras.Model(x, y)
"""


@pytest.mark.parametrize(
    ("hook", "taken", "units", "problem"),
    [
        ("generator", "(recipe.latent_size,)", 5, "must return samples of shape (2,), received (5,)"),
        ("discriminator", "(7,)", 1, "must take samples of shape (2,), received (7,)"),
    ],
)
def test_models_of_the_wrong_shape_are_refused(
    hook: str, taken: str, units: int, problem: str, build_error: Callable
) -> None:
    message = build_error(MODEL.format(hook=hook, input=taken, units=units))
    assert without_place(message) == f"Plugin 'mine', hook '{hook}': {problem}."


@pytest.mark.parametrize("shape", [(20, 20, 1), (8, 8, 1), (32, 16, 1), (2,)])
def test_dcgan_says_which_sizes_it_makes(shape: tuple[int, ...], make_stack: Callable) -> None:
    assert refused(lambda: build_players(make_stack("dcgan"), expected_fields(shape, None), 0, backend.engine())) == (
        "Plugin 'dcgan' makes square images of 28 pixels or a power of two from 16 to 1024; received samples of shape "
        f"{shape}. Choose a size with --image-size; for points use the variant 'vanilla'."
    )


@pytest.mark.parametrize(
    "condition",
    ["if ops.mean(fake_logits) > 0:", "while ops.mean(fake_logits) > 0:", "assert ops.mean(fake_logits) > 0,"],
)
def test_a_python_condition_on_a_tensor_names_plugin_hook_and_line(
    condition: str, build_error: Callable, plugin_file: Callable
) -> None:
    text = f"@hookimpl\ndef generator_loss(fake_logits):\n    {condition} 0\n    return ops.mean(fake_logits)\n"
    line = line_of(text, plugin_file) - 1
    assert build_error(text) == (
        f"Plugin 'mine', hook 'generator_loss' (mine.py, line {line}): a Python `if` or `while` can't depend on a "
        "tensor. Use keras.ops.where or keras.ops.cond instead."
    )


@pytest.mark.parametrize(
    ("hook", "arguments", "value"),
    [
        ("latents", "count, recipe", "keras.random.normal((count, recipe.latent_size))"),
        ("augment", "samples", "samples + keras.random.normal(ops.shape(samples))"),
        ("discriminator_penalty", "real_logits", "ops.mean(real_logits * keras.random.uniform(()))"),
        ("generator_loss", "fake_logits", "ops.mean(fake_logits * keras.random.uniform(()))"),
    ],
)
def test_unseeded_randomness_names_plugin_hook_and_line(
    hook: str, arguments: str, value: str, build_error: Callable, plugin_file: Callable
) -> None:
    text = f"@hookimpl\ndef {hook}({arguments}):\n    return {value}\n"
    assert build_error(text) == (
        f"Plugin 'mine', hook '{hook}' (mine.py, line {line_of(text, plugin_file)}): RuntimeError: keras.random "
        "without a seed can't be resumed. Pass it the hook's argument 'seed', as in "
        "keras.random.normal(shape, seed=seed)"
    )


ANSWERS = {
    "generator": MODEL.format(hook="generator", input="(recipe.latent_size,)", units=2),
    "discriminator": MODEL.format(hook="discriminator", input="sample_shape", units=1),
    "discriminator_loss": """
    @hookimpl
    def discriminator_loss(real_logits):
        return ops.mean(real_logits)
""",
    "generator_loss": """
    @hookimpl
    def generator_loss(fake_logits):
        return ops.mean(fake_logits)
""",
}


@pytest.mark.parametrize("hook", list(ANSWERS))
def test_a_hook_that_returns_nothing_where_no_other_answers_is_named(
    hook: str, make_stack: Callable, plugin_file: Callable, tiny_dataset: Callable
) -> None:
    silent = f"    @hookimpl\n    def {hook}():\n        return None\n"
    stack = make_stack("mine", plugins=[plugin_file("".join((ANSWERS | {hook: silent}).values()))])
    assert refused(lambda: Trainer(stack, tiny_dataset((2,))).step()) == (
        f"The hook '{hook}' returned nothing; answered by 'mine'. Return a value from it."
    )


def test_an_exception_inside_a_plugin_names_plugin_hook_and_line(build_error: Callable, plugin_file: Callable) -> None:
    text = "@hookimpl\ndef discriminator_penalty(recipe):\n    return recipe.no_such_field\n"
    message = build_error(text)
    assert message.startswith(
        f"Plugin 'mine', hook 'discriminator_penalty' (mine.py, line {line_of(text, plugin_file)}): AttributeError: "
    )
    assert "no_such_field" in message


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize("value", ["ops.mean(ops.stop_gradient(fake_logits))", "ops.convert_to_tensor(1.0)"])
def test_a_loss_that_depends_on_no_weight_is_refused(player: str, value: str, build_error: Callable) -> None:
    message = build_error(f"@hookimpl\ndef {player}_loss(fake_logits):\n    return {value}\n")
    assert without_place(message) == (
        f"The {player}'s loss depends on none of its weights: its first gradient is zero. Plugin 'mine', hook "
        f"'{player}_loss': compute it from the logits, without ops.stop_gradient or NumPy."
    )


def test_a_conditional_stack_needs_labels(make_stack: Callable, tiny_dataset: Callable) -> None:
    stack = make_stack("conditional", plugins=["conditional"])
    assert refused(lambda: Trainer(stack, tiny_dataset(classes=None))) == (
        "Plugin 'conditional', hook 'generator' needs classes, and the dataset has none. Choose a labelled dataset, "
        "such as fashion_mini."
    )


def test_a_plugins_own_check_is_told_as_it_is(make_stack: Callable, tiny_dataset: Callable) -> None:
    stack = make_stack("conditional", plugins=["conditional"])
    assert refused(lambda: Trainer(stack, tiny_dataset(classes=1))) == "Plugin 'conditional' needs two classes."


@pytest.mark.parametrize(("stack", "shape"), [("dcgan", (16, 16, 1)), ("vanilla", (2,))])
def test_batch_normalization_under_wgan_gp_is_refused(stack: str, shape: tuple[int, ...], make_stack: Callable) -> None:
    made = make_stack(f"{stack}+wgan_gp", "discriminator_normalization=batch")
    message = refused(lambda: build_players(made, expected_fields(shape, None), 0, backend.engine()))
    assert message.startswith(
        "Plugin 'wgan_gp' can't hold a critic with batch normalization to its penalty: layer 'batch_"
    )
    assert message.endswith("Use --set discriminator_normalization=layer, or networks that heed that setting.")


@pytest.mark.parametrize("stack", ["wgan+label_smoothing", "label_smoothing+dcgan+wgan", "wgan-gp+label_smoothing"])
def test_label_smoothing_is_refused_where_there_are_no_labels(stack: str, make_stack: Callable) -> None:
    made = make_stack(stack)
    assert (
        refused(lambda: build_players(made, expected_fields((16, 16, 1), None), 0, backend.engine()))
        == WASSERSTEIN_IS_NO_CROSS_ENTROPY
    )


@pytest.mark.parametrize("label", ["0", "1.1"])
def test_a_smoothed_label_is_a_probability(label: str, make_stack: Callable) -> None:
    made = make_stack("vanilla+label_smoothing", f"real_label={label}")
    message = refused(lambda: build_players(made, expected_fields((2,), None), 0, backend.engine()))
    assert message == f"real_label must be in (0, 1]; received {float(label)}."


def test_instance_normalization_of_a_dense_critic_is_refused_with_the_plugins_line(make_stack: Callable) -> None:
    made = make_stack("vanilla", "discriminator_normalization=instance")
    message = refused(lambda: build_players(made, expected_fields((2,), None), 0, backend.engine()))
    assert "Instance normalization needs images" in message


def test_a_batch_larger_than_the_data_is_refused(make_stack: Callable, tiny_dataset: Callable) -> None:
    message = refused(lambda: Trainer(make_stack("vanilla"), tiny_dataset((2,), count=3)))
    assert message == (
        "A batch of 4 is larger than the dataset of 3 samples: take a larger dataset, or --set batch_size=3 or less"
    )


@pytest.mark.parametrize("hook", ["augment", "discriminator_penalty", "generator_penalty"])
def test_a_penalty_or_augmentation_that_returns_nothing_is_named(hook: str, build_error: Callable) -> None:
    assert build_error(f"@hookimpl\ndef {hook}():\n    return None\n") == (
        f"Plugin 'mine', hook '{hook}' (mine.py, line {BELOW_IMPORTS}): returned nothing. Return a tensor from it."
    )


def test_a_generator_hook_that_returns_no_model_is_named(build_error: Callable) -> None:
    message = build_error("@hookimpl\ndef generator():\n    return 3\n")
    assert without_place(message) == "Plugin 'mine', hook 'generator': must return a keras.Model, received int."


def test_a_layer_that_overwrites_trained_weights_is_refused_with_the_reason(build_error: Callable) -> None:
    message = build_error(
        """
        @hookimpl
        def discriminator(sample_shape):
            samples = keras.Input(sample_shape)
            features = keras.layers.Flatten(name="features")(samples)
            return keras.Model(samples, keras.layers.SpectralNormalization(keras.layers.Dense(1))(features))
        """
    )
    assert "hook 'discriminator': 'spectral_normalization" in without_place(message)
    assert "overwrites the kernel of its layer at each call in training" in message
    assert "Use zoo.layers.SpectralNormalization" in message


LAYER = """
class Mine(keras.layers.Layer):
    def call(self, inputs, training=False):
        if training:
            {line}
        return inputs

@hookimpl
def generator(sample_shape, recipe):
    latents = keras.Input((recipe.latent_size,))
    return keras.Model(latents, Mine()(keras.layers.Dense(2)(latents)))
"""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("raise ValueError('no luck')", "ValueError in Mine.call(): no luck"),
        ("return inputs * float(ops.mean(inputs))", "a tensor is no number yet"),
        ("return inputs + keras.random.normal(ops.shape(inputs))", "without a seed can't be resumed"),
        ("return inputs + keras.random.normal(ops.shape(inputs), seed=3)", "draws the same numbers in every step"),
    ],
)
def test_a_layer_that_fails_in_training_names_plugin_function_line_and_reason(
    line: str, reason: str, build_error: Callable
) -> None:
    message = build_error(LAYER.format(line=line))
    assert message.startswith("Plugin 'mine', function 'call' (mine.py, line ")
    assert reason in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def schedule(step):\n    return None", "hook 'schedule': must return a dict by name, received NoneType."),
        ("def variables():\n    return [1]", "hook 'variables': must return a dict by name, received list."),
        ("def networks():\n    return None", "hook 'networks': must return a dict by name, received NoneType."),
        ("def observe(fake_logits):\n    return ops.mean(fake_logits)", "hook 'observe': must return a dict by name"),
        ("def observe():\n    return {'a': 'x'}", "hook 'observe': 'a' must be a tensor, received str."),
        (
            "def judged_shape():\n    return 7",
            "hook 'judged_shape': must return a shape such as (28, 28, 1), received 7.",
        ),
        ("def latents(count):\n    return [1, 2]", "hook 'latents': the model does not take what it returned."),
        ("def move_latents(latents):\n    return 5", "hook 'move_latents': the model does not take what it returned."),
        ("def augment(samples):\n    return 3", "hook 'augment': must return a batch of samples, received int."),
        (
            "def augment(samples):\n    return ops.concatenate([samples, samples], -1)",
            "hook 'augment': the model does not take what it returned.",
        ),
        ("def generator_penalty():\n    return 'x'", "hook 'generator_penalty': must return a tensor, received str."),
        (
            "def generator(sample_shape):\n    return keras.Sequential([keras.layers.Dense(2)])",
            "hook 'generator': must return a model that knows its inputs and outputs",
        ),
        (
            "def discriminator(sample_shape):\n    x = keras.Input(sample_shape)\n"
            "    return keras.Model(x, [keras.layers.Dense(1)(x)] * 2)",
            "hook 'discriminator': must return one tensor or a dict with 'logits', received a list of outputs.",
        ),
        (
            "def generator_penalty(fake_samples):\n    return ops.mean(OUTSIDE(fake_samples))\n\n"
            "OUTSIDE = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])",
            "of a model that no hook returned: no loss would train it",
        ),
        (
            "def generator_penalty(fake_samples):\n    return ops.mean(fake_samples) * float(np.random.rand())\n\n"
            "import numpy as np",
            "draws from numpy.random while the step is traced",
        ),
    ],
)
def test_what_a_hook_must_not_return_or_do_is_told_with_plugin_and_hook(
    text: str, problem: str, build_error: Callable
) -> None:
    message = build_error(f"@hookimpl\n{text}\n")
    assert message.startswith(("Plugin 'mine'", "A plugin of this stack"))
    assert problem in (without_place(message) if problem.startswith("hook") else message)


def test_a_number_is_a_penalty_of_any_kind_of_number(
    make_stack: Callable, plugin_file: Callable, tiny_dataset: Callable
) -> None:
    file = plugin_file("""
        import numpy as np

        @hookimpl
        def generator_penalty():
            return np.float64(0.5)
    """)
    metrics = Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,))).step()
    assert metrics["generator_penalty/mine"] == 0.5
