"""The paper's settings and its schedule."""

from collections.abc import Callable

import numpy as np
import pytest
from keras import ops

from zoo.layers import SpectralNormalization
from zoo.layers.spectral import kernels
from zoo.stacks.defaults import schedule
from zoo.training.trainer import Trainer


@pytest.mark.parametrize(("images", "rate"), [(0, 2e-4), (4_000_000, 1.5e-4), (16_000_000, 0.0)])
def test_both_rates_fall_to_zero_in_a_straight_line(images: int, rate: float, make_stack: Callable) -> None:
    recipe = make_stack("sngan", tiny=False).recipe
    found = {name: float(each) for name, each in schedule(ops.convert_to_tensor(images), recipe).items()}
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


@pytest.mark.parametrize(
    "stack",
    ["sngan", "hinge", "vanilla+hinge+sngan", "sagan", "biggan", "cgan-projection", "tacgan", "contragan", "reacgan",
     "pix2pix-edges", "srgan", "cyclegan-negative", "cut-negative"],
)  # fmt: skip
def test_every_kernel_of_the_discriminator_is_normalized(
    stack: str, make_stack: Callable, tiny_dataset: Callable
) -> None:
    """The first layer's and the last one's too: a network's slope is bounded only where each layer's is."""
    made = make_stack(stack, "discriminator_normalization=spectral")
    discriminator = Trainer(made, tiny_dataset(classes=3)).players.discriminator
    wrapped = [each for each in discriminator._flatten_layers() if isinstance(each, SpectralNormalization)]
    normal = {id(kernel) for each in wrapped for kernel, _ in kernels(each.layer)}
    assert [each.path for each in discriminator.trainable_variables if each.ndim > 1 and id(each) not in normal] == []


def test_a_normalized_discriminators_slope_is_at_most_one(make_stack: Callable, tiny_dataset: Callable) -> None:
    """|D(x) - D(y)| <= |x - y| (section 2.1), of an MLP whose singular vectors have settled."""
    made = make_stack("vanilla+hinge+sngan", "dropout=0", "discriminator_units=16,16")
    discriminator = Trainer(made, tiny_dataset((2,))).players.discriminator
    draw = np.random.default_rng(0)
    ends = draw.normal(size=(2, 200, 2)).astype("float32")
    for _ in range(100):
        discriminator(ends[0], training=True)
    one, other = (ops.convert_to_numpy(discriminator(each))[:, 0] for each in ends)
    slopes = np.abs(one - other) / np.linalg.norm(ends[0] - ends[1], axis=1)
    assert slopes.max() <= 1 + 1e-4
    assert slopes.max() > 0.1
