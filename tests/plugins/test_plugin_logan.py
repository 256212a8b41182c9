"""The step in latent space at a game whose slope is known, and what it costs."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import gradients, linear, number, rows
from keras import ops
from zoo_plugins.logan import LoganRecipe, discriminator_penalty, generator_penalty, move_latents

from zoo import ZooError
from zoo.training.trainer import Trainer

LATENTS = np.random.default_rng(0).uniform(-0.5, 0.5, size=(1000, 2)).astype("float32")


def moved(latents: Any, share: float = 1.0, rate: float = 0.9, fields: Any = None) -> Any:
    """D(G(z)) = 3 z_1 - 4 z_2, of the slope (3, -4)."""
    recipe = LoganRecipe(logan_rate=rate, logan_damping=5.0, logan_share=share)

    def generate(given: Any) -> Any:
        return given["latents"] if isinstance(given, dict) else given

    seed = keras.random.SeedGenerator(0)
    return move_latents(latents, generate, linear(3.0, -4.0), gradients, fields or {}, seed, recipe)


def test_latents_that_ignore_a_truncation_cant_be_truncated(make_stack: Callable, tiny_dataset: Callable) -> None:
    sampler = Trainer(make_stack("vanilla+logan"), tiny_dataset((2,))).sampler
    with pytest.raises(ZooError, match="The latents of 'vanilla\\+logan' can't be truncated"):
        sampler.latents(2, seed=0, truncation=0.5)
    plain = Trainer(make_stack("vanilla"), tiny_dataset((2,))).sampler
    whole, half = (ops.convert_to_numpy(plain.latents(50, seed=0, truncation=each)) for each in (None, 0.5))
    assert np.abs(half).max() < np.abs(whole).max()


def test_a_step_is_a_damped_natural_gradient() -> None:
    steps = ops.convert_to_numpy(moved(rows(LATENTS))) - LATENTS
    assert steps == pytest.approx(np.tile(0.9 / (5 + 25) * np.array([3, -4]), (1000, 1)), abs=1e-6)


def test_a_step_ends_at_the_border_of_the_latents() -> None:
    ends = ops.convert_to_numpy(moved(rows(LATENTS), rate=90.0))
    assert (ends == [1, -1]).all()


def test_only_a_share_of_the_latents_is_moved() -> None:
    changed = (ops.convert_to_numpy(moved(rows(LATENTS), share=0.8)) != LATENTS).any(axis=1)
    assert changed.mean() == pytest.approx(0.8, abs=0.04)
    assert (ops.convert_to_numpy(moved(rows(LATENTS), share=0.0)) == LATENTS).all()


def test_labels_stay() -> None:
    given = {"latents": rows(LATENTS[:2]), "labels": ops.convert_to_tensor([1, 2])}
    ends = moved(given, fields={"labels": None})
    assert ops.convert_to_numpy(ends["labels"]).tolist() == [1, 2]
    assert (ops.convert_to_numpy(ends["latents"]) != LATENTS[:2]).all()


def test_both_players_pay_for_the_squared_length_of_a_step() -> None:
    recipe = LoganRecipe(logan_weight=2.0)
    ends = rows(LATENTS + np.array([0.3, -0.4]))
    for penalty in (discriminator_penalty, generator_penalty):
        assert number(penalty(ends, rows(LATENTS), {}, recipe)) == pytest.approx(2 * 0.25, rel=1e-5)


def test_a_discriminator_that_must_know_more_than_the_generator_is_refused(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        @hookimpl(wrapper=True)
        def discriminator(classes):
            model = yield
            labels = zoo.networks.input_of(model, "labels", dtype="int32")
            embedded = keras.layers.Embedding(classes, 1)(labels)
            logits = keras.layers.Add()([zoo.networks.outputs_of(model, "logits")["logits"], embedded])
            return zoo.networks.extended(model, {"labels": labels}, {"logits": logits})
    """)
    file.write_text(file.read_text().replace("import zoo\n", "import zoo, zoo.networks\n"))
    with pytest.raises(ZooError, match="this stack's discriminator also takes 'labels', which its generator is not"):
        Trainer(make_stack("vanilla+mine+logan", plugins=[file]), tiny_dataset((2,), classes=3))
