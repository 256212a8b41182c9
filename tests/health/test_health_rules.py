"""The rules on a run's health: each on metrics made sick on purpose, and none on runs that are known to be well."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.health import findings, word

RESULTS = Path(zoo.__file__).parents[1] / "benchmarks" / "results"
HEALTHY = sorted(RESULTS.rglob("metrics.jsonl"))
LINES = 20
WELL = {
    "discriminator_loss": 1.2,
    "discriminator_gradient_norm": 2.0,
    "generator_loss": 0.9,
    "generator_gradient_norm": 1.0,
    "health/discriminator/separation": 0.7,
    "health/samples/diversity": 0.9,
    "health/samples/contrast": 1.0,
    "health/generator/update/01 dense": 1e-3,
    "health/generator/update/02 dense": 1e-4,
    "health/discriminator/update/01 dense": 1e-3,
}


def lines(**changes: Any) -> list[dict[str, Any]]:
    """A well run's lines, but for the values of some of its figures, one for each line."""
    names = {name.replace("/", "_").replace(" ", "_"): name for name in WELL}
    made = [{"step": 50 * (place + 1), **WELL} for place in range(LINES)]
    for name, sick in changes.items():
        for line, value in zip(made, sick, strict=True):
            line[names[name]] = float(value)
    return made


def names_of(made: list[dict[str, Any]], scores: list[dict[str, Any]] | None = None) -> list[str]:
    return [each.name for each in findings(made, scores or [])]


def steps_of(made: list[dict[str, Any]]) -> list[int]:
    return [each.step for each in findings(made)]


def then(before: float, after: float, place: int = 10) -> np.ndarray:
    """One value in the lines before a place, another one from it on."""
    return np.where(np.arange(LINES) < place, before, after)


SICK: list[tuple[str, Mapping[str, Any], int]] = [  # the finding, what is wrong, and the step from which it is told
    ("non-finite", {"generator_loss": then(1, math.nan)}, 550),
    ("vanishing gradient", {"generator_gradient_norm": then(1, 1e-5)}, 750),
    ("vanishing gradient", {"generator_gradient_norm": then(1, 0.0)}, 750),
    ("exploding gradient", {"discriminator_gradient_norm": then(2, 900)}, 600),
    ("discriminator won", {"discriminator_loss": then(1, 1e-4), "health_discriminator_separation": then(0.8, 1)}, 750),
    (
        "discriminator blind",
        {"health_discriminator_separation": then(0.9, 0.5), "health_samples_contrast": then(1, 0.2)},
        700,
    ),
    (
        "frozen",
        {"health_generator_update_01_dense": then(1e-3, 0), "health_generator_update_02_dense": then(0.1, 0)},
        600,
    ),
    ("frozen", {"health_discriminator_update_01_dense": then(1e-3, 1e-9)}, 600),
    ("mode collapse", {"health_samples_diversity": then(0.9, 0.2)}, 600),
    ("samples all alike", {"health_samples_diversity": then(0.02, 0.01)}, 100),
    ("samples flat", {"health_samples_contrast": then(0.02, 0.01)}, 100),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "step"), SICK, ids=[f"{name} {list(each)}" for name, each, _ in SICK])
def test_what_is_wrong_is_named_from_the_step_on_from_which_it_is_sure(
    name: str, changes: Mapping[str, Any], step: int
) -> None:
    made = lines(**changes)
    assert names_of(made) == [name]
    assert steps_of(made) == [step]
    text = findings(made)[0].text
    assert text.endswith(".")
    assert ". Try " in text
    assert word(findings(made)) == name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"generator_gradient_norm": np.geomspace(10, 0.05, LINES)},  # it falls as a WGAN's does
        {"generator_gradient_norm": then(1, 1e-5, 17)},  # for three lines, which may pass
        {"generator_gradient_norm": np.where(np.arange(LINES) == 9, 1e-6, 1.0)},
        {"discriminator_gradient_norm": np.where(np.arange(LINES) == 9, 900.0, 2.0)},  # one spike
        {"discriminator_loss": then(-0.2, 1e-3)},  # a critic's, which has no floor
        {"discriminator_loss": then(1.38, 1.386), "health_discriminator_separation": then(0.7, 0.5)},  # equilibrium
        {"health_discriminator_separation": then(0.9, 1.0)},  # a good critic
        {"health_samples_diversity": np.linspace(0.1, 1, LINES)},  # variety grows
        {"health_samples_diversity": np.where(np.arange(LINES) == 9, 0.1, 0.9)},
    ],
)
def test_what_healthy_runs_may_look_like_is_no_alarm(changes: Mapping[str, Any]) -> None:
    assert names_of(lines(**changes)) == []
    assert word([]) == "healthy"


def evaluations(values: list[float], better: str = "lower", name: str = "fd") -> list[dict[str, Any]]:
    return [
        {"step": 100 * (place + 1), "scores": [{"name": name, "value": value, "better": better}]}
        for place, value in enumerate(values)
    ]


def test_a_score_that_got_worse_long_after_its_best_is_told() -> None:
    assert names_of(lines(), evaluations([50, 20, 25, 29, 40, 45, 60])) == ["score worsening"]
    assert names_of(lines(), evaluations([0.1, 0.6, 0.5, 0.4, 0.25, 0.2, 0.1], "higher")) == ["score worsening"]
    assert names_of(lines(), evaluations([50, 20, 25, 29, 25, 24, 60])) == []  # once
    assert names_of(lines(), evaluations([50, 40, 30, 20, 60, 60, 60])) == []  # not long after
    assert names_of(lines(), evaluations([50, 40, 30, 20])) == []


def test_near_copies_are_told() -> None:
    assert names_of(lines(), evaluations([0.4], name="near_copies")) == ["memorisation"]
    assert names_of(lines(), evaluations([0.03], name="near_copies")) == []


def test_the_likeliest_cause_comes_first() -> None:
    made = lines(
        generator_gradient_norm=then(1, 1e-5),
        discriminator_loss=then(1, 1e-4),
        health_discriminator_separation=then(0.8, 1),
        generator_loss=then(1, math.nan),
    )
    assert names_of(made) == ["non-finite", "vanishing gradient", "discriminator won"]


def test_lines_of_earlier_runs_without_health_are_read() -> None:
    assert names_of([{"step": 50, "discriminator_loss": 1.0}]) == []
    assert names_of([]) == []


@pytest.mark.skipif(not HEALTHY, reason="an installed zoo has no results")
@pytest.mark.parametrize("path", HEALTHY, ids=lambda each: each.parent.name)
def test_no_committed_run_is_called_sick(path: Path) -> None:
    made = [json.loads(text) for text in path.read_text().splitlines()]
    assert names_of(made) == []
