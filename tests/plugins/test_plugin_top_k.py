"""Which samples the generator learns from, how many they are, and what is refused."""

from collections.abc import Callable

import numpy as np
import pytest
from by_hand import column, slopes, wrapped
from keras import ops
from zoo_plugins.top_k import TopKRecipe, generator_loss, kept_of

from zoo import ZooError, losses
from zoo.training.trainer import Trainer

RECIPE = TopKRecipe(top_k_decay=0.5, top_k_least=0.25, top_k_epoch=100)


def loss(logits: object, images: int) -> object:
    return wrapped(generator_loss(logits, images, RECIPE), losses.non_saturating_generator_loss(logits))


def test_at_first_it_is_the_plain_loss() -> None:
    logits = column(0.5, -2.0, 1.0, 3.0)
    plain = slopes(losses.non_saturating_generator_loss, logits)
    assert slopes(lambda each: loss(each, 99), logits) == pytest.approx(plain)


def test_half_of_the_batch_learns_twice_as_much_and_the_other_half_nothing() -> None:
    logits = column(0.5, -2.0, 1.0, 3.0)
    plain = slopes(losses.non_saturating_generator_loss, logits)
    assert slopes(lambda each: loss(each, 100), logits) == pytest.approx(plain * [0, 0, 2, 2])


def test_equal_logits_are_taken_in_the_batchs_order() -> None:
    assert (slopes(lambda each: loss(each, 100), column(1.0, 1.0, 1.0, 1.0)) != 0).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_k_falls_with_each_epoch_down_to_its_least_share() -> None:
    assert [int(kept_of(8, images, RECIPE)) for images in (0, 99, 100, 200, 300, 10_000)] == [8, 8, 4, 2, 2, 2]
    assert int(kept_of(2, 10_000, RECIPE)) == 1
    paper = TopKRecipe()
    assert int(kept_of(512, 50_000 * 10, paper)) == int(0.99**10 * 512)


def test_patches_are_ranked_by_the_mean_of_a_sample() -> None:
    logits = ops.convert_to_tensor(
        np.array([[[5.0], [-9.0]], [[1.0], [1.0]], [[2.0], [2.0]], [[0.0], [0.0]]], "float32")
    )
    kept = ops.convert_to_numpy(loss(logits, 100))
    assert (kept != 0).tolist() == [False, True, True, False]


def test_a_loss_of_the_whole_batch_is_refused() -> None:
    with pytest.raises(ZooError, match="'top_k' needs a generator's loss with a value a logit"):
        wrapped(generator_loss(column(0.5), 0, RECIPE), ops.mean(column(0.5)))


def test_k_is_logged(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla+top_k", "top_k_epoch=4", "top_k_decay=0.5"), tiny_dataset((2,)))
    assert [trainer.step()["generator/top_k/k"] for _ in range(3)] == [4, 2, 2]
