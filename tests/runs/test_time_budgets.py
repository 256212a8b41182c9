"""Budgets of time: a total over all sittings of the seconds spent training."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.errors import ZooError
from zoo.training.loop import Schedule, Total


def test_a_run_trains_until_its_minutes_are_spent_and_then_no_more(train: Callable, tmp_path: Path):
    run = train(tmp_path / "run", steps=None, minutes=0.02)
    assert run.metrics[-1]["seconds"] >= 1.2
    assert json.loads((run.path / "goal.json").read_text()) == {"steps": None, "seconds": 1.2}
    steps = run.directory.checkpoints.paths()[-1].name
    again = train(tmp_path / "run", steps=None, minutes=0.02)
    assert again.directory.checkpoints.paths()[-1].name == steps
    more = run.metrics[-1]["seconds"] + 1.2  # a slow machine's first step may have taken twice its budget
    longer = train(tmp_path / "run", steps=None, minutes=more / 60)
    assert longer.metrics[-1]["seconds"] >= more
    assert longer.directory.checkpoints.paths()[-1].name > steps


def test_a_budget_of_time_is_for_one_process(train: Callable, tmp_path: Path):
    several = zoo.EngineOptions(processes=zoo.Processes(0, 2, "127.0.0.1:1"))
    with pytest.raises(ZooError, match="--minutes is for one process"):
        train(tmp_path / "run", steps=None, minutes=1, engine=several)


def test_scores_over_a_budget_of_time_are_evenly_spread():
    schedule = Schedule(evaluate_seconds=10.0)
    calls = [(0.0, 4.0), (4.0, 9.9), (9.9, 10.1), (10.1, 19.0), (19.0, 35.0)]
    assert [schedule.is_judged(1, *call) for call in calls] == [False, False, True, False, True]


def test_a_budget_says_what_it_is_of():
    assert str(Total(60)) == "60"
    assert str(Total(seconds=90.0)) == "90 s of training"
    assert Total(60).is_spent(60, 0.0)
    assert not Total(60).is_spent(59, 1e9)
    assert Total(seconds=90.0).is_spent(1, 90.0)
