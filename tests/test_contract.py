"""One contract for every registered variant, and for small stacks that prove the hooks no shipped plugin needs."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from plugin_kinds import MODIFIERS, formulas_alone, untried

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.catalogue import read_catalogue
from zoo.data.fields import Field
from zoo.testing.checks import CHECKS
from zoo.testing.subject import PLAIN, NotApplicableError, Subject, op_by_op
from zoo.training.trainer import Trainer

STACKS = Path(__file__).with_name("stacks")
POINTS, GRAY, COLOURS = (2,), (16, 16, 1), (16, 16, 3)
VARIANTS = read_catalogue().variants


ON_POINTS = [f"vanilla+{each}" for each in ("cgan", "acgan", "infogan", "tacgan", "contragan", "reacgan", "logan")]
"""What goes on any networks, on points: small ones compile in a third of the time."""


def covering() -> list[str]:
    """Variants, the longest first, of which each has a plugin with models or state that none before it has."""
    found: list[str] = []
    for name in sorted(VARIANTS, key=lambda each: -len(VARIANTS[each].plugins)):
        found += [name] if set(VARIANTS[name].plugins) & untried([*ON_POINTS, *found]) else []
    return found


THOROUGH = {**dict.fromkeys(covering(), 10), "conditional+r1+stateful": 3, MODIFIERS: None}
OTHERS = {  # of plugins in tests/stacks
    "vanilla+two_heads": 3,
    "vanilla+coded": None,
    "vanilla+doubling+shifting": None,
    "conditional": 3,
    "vanilla+projection+r2": 3,
}
QUICK = [  # of which one training answers all
    each
    for each in CHECKS
    if each
    not in (
        "training resumes bit for bit",
        "hooks take a batch of any size",
        "bfloat16 stays finite",
        "gradients are right to second order",
    )
]
EVERY = ("conditional+r1+stateful", "r3gan", "pix2pix-edges", MODIFIERS)  # these differ most
MANY = ("training resumes bit for bit", "bfloat16 stays finite")
"""What is tried on every network by `make test-all`, else on those of EVERY and on small ones."""
PENALTIES = [*QUICK[:5], "gradients are right to second order"]
Case = tuple[str, tuple[int, ...], int | None]
FORMULAS = sorted(formulas_alone())
OF_IMAGES = ("bcr", "cr")  # which they flip and shift
CASES: list[tuple[Case, Sequence[str]]] = [
    *[
        ((stack, GRAY, classes), list(CHECKS) if stack in EVERY else [*QUICK, *MANY])
        for stack, classes in THOROUGH.items()
    ],
    *[((stack, POINTS, 3), [*QUICK, *MANY]) for stack in ON_POINTS],
    *[((stack, GRAY, classes), QUICK) for stack, classes in OTHERS.items()],
    *[((f"vanilla+{plugin}", GRAY if plugin in OF_IMAGES else POINTS, None), PENALTIES) for plugin in FORMULAS],
    *[((stack, POINTS, None), QUICK) for stack in ("vanilla", "pacgan-mlp", "vanilla+rpgan+r1+r2+r3gan")],
]


NETWORKS = [(stack, GRAY, classes) for stack, classes in THOROUGH.items() if stack not in EVERY]
"""Large ones: tracing takes longer than three steps op by op. Keras traces each layer's call when it builds them, hooks
are traced on small networks, and `make test-all` traces these too.
"""


def is_long(case: Case, check: str) -> bool:
    """Whether `make test` leaves it out."""
    return check in MANY and case in NETWORKS


def files_of(stack: str) -> list[Path]:
    """The files of those plugins of a stack that lie in tests/stacks."""
    return [path for name in stack.split("+") if (path := STACKS / f"{name}.py").exists()]


@lru_cache(maxsize=1)  # tests come case by case, so that each stack trains once, and one at a time is kept
def subject_of(case: Case) -> Subject:
    text, shape, classes = case
    fields = {"source": Field("image", shape)} if len(shape) == 3 else {}  # that translations begin with
    policy = op_by_op() if case in NETWORKS else PLAIN
    return Subject(text, shape, files_of(text), classes, fields, settings={"latent_size": 3}, policy=policy)


@pytest.fixture(autouse=True)
def few_standing_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics are recomputed over two batches whenever samples are drawn; another test has all."""
    monkeypatch.setattr("zoo.training.sampler.STANDING_BATCHES", 2)


@pytest.mark.filterwarnings("ignore:This stack bounds the discriminator's slope twice:zoo.ZooWarning")
@pytest.mark.parametrize(
    ("case", "check"),
    [
        pytest.param(case, check, marks=pytest.mark.long if is_long(case, check) else [])
        for case, checks in CASES
        for check in checks
    ],
    ids=lambda each: each if isinstance(each, str) else f"{each[0]} on {each[1]}",
)
def test_contract(case: Case, check: str) -> None:
    with suppress(NotApplicableError):
        CHECKS[check](subject_of(case))


@pytest.mark.long
@pytest.mark.parametrize("case", NETWORKS, ids=lambda each: each[0])
def test_networks_train_as_graphs(case: Case) -> None:
    subject = replace(subject_of(case), policy=PLAIN)
    CHECKS["it trains and every metric is finite"](subject)


def test_every_registered_plugin_is_tried() -> None:
    assert untried([*THOROUGH, *ON_POINTS]) == set()


