"""How the hooks of a stack's plugins combine, and that every hook is documented and used."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import zoo_plugins
from keras import ops

from zoo import ZooError, hookspecs
from zoo.stacks.stack import Stack
from zoo.training.trainer import Trainer

HOOKS = [name for name, each in vars(hookspecs).items() if hasattr(each, "zoo_spec")]
COMBINATIONS = ("(joined", "(first", "(chained", "(summed)", "(all run")
PLUGIN_FILES = [*Path(zoo_plugins.__file__).parent.glob("*.py"), *Path(__file__).with_name("stacks").glob("*.py")]

LOSS = """
    @hookimpl
    def discriminator_loss(real_logits, fake_logits):
        return ops.mean(fake_logits * 0) + {value}
"""
DOUBLED = """
    @hookimpl(wrapper=True)
    def discriminator_loss():
        loss = yield
        return loss * 2
"""
PENALTY = """
    @hookimpl
    def discriminator_penalty(real_logits):
        return ops.mean(real_logits * 0) + {value}
"""


@pytest.fixture
def parts_of(tiny_dataset: Callable, eager_terms: Callable) -> Callable[[Stack], tuple[float, dict[str, float]]]:
    """The discriminator's whole loss and its parts, outside of any graph."""

    def find(stack: Stack) -> tuple[float, dict[str, float]]:
        total, parts = eager_terms(Trainer(stack, tiny_dataset((2,)))).loss()
        return float(total), {name: float(value) for name, value in parts.items()}

    return find


def test_there_are_hooks() -> None:
    assert len(HOOKS) >= 12


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_and_says_how_its_answers_combine(hook: str) -> None:
    text = inspect.getdoc(getattr(hookspecs, hook)) or ""
    assert len(text.split()) > 5
    assert any(combination in text for combination in COMBINATIONS), text


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_implemented_by_a_plugin_that_is_tested(hook: str) -> None:
    texts = [path.read_text() for path in PLUGIN_FILES]
    assert any(f"\ndef {hook}(" in text.partition("@hookimpl")[2] for text in texts)


@pytest.mark.parametrize("hook", ["discriminator_loss", "generator_penalty", "move_latents", "augment", "observe"])
def test_every_term_is_annotated_and_most_are_described(hook: str) -> None:
    source = inspect.getsource(hookspecs)
    terms = getattr(hookspecs, hook).argument_names
    assert len(terms) > 12
    for term in terms:
        assert re.search(rf"\b{term}: ", source), term


