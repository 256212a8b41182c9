"""The minimax game by hand: its value, and a generator's gradient that is D(G(z)) itself."""

from collections.abc import Callable

import numpy as np
import pytest
from by_hand import column
from keras import ops
from zoo_plugins.minimax import discriminator_loss, generator_loss

from zoo import backend
from zoo.training.trainer import Trainer


def test_it_is_a_zero_sum_game_up_to_the_real_images_share() -> None:
    real, fake = column(1.0, -2.0), column(0.5, -0.5)
    real_share = np.log1p(np.exp([-1.0, 2.0])).mean()
    paid = float(discriminator_loss(real, fake)) + float(ops.mean(generator_loss(fake)))
    assert paid == pytest.approx(real_share, rel=1e-6)


def test_the_generators_gradient_vanishes_where_the_discriminator_is_sure() -> None:
    logits = column(-20.0, 0.0, 20.0)
    slopes = ops.convert_to_numpy(backend.engine().input_gradients(generator_loss, logits))[:, 0]
    assert -slopes == pytest.approx([2.0611536e-9, 0.5, 1.0], rel=1e-6)  # 1 / (1 + e^20), ...


def test_it_takes_the_place_of_the_loss_below(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    stack = make_stack("vanilla+minimax")
    terms = eager_terms(Trainer(stack, tiny_dataset((2,))), "generator")
    assert float(terms.loss()[0]) < 0  # the non-saturating loss is above 0
