"""The unrolled discriminator is the one that so many steps of its own optimizer make."""

from collections.abc import Callable

import pytest
import tensorflow as tf
from by_hand import number
from keras import ops
from zoo_plugins.unrolled import generator_loss

from zoo import losses
from zoo.training.trainer import Trainer


@pytest.mark.parametrize("steps", [0, 3])
def test_the_generator_plays_against_the_discriminator_of_a_few_updates_later(
    steps: int, tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    settings = (f"unrolled_steps={steps}", "dropout=0.0", "discriminator_learning_rate=0.05", "critic_steps=2")
    trainer = Trainer(make_stack("vanilla+unrolled", *settings), tiny_dataset((2,)))
    for _ in range(2):
        trainer.step()  # so that Adam has moments
    terms, players = eager_terms(trainer, "generator"), trainer.players
    found = generator_loss(
        terms.real_fields, terms.fake_fields, terms.discriminate, players.discriminator, terms.gradients,
        players.variables, terms.recipe,
    )  # fmt: skip
    weights = players.discriminator.trainable_variables

    def loss() -> object:
        return losses.cross_entropy_discriminator_loss(
            terms.discriminate(terms.real_fields), terms.discriminate(terms.fake_fields)
        )

    before = number(loss())
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = loss()
        players.discriminator_optimizer.apply(tape.gradient(value, [each.value for each in weights]), weights)
    assert number(found) == pytest.approx(-number(loss()), rel=1e-5)
    assert (number(found) == pytest.approx(-before, rel=1e-4)) == (steps == 0)
    assert int(ops.convert_to_numpy(players.discriminator_optimizer.iterations)) == 4 + steps
