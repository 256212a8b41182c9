"""Packs: what they hold, what the discriminator sees of them, and that packs of one are the base stack."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops
from measured_gradients import descended
from zoo_plugins.pacgan import PacGanRecipe, augment, judged_shape

from zoo import ZooError
from zoo.training.trainer import Trainer

SHAPES = {"points": (2,), "images": (16, 16, 3)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_pack_holds_neighbours_of_the_batch_one_after_the_other_on_the_last_axis(shape: tuple[int, ...]) -> None:
    recipe = PacGanRecipe(packing=3)
    samples = np.random.default_rng(0).normal(size=(6, *shape)).astype("float32")
    packs = ops.convert_to_numpy(augment(ops.convert_to_tensor(samples), recipe))
    assert packs.shape == (2, *judged_shape(shape, recipe))
    for number, pack in enumerate(packs):
        for place in range(3):
            part = pack[..., place * shape[-1] : (place + 1) * shape[-1]]
            assert (part == samples[3 * number + place]).all()


@pytest.mark.parametrize("base", [pytest.param("vanilla", marks=pytest.mark.long), "dcgan", "vanilla+wgan_gp"])
def test_packs_of_one_equal_the_base_bit_for_bit(base: str, tiny_dataset: Callable, make_stack: Callable) -> None:
    shape = (16, 16, 1) if base == "dcgan" else (2,)
    states = []
    for text, settings in ((base, []), (f"{base}+pacgan", ["packing=1"])):
        trainer = Trainer(make_stack(text, "critic_steps=1", *settings), tiny_dataset(shape), seed=5)
        metrics = [trainer.step() for _ in range(2)]
        states.append((metrics, trainer.state()))
    (base_metrics, expected), (packed_metrics, packed) = states
    assert packed_metrics == base_metrics
    assert packed.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(array, packed[name]), name


def test_the_first_layer_takes_all_samples_of_a_pack_and_no_other_layer_grows(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    shapes = []
    for text in ("dcgan", "dcgan+pacgan"):
        players = Trainer(make_stack(text), tiny_dataset((16, 16, 3))).players
        shapes.append([tuple(weight.shape) for weight in players.discriminator.trainable_variables])
        assert players.generator.output.shape[1:] == (16, 16, 3)
    (first, *others), (packed, *packed_others) = shapes
    assert (first, packed) == ((5, 5, 3, 2), (5, 5, 6, 2))
    assert packed_others == others


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_pack_has_one_logit_and_every_sample_of_it_a_gradient(
    player: str, tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+pacgan", "batch_size=8", "packing=4"), tiny_dataset((2,)))
    terms = eager_terms(trainer, player)
    assert terms.fake_logits.shape == (2, 1)
    slopes = ops.convert_to_numpy(terms.gradients(terms.discriminate, terms.fake_samples))
    assert slopes.shape == (8, 2)
    assert (np.abs(slopes).max(axis=1) > 0).all()


def test_a_penalty_is_the_mean_over_samples_of_the_slope_of_their_packs_logit(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    """A linear critic of packs of two points has the slopes (3, -4) and (0, 1), of squared norms 25 and 1."""
    stack = make_stack("linear+pacgan+r1+descent", "r1_gamma=0.5", plugins=["linear", "descent"])
    trainer = Trainer(stack, tiny_dataset((2,)))
    kernel = trainer.players.discriminator.trainable_variables[0]
    kernel.assign([[3.0], [-4.0], [0.0], [1.0]])
    metrics, _ = descended(trainer, kernel)
    assert float(metrics["discriminator_penalty/r1"]) == pytest.approx(0.5 / 2 * (25 + 1) / 2)


def test_a_batch_that_makes_no_whole_packs_is_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError) as raised:
        Trainer(make_stack("vanilla+pacgan", "packing=3"), tiny_dataset((2,)))
    assert str(raised.value) == (
        "Plugin 'pacgan' can't make packs of 3 out of 4 samples: --set batch_size to a multiple of packing, of packing "
        "times the devices where there are several."
    )
    with pytest.raises(ZooError, match="packs of 3 out of 4"):  # what one of several devices has
        augment(ops.zeros((4, 2)), PacGanRecipe(packing=3))


def test_packs_of_nothing_are_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="packing must be at least 1; received 0"):
        Trainer(make_stack("vanilla+pacgan", "packing=0"), tiny_dataset((2,)))


def test_a_discriminator_that_takes_labels_is_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="this stack's discriminator also takes labels, and a pack would have several"):
        Trainer(make_stack("conditional+pacgan", plugins=["conditional"]), tiny_dataset(classes=3))


def test_packing_comes_after_the_augmentations_below_it(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+shifting+pacgan", plugins=["shifting"]), tiny_dataset((2,)))
    seen = eager_terms(trainer).augmented({"samples": keras.ops.ones((4, 2))}, is_real=True)["samples"]
    assert seen.shape == (2, 4)
    assert ops.convert_to_numpy(seen) == pytest.approx(np.full((2, 4), 4.0), abs=0.1)
