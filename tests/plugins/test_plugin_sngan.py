"""The paper's settings and its schedule."""

from collections.abc import Callable

import pytest
from keras import ops
from zoo_plugins.sngan import schedule

from zoo.training.trainer import Trainer


@pytest.mark.parametrize(("progress", "rate"), [(0.0, 2e-4), (0.25, 1.5e-4), (1.0, 0.0)])
def test_both_rates_fall_to_zero_in_a_straight_line(progress: float, rate: float, make_stack: Callable) -> None:
    recipe = make_stack("sngan", tiny=False).recipe
    found = {name: float(each) for name, each in schedule(ops.convert_to_tensor(progress), recipe).items()}
    assert found == pytest.approx({"generator_learning_rate": rate, "discriminator_learning_rate": rate}, abs=1e-10)


def test_the_papers_values_hold_where_nothing_else_is_said(make_stack: Callable) -> None:
    recipe = make_stack("sngan", tiny=False).recipe
    assert (recipe.width, recipe.latent_size, recipe.batch_size, recipe.horizon) == (64, 128, 64, 16_000_000)
    assert (recipe.critic_steps, recipe.generator_batch_factor, recipe.discriminator_normalization) == (
        5, 2, "spectral",
    )  # fmt: skip
    assert (recipe.beta_1, recipe.beta_2) == (0, 0.9)


def test_at_the_horizon_nothing_moves_any_more(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla+hinge+sngan", "horizon=4", "critic_steps=1"), tiny_dataset((2,)))
    trainer.step()  # a batch of 4
    before = ops.convert_to_numpy(trainer.players.generator.trainable_variables[0])
    trainer.step()
    assert (ops.convert_to_numpy(trainer.players.generator.trainable_variables[0]) == before).all()
