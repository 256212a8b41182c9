"""One contract for every registered variant, and for small stacks that prove the hooks no shipped plugin needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import backend
from zoo.catalogue import read_catalogue
from zoo.data import Dataset
from zoo.data.fields import samples_field
from zoo.training.trainer import Trainer

SHAPES = {"1 channel": (16, 16, 1), "3 channels": (16, 16, 3), "points": (2,)}
STEPS = 2
VARIANTS = sorted(read_catalogue().variants)
ON_POINTS = (
    "vanilla",
    "vanilla+wgan",
    "vanilla+wgan_gp",
    "vanilla+r1",
    "vanilla+label_smoothing",
    "pacgan-mlp",
    "vanilla+rpgan+r1+r2+r3gan",
)
MODIFIED = ("dcgan+r1", "dcgan+label_smoothing", "wgan+r1", "wgan-gp+r1", "wgan-gp+pacgan")
OWN = {  # tests/stacks: the stack, and how many classes its dataset has
    "vanilla+two_heads": 3,
    "vanilla+stateful": None,
    "vanilla+coded": None,
    "vanilla+doubling+shifting": None,
    "conditional": 3,
    "conditional+r1+stateful": 3,
    "vanilla+projection+r2": 3,
}
CASES = [
    *[(variant, kind, 10) for variant in VARIANTS for kind in ("1 channel", "3 channels")],
    *[(stack, "points", None) for stack in ON_POINTS],
    *[(stack, "1 channel", None) for stack in MODIFIED],
    *[(stack, "1 channel", classes) for stack, classes in OWN.items()],
]


@dataclass(frozen=True)
class Trained:
    """What a trainer was before, between and after two stretches of steps, and another one that took the second."""

    shape: tuple[int, ...]
    trainer: Trainer
    states: list[dict[str, np.ndarray]]
    metrics: dict[str, float]
    resumed: dict[str, np.ndarray]
    resumed_metrics: dict[str, float]


def own_plugins(stack: str) -> list[str]:
    folder = Path(__file__).with_name("stacks")
    return [name for name in stack.split("+") if (folder / f"{name}.py").exists()]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]} on {case[1]}")
def trained(request: pytest.FixtureRequest, tiny_dataset: Callable, make_stack: Callable) -> Trained:
    text, kind, classes = request.param
    dataset = with_source(tiny_dataset(SHAPES[kind], count=10, classes=classes))  # an epoch ends within a batch
    stack = make_stack(text, "average_decay=0.9", plugins=own_plugins(text))
    trainer = Trainer(stack, dataset, seed=3)
    states = [trainer.state()]
    for _ in range(2):
        for _ in range(STEPS):
            metrics = trainer.step()
        states.append(trainer.state())
    other = Trainer(stack, dataset, seed=3)
    other.set_state(states[1])
    for _ in range(STEPS):
        resumed_metrics = other.step()
    return Trained(dataset.sample_shape, trainer, states, metrics, other.state(), resumed_metrics)


def with_source(dataset: Dataset) -> Dataset:
    """Images with the field that translations begin with."""
    if not dataset.is_image:
        return dataset
    return replace(dataset, others={"source": (samples_field(dataset.sample_shape), 255 - dataset.samples[::-1])})


def test_every_metric_is_finite(trained: Trained) -> None:
    assert {"discriminator_loss", "generator_loss"} <= set(trained.metrics)
    assert all(np.isfinite(value) for value in trained.metrics.values()), trained.metrics


def test_every_trainable_weight_of_both_players_changes(trained: Trained) -> None:
    names = {id(variable): name for name, variable in trained.trainer.variables().items()}
    players = trained.trainer.players
    for weight in [*players.generator.trainable_variables, *players.discriminator.trainable_variables]:
        before, after = (trained.states[index][names[id(weight)]] for index in (0, -1))
        assert may_stay(weight, after) or (before != after).any(), weight.path


def may_stay(weight: Any, value: np.ndarray) -> bool:
    """A bias that batch normalization or a difference of means takes out again, or a weight held at its bound."""
    limit = getattr(weight.constraint, "limit", np.inf)
    return weight.name == "bias" or bool((np.abs(value) == np.float32(limit)).all())


def test_every_variable_of_the_state_is_finite(trained: Trained) -> None:
    assert all(np.isfinite(array).all() for array in trained.states[-1].values())


def test_the_same_seed_continues_bit_for_bit_in_another_trainer(trained: Trained) -> None:
    assert trained.resumed.keys() == trained.states[-1].keys()
    for name, array in trained.states[-1].items():
        assert np.array_equal(array, trained.resumed[name]), name
    assert trained.resumed_metrics == trained.metrics


def test_samples_have_the_datasets_shape_and_images_lie_between_minus_one_and_one(trained: Trained) -> None:
    sampler = trained.trainer.sampler
    samples = sampler.samples(sampler.latents(5, seed=1))
    assert samples.shape == (5, *trained.shape)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert len(trained.shape) == 1 or np.abs(samples).max() <= 1
    assert (samples[0] != samples[1]).any()


def test_the_saved_generator_gives_the_same_samples(trained: Trained, tmp_path: Path) -> None:
    sampler = trained.trainer.sampler
    latents = sampler.latents(5, seed=1)
    sampler.save_model(tmp_path / "generator.keras")
    made = keras.models.load_model(tmp_path / "generator.keras")(latents, training=False)
    made = made["samples"] if isinstance(made, dict) else made
    assert made.shape == (5, *trained.shape)
    if not sampler.generating.has_noise:  # layers that draw do so by seeds of their own
        assert ops.convert_to_numpy(made) == pytest.approx(sampler.samples(latents), abs=1e-6)


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
