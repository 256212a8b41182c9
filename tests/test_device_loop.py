"""Several steps in one call: where their batches come from, and that it changes no number."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zoo.training.trainer import Trainer

SETTINGS = ("critic_steps=2", "batch_size=4")
BATCH = 4 * (16 * 16 + 4)  # bytes, of images and labels


@pytest.fixture
def looping(tiny_dataset: Callable, make_stack: Callable) -> Callable[[], Trainer]:
    """A trainer of a convolutional stack that takes up to 16 steps in a call, from labelled images."""

    def make() -> Trainer:
        stack = make_stack("conditional", *SETTINGS, plugins=["conditional"])
        trainer = Trainer(stack, tiny_dataset((16, 16, 1), classes=3))
        trainer.policy = replace(trainer.policy, steps_per_call=16, resident=True)
        return trainer

    return make


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in {**one, **other})


def test_data_that_fits_lies_on_the_device(looping: Callable) -> None:
    trainer = looping()
    assert set(trainer.resident) == {"samples", "labels"}
    assert trainer.steps_per_call == 16
    inputs = trainer.ahead.steps(0)
    assert inputs["discriminator"]["batch"]["samples"].shape == (16, 2, 4)
    assert np.array_equal(
        inputs["discriminator"]["batch"]["samples"][3, 1], trainer.feed.orders["samples"].indices(3 * 2 + 1)
    )


def test_data_that_does_not_fit_is_brought_in_as_many_steps_as_fit_and_gives_the_same_numbers(
    looping: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = looping()
    expected = resident.train(7)
    monkeypatch.setattr("zoo.training.trainer.RESIDENT_BYTES", 1)
    monkeypatch.setattr("zoo.training.trainer.AHEAD_BYTES", 3 * 2 * BATCH)
    streaming = looping()
    assert streaming.resident == {}
    assert streaming.steps_per_call == 3
    assert equal(streaming.train(7), expected)
    assert equal(streaming.state(), resident.state())


def test_the_inputs_of_the_next_call_are_prepared_meanwhile(looping: Callable) -> None:
    trainer = looping()
    trainer.train(5)
    first, prepared = trainer.ahead.next
    assert first == 5
    steps = prepared.result()["discriminator"]["step"]
    assert np.array_equal(steps[:, 0], np.arange(5, 5 + 16))
    trainer.steps = 2  # as after loading a checkpoint
    assert trainer.ahead.steps(2)["discriminator"]["step"][0, 0] == 2
