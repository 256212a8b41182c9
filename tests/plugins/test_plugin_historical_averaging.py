"""The means are those of all weights so far, and the penalty is the distance from them."""

from collections.abc import Callable

import numpy as np
import pytest

from zoo.training.trainer import Trainer


def test_each_player_is_held_near_the_mean_of_what_it_has_been(tiny_dataset: Callable, make_stack: Callable) -> None:
    stack = make_stack("vanilla+historical_averaging", "historical_weight=2", "critic_steps=2")
    trainer = Trainer(stack, tiny_dataset((2,)))
    history: list[dict[str, np.ndarray]] = [trainer.state()]
    metrics = []
    for _ in range(4):
        metrics.append(trainer.step())
        history.append(trainer.state())
    names = [name for name in history[0] if name.startswith("generator/")]
    weights = [name for name in names if "moving" not in name and "seed" not in name]
    for place, name in enumerate(weights):
        mean = np.mean([state[name] for state in history], axis=0)
        assert history[-1][f"plugin/historical_generator_{place}"] == pytest.approx(mean, rel=1e-4, abs=1e-6)
    assert metrics[0]["generator_penalty/historical_averaging"] == 0
    distance = sum(
        ((history[3][name] - history[3][f"plugin/historical_generator_{place}"]) ** 2).sum()
        for place, name in enumerate(weights)
    )
    assert metrics[3]["generator_penalty/historical_averaging"] == pytest.approx(2 * distance, rel=1e-3)
    assert metrics[0]["discriminator_penalty/historical_averaging"] > 0  # in the second update of the first step
