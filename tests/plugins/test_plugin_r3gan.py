"""R3GAN's schedules: their values, and that updates heed them."""

import json
from collections.abc import Callable
from math import cos, pi
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.r3gan import R3GanRecipe, schedule

import zoo
from zoo.training.trainer import Trainer

STACK = "vanilla+rpgan+r1+r2+r3gan"


def values(make_stack: Callable, progress: float, *settings: str) -> dict[str, float]:
    recipe = make_stack(STACK, "r1_gamma=0.05", "r2_gamma=0.3", "batch_size=512", *settings, tiny=False).recipe
    return {name: float(each) for name, each in schedule(ops.convert_to_tensor(progress), recipe).items()}


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (0.0, {"generator_learning_rate": 2e-4, "beta_2": 0.9, "r1_gamma": 0.05, "r2_gamma": 0.3, "average_decay": 0}),
        (0.5, {"generator_learning_rate": 1.25e-4, "beta_2": 0.945, "r1_gamma": 0.0275, "r2_gamma": 0.165,
               "average_decay": 0.5 ** (512 / 2_500_000)}),
        (1.0, {"generator_learning_rate": 5e-5, "beta_2": 0.99, "r1_gamma": 0.005, "r2_gamma": 0.03,
               "average_decay": 0.5 ** (512 / 5_000_000)}),
    ],
)  # fmt: skip
def test_schedules_begin_and_end_where_the_paper_says_with_their_mean_half_way(
    progress: float, expected: dict[str, float], make_stack: Callable
) -> None:
    found = values(make_stack, progress)
    assert found == pytest.approx(
        {**expected, "discriminator_learning_rate": expected["generator_learning_rate"]}, rel=1e-6
    )


def test_in_half_a_life_of_images_half_of_the_average_is_renewed(make_stack: Callable) -> None:
    decay = values(make_stack, 1.0, "average_half_life=5120")["average_decay"]
    assert decay ** (5120 / 512) == pytest.approx(0.5, rel=1e-5)


def test_a_stack_without_penalties_has_none_scheduled(make_stack: Callable) -> None:
    assert "r2_gamma" not in schedule(ops.convert_to_tensor(0.5), make_stack("vanilla+r1+r3gan").recipe)


def test_its_augmentation_grows_from_nothing_to_the_probability_that_is_set(make_stack: Callable) -> None:
    recipe = make_stack(f"{STACK}+ada", "ada_target=0", "ada_probability=0.55").recipe
    found = [float(schedule(ops.convert_to_tensor(each), recipe)["ada_probability"]) for each in (0.0, 0.5, 1.0)]
    assert found == pytest.approx([0, 0.275, 0.55])


def test_adam_is_the_papers(make_stack: Callable) -> None:
    recipe = make_stack(STACK, tiny=False).recipe
    expected = R3GanRecipe()
    for name in ("batch_size", "beta_1", "beta_2", "epsilon", "generator_learning_rate", "horizon"):
        assert getattr(recipe, name) == getattr(expected, name), name
    assert (recipe.beta_1, recipe.epsilon, recipe.discriminator_normalization) == (0, 1e-8, "none")


def scheduled(start: float, end: float, images: int, horizon: int) -> float:
    """Half a cosine, then constant, by hand."""
    return end + (start - end) * (1 + cos(pi * min(images / horizon, 1))) / 2


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_the_kth_update_is_adams_with_the_rate_and_beta_2_of_the_images_seen(
    player: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    """Without first momentum Adam's m is the gradient itself, from which v and the step follow by hand."""
    horizon = 12  # images, three batches: two further updates are beyond it
    trainer = Trainer(make_stack(STACK, f"horizon={horizon}", "dropout=0.0"), tiny_dataset((2,)))
    optimizer: keras.optimizers.Adam = getattr(trainer.players, f"{player}_optimizer")
    weights = getattr(trainer.players, player).trainable_variables
    variance = [np.zeros(weight.shape) for weight in weights]
    for update in range(5):
        before = [ops.convert_to_numpy(weight) for weight in weights]
        trainer.step()
        rate = scheduled(2e-4, 5e-5, 4 * update, horizon)
        beta_2 = scheduled(0.9, 0.99, 4 * update, horizon)
        for index, weight in enumerate(weights):
            slope = ops.convert_to_numpy(optimizer._momentums[index]).astype("float64")
            variance[index] = beta_2 * variance[index] + (1 - beta_2) * slope**2
            assert ops.convert_to_numpy(optimizer._velocities[index]) == pytest.approx(variance[index], rel=1e-4)
            step = rate * np.sqrt(1 - beta_2 ** (update + 1)) * slope / (np.sqrt(variance[index]) + 1e-8)
            assert ops.convert_to_numpy(weight) == pytest.approx(before[index] - step, rel=1e-4, abs=1e-7)
    assert optimizer.beta_2 == 0.9  # of the recipe again, between updates


def test_penalties_are_weighed_by_the_gamma_of_the_images_seen(tiny_dataset: Callable, make_stack: Callable) -> None:
    """The penalty of the first update after two batches, at both ends of a schedule that these batches end or not."""
    penalties = {}
    for horizon in (8, 10**9):
        stack = make_stack(STACK, f"horizon={horizon}", "r1_gamma=4", "r2_gamma=6", "dropout=0.0")
        trainer = Trainer(stack, tiny_dataset((2,)))
        trainer.steps = 2
        metrics = trainer.update("discriminator", 0, trainer.feed.batch(0))
        penalties[horizon] = np.array([metrics[f"discriminator_penalty/{each}"] for each in ("r1", "r2")])
    assert penalties[8] == pytest.approx(0.1 * penalties[10**9], rel=1e-4)


def test_the_average_follows_by_the_half_life_of_the_images_seen(tiny_dataset: Callable, make_stack: Callable) -> None:
    stack = make_stack(STACK, "horizon=8", "average_half_life=4", "dropout=0.0")  # .5 a batch, at and after the horizon
    trainer = Trainer(stack, tiny_dataset((2,)))
    trainer.update("generator", 0, trainer.feed.batch(0))
    (first, average), *_ = trainer.players.averaged_pairs
    assert (ops.convert_to_numpy(first) == ops.convert_to_numpy(average)).all()  # a half-life of 0
    before = ops.convert_to_numpy(average)
    trainer.steps = 20
    trainer.update("generator", 0, trainer.feed.batch(0))
    expected = before + 0.5 * (ops.convert_to_numpy(first) - before)
    assert ops.convert_to_numpy(average) == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_larger_budget_changes_nothing_of_what_a_smaller_one_saw(tmp_path: Path, data_dir: Path) -> None:
    settings: dict[str, Any] = {"batch_size": 8, "generator_units": [8], "discriminator_units": [8], "horizon": 800}
    logs = []
    for steps in (51, 60):
        run = zoo.run(
            STACK,
            dataset="ring8",
            budget=zoo.Budget(steps),
            settings=settings,
            out=tmp_path / str(steps),
            data_dir=data_dir,
        )
        lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        logs.append({line["step"]: line["discriminator_loss"] for line in lines})
    assert set(logs[0]) & set(logs[1])
    assert all(logs[0][step] == logs[1][step] for step in set(logs[0]) & set(logs[1]))