FIRST = {each.plugins[0]: name for name, each in reversed(VARIANTS.items())}
"""Of each plugin with networks the first variant: colours are a matter of networks, not of losses."""


@pytest.mark.parametrize("variant", sorted(FIRST.values()))
def test_networks_make_samples_in_colour(variant: str) -> None:
    """Untrained: how they train was seen above."""
    trainer = subject_of((variant, COLOURS, 10)).trainer()
    samples = trainer.sampler.samples(trainer.sampler.latents(2, seed=1), seed=1)
    assert samples.shape == (2, *COLOURS)
    assert np.isfinite(samples).all()


@pytest.mark.parametrize(("size", "smallest"), [(16, 4), (28, 7), (32, 4), (64, 4), (128, 4)])
@pytest.mark.parametrize("channels", [1, 3])
def test_dcgan_builds_for_every_size(size: int, smallest: int, channels: int, make_stack: Callable) -> None:
    from zoo.data.fields import expected_fields
    from zoo.training.players import build_players

    players = build_players(make_stack("dcgan"), expected_fields((size, size, channels), None), 0, backend.engine())
    made = players.generator(np.zeros((2, 3), "float32"))
    assert made.shape == (2, size, size, channels)
    assert players.discriminator(made).shape == (2, 1)
    features = players.discriminator.get_layer("features")
    assert features.input.shape[1:3] == (smallest, smallest)
    widths = [layer.filters for layer in players.discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [min(2 * 2**layer, 8 * 2) for layer in range(len(widths))]
    assert 2 ** len(widths) * smallest == size


def test_a_second_head_learns_from_the_labels(tiny_dataset: Callable, make_stack: Callable) -> None:
    stack = make_stack("vanilla+two_heads", plugins=["two_heads"])
    trainer = Trainer(stack, tiny_dataset(classes=3))
    before = ops.convert_to_numpy(trainer.players.discriminator.get_layer("classes").kernel)
    trainer.step()
    assert (ops.convert_to_numpy(trainer.players.discriminator.get_layer("classes").kernel) != before).any()


def test_a_plugins_variables_are_assigned_once_an_update_and_saved(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    stack = make_stack("vanilla+stateful", "critic_steps=2", plugins=["stateful"])
    trainer = Trainer(stack, tiny_dataset((2,)))
    trainer.step()
    trainer.step()
    state = trainer.state()
    assert state["plugin/penalties"] == 2 * (2 * 1 + 100)
    assert state["plugin/mean_logit"] != 0
    other = Trainer(stack, tiny_dataset((2,)))
    other.set_state(state)
    assert other.state()["plugin/mean_logit"] == state["plugin/mean_logit"]


def test_custom_latents_reach_the_generator_and_the_penalty(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla+coded", plugins=["coded"]), tiny_dataset((2,)))
    assert trainer.step()["generator_penalty/coded"] < 0
    latents = trainer.sampler.latents(6, seed=0)
    assert latents["noise"].shape == (6, 3)
    assert (ops.convert_to_numpy(latents["code"]).sum(axis=1) == 1).all()


def test_augmentations_are_chained_in_the_stacks_order_with_seeds_of_their_own(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    seen = {}
    for order in ("doubling+shifting", "shifting+doubling"):
        trainer = Trainer(make_stack(f"vanilla+{order}", plugins=["doubling", "shifting"]), tiny_dataset((2,)))
        samples = {"samples": np.ones((1000, 2), "float32")}
        seen[order] = ops.convert_to_numpy(eager_terms(trainer).augmented(samples, is_real=True)["samples"])
    assert seen["doubling+shifting"].mean() == pytest.approx(2 * 1 + 3, abs=0.01)
    assert seen["shifting+doubling"].mean() == pytest.approx(2 * (1 + 3), abs=0.01)
    # the deviations say that both add noise: .01 each, the first of shifting+doubling doubled
    assert seen["doubling+shifting"].std() == pytest.approx(0.01 * np.sqrt(2), rel=0.1)


def test_a_conditional_generator_makes_other_samples_of_other_labels(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("conditional", plugins=["conditional"]), tiny_dataset(classes=3))
    same = {"latents": np.zeros((3, 3), "float32"), "labels": np.array([0, 1, 2], "int32")}
    samples = trainer.sampler.samples(same)
    assert (samples[0] != samples[1]).any()
    assert (samples[1] != samples[2]).any()


def test_in_bfloat16_features_networks_and_wrapped_models_answer_in_float32(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable, eager_terms: Callable
) -> None:
    file = plugin_file("""
        @hookimpl(wrapper=True)
        def generator(recipe):
            model = yield
            latents = keras.Input((recipe.latent_size,))
            return keras.Model(latents, model(latents))

        @hookimpl
        def networks(sample_shape):
            samples = keras.Input(sample_shape)
            return {"inner": zoo.Network(keras.Model(samples, keras.layers.Dense(2)(samples)))}

        @hookimpl
        def generator_penalty(fake_samples, generator):
            return ops.mean(generator.layers[1].layers[1](ops.zeros((4, 3))))  # a layer called by itself
    """)
    engine = backend.engine(EngineOptions(precision="bfloat16"))
    trainer = Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,)), engine=engine)
    terms = eager_terms(trainer)
    assert np.isfinite(trainer.step()["generator_penalty/mine"])
    inner = terms.networks["inner"](terms.real_samples)
    for tensor in (terms.fake_samples, terms.real_features, terms.fake_logits, inner):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