def test_a_later_plugin_overrides_an_earlier_one_hook_by_hook(
    parts_of: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    files = [plugin_file(LOSS.format(value=value), name) for name, value in (("three", 3), ("five", 5))]
    for text, expected in (("vanilla+three+five", 5), ("vanilla+five+three", 3)):
        stack = make_stack(text, plugins=files)
        assert parts_of(stack)[0] == expected
        assert stack.provider("discriminator_loss") == text.rpartition("+")[2]
        assert stack.provider("generator_loss") == "vanilla"


def test_an_answer_of_none_leaves_the_word_to_the_plugin_below(
    parts_of: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    three = plugin_file(LOSS.format(value=3), "three")
    silent = plugin_file("@hookimpl\ndef discriminator_loss():\n    return None\n", "silent")
    assert parts_of(make_stack("vanilla+three+silent", plugins=[three, silent]))[0] == 3


def test_a_wrapper_wraps_every_plain_answer_wherever_it_stands(
    parts_of: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    files = [plugin_file(LOSS.format(value=3), "three"), plugin_file(DOUBLED, "doubled")]
    for text in ("vanilla+three+doubled", "vanilla+doubled+three"):
        assert parts_of(make_stack(text, plugins=files))[0] == 6


def test_penalties_are_summed_and_logged_under_their_plugins_names(
    parts_of: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    files = [
        plugin_file(LOSS.format(value=3), "three"),
        plugin_file(PENALTY.format(value=0.5), "half"),
        plugin_file(PENALTY.format(value=0.25), "quarter"),
    ]
    total, parts = parts_of(make_stack("vanilla+three+half+quarter", plugins=files))
    assert total == 3.75
    assert parts == {"discriminator_loss": 3, "discriminator_penalty/half": 0.5, "discriminator_penalty/quarter": 0.25}


def test_a_wrapped_loss_does_not_touch_the_penalties(
    parts_of: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    files = [
        plugin_file(LOSS.format(value=3), "three"),
        plugin_file(DOUBLED, "doubled"),
        plugin_file(PENALTY.format(value=0.5), "half"),
    ]
    assert parts_of(make_stack("vanilla+three+doubled+half", plugins=files))[0] == 6.5


def test_the_place_of_a_modifier_makes_no_difference(tiny_dataset: Callable, make_stack: Callable) -> None:
    results = []
    for text in ("vanilla+r1+label_smoothing", "vanilla+label_smoothing+r1"):
        trainer = Trainer(make_stack(text), tiny_dataset((2,)))
        metrics = [trainer.step() for _ in range(2)]
        results.append((metrics, trainer.state()))
    (metrics, state), (other_metrics, other_state) = results
    assert metrics[-1].keys() == other_metrics[-1].keys()
    assert list(metrics[-1].values()) == pytest.approx([other_metrics[-1][name] for name in metrics[-1]], rel=1e-5)
    for name, array in state.items():
        assert array == pytest.approx(other_state[name], rel=1e-4, abs=1e-6), name


def test_variables_of_all_plugins_are_joined(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    text = "@hookimpl\ndef variables():\n    return {{'{name}': keras.Variable(0.0, trainable=False)}}\n"
    files = [plugin_file(text.format(name=name), name) for name in ("one", "two")]
    trainer = Trainer(make_stack("vanilla+one+two", plugins=files), tiny_dataset((2,)))
    assert set(trainer.players.variables) == {"one", "two"}
    assert {"plugin/one", "plugin/two"} <= set(trainer.state())

    files.append(plugin_file(text.format(name="one"), "three"))
    with pytest.raises(ZooError) as raised:
        Trainer(make_stack("vanilla+one+three", plugins=files), tiny_dataset((2,)))
    assert str(raised.value) == "The plugins 'one' and 'three' both declare a variable 'one'."


def test_recipes_of_all_plugins_are_joined(make_stack: Callable) -> None:
    recipe = make_stack("dcgan+wgan_gp+r1", tiny=False).recipe
    assert (recipe.width, recipe.gradient_penalty, recipe.r1_gamma) == (128, 10, 10)
    assert (recipe.batch_size, recipe.critic_steps, recipe.beta_1) == (64, 5, 0)


def test_a_hook_gets_only_what_it_names_and_only_that_is_computed(
    tiny_dataset: Callable, eager_terms: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        @hookimpl
        def generator_loss(step, recipe, fake_logits):
            return ops.mean(fake_logits) + ops.cast(step, "float32") * 0
    """)
    stack = make_stack("vanilla+mine", plugins=[file])
    asked = {argument for impl in stack.implementations("generator_loss") for argument in impl.argnames}
    assert asked == {"step", "recipe", "fake_logits"}
    trainer = Trainer(stack, tiny_dataset((2,)))
    terms = eager_terms(trainer, "generator")
    terms.loss()
    computed = {"latents", "fake_fields", "fake_outputs", "fake_logits"}
    assert {name for name in vars(terms) if name.startswith(("real_", "fake_", "latents"))} <= computed


def test_latents_are_known_as_they_were_drawn_and_as_they_were_moved(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    terms = eager_terms(Trainer(make_stack("vanilla+moving", "dropout=0.0", plugins=["moving"]), tiny_dataset((2,))))
    slope = terms.gradients(lambda latents: terms.discriminate(terms.generate(latents)), terms.drawn_latents)
    expected = ops.convert_to_numpy(terms.drawn_latents) + 0.1 * ops.convert_to_numpy(slope)
    assert ops.convert_to_numpy(terms.latents) == pytest.approx(expected, rel=1e-5)
    assert list(terms.fields) == ["samples"]
