"""Where it attends, that every layer is normalized, and the paper's two rates."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.sagan import discriminator, generator, recipe

from zoo import ZooError, backend, layers
from zoo.data.fields import expected_fields
from zoo.training.players import build_players

SMALL = replace(recipe(), width=2)


def attending(model: keras.Model) -> list[Any]:
    return [each for each in model.layers if isinstance(each, layers.SelfAttention)]


@pytest.mark.parametrize(
    ("shape", "side"),
    [((28, 28, 1), (14, 14)), ((32, 32, 3), (16, 16)), ((64, 64, 3), (32, 32)), ((64, 128, 3), (16, 32)),
     ((128, 128, 3), (32, 32))],
)  # fmt: skip
def test_one_map_of_at_most_32_pixels_attends_in_either_player(shape: tuple[int, ...], side: tuple[int, int]) -> None:
    for model in (generator(shape, SMALL), discriminator(shape, SMALL)):
        (layer,) = attending(model)
        assert layer.output.shape[1:3] == side
        assert layer.spectral


def test_every_convolution_and_dense_layer_of_both_is_spectrally_normalized() -> None:
    for model in (generator((16, 16, 1), SMALL), discriminator((16, 16, 1), SMALL)):
        assert not [each.name for each in model.layers if isinstance(each, keras.layers.Conv2D | keras.layers.Dense)]


def test_attention_begins_as_the_identity_and_learns() -> None:
    judge = discriminator((16, 16, 1), SMALL)
    (layer,) = attending(judge)
    samples = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
    before = ops.convert_to_numpy(judge(samples))
    layer.query.layer.kernel.assign(layer.query.layer.kernel + 1)
    assert np.array_equal(ops.convert_to_numpy(judge(samples)), before)
    layer.gamma.assign(1.0)
    assert (ops.convert_to_numpy(judge(samples)) != before).any()


def test_the_discriminator_learns_four_times_as_fast_in_the_conditional_variant_too(make_stack: Callable) -> None:
    stack = make_stack("sagan")
    players = build_players(stack, expected_fields((16, 16, 1), 3), 0, backend.engine())
    assert float(players.generator_optimizer.learning_rate) == pytest.approx(1e-4)
    assert float(players.discriminator_optimizer.learning_rate) == pytest.approx(4e-4)
    assert stack.recipe.critic_steps == 1
    kinds = [type(each) for each in players.generator.layers]
    assert layers.BatchNormalization not in kinds
    assert kinds.count(layers.ConditionalBatchNormalization) == 2 * 2 + 1


def test_points_are_refused() -> None:
    with pytest.raises(ZooError, match="Plugin 'sagan' makes images"):
        generator((2,), SMALL)
