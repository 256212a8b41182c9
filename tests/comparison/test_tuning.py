"""The search over recipe values, with a fake executor whose scores are a known function of them."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from in_process import rehearsals_here

from zoo import Budget
from zoo.comparison.comparing import ComparisonOptions
from zoo.comparison.executors.contract import Ended
from zoo.comparison.job import JOB, write_outcome
from zoo.comparison.space import Dimension, read_space
from zoo.comparison.tuning import part, tune
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EvaluationFile

optuna = pytest.importorskip("optuna", reason="optuna is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
BEST_RATE = 1e-3
SPACE = [Dimension("generator_learning_rate", (), 1e-5, 1e-1, log=True), Dimension("latent_size", ("2", "8"))]


def spaced(tmp_path: Path, text: str) -> list[Dimension]:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return read_space(path)


def test_a_space_has_ranges_whole_numbers_and_choices(tmp_path: Path):
    found = spaced(
        tmp_path,
        "rate: {low: 1e-5, high: 1e-2, log: true}\ncritic_steps: {low: 1, high: 5}\n"
        "units: {choices: [[64, 64], [128, 128]]}\nkind: {choices: [batch, none]}\n",
    )
    assert found == [
        Dimension("rate", (), 1e-5, 1e-2, True),
        Dimension("critic_steps", (), 1, 5),
        Dimension("units", ("64,64", "128,128")),
        Dimension("kind", ("batch", "none")),
    ]


def test_a_dimension_suggests_what_is_typed_after_set(tmp_path: Path):
    trial = optuna.trial.FixedTrial({"rate": 0.00123456789, "critic_steps": 3, "units": "64,64"})
    found = spaced(
        tmp_path, "rate: {low: 1e-5, high: 1e-2}\ncritic_steps: {low: 1, high: 5}\nunits: {choices: [[64, 64]]}\n"
    )
    assert [each.suggested(trial) for each in found] == ["rate=0.00123457", "critic_steps=3", "units=64,64"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "space.yaml:1: expected recipe fields"),
        ("rate: 3\n", "space.yaml:1: 'rate' must be {low"),
        ("rate: {low: 3, high: 1}\n", "low below high"),
        ("rate: {low: 0, high: 1, log: true}\n", "with log above 0"),
        ("rate: {choices: []}\n", "needs a list of choices alone"),
        ("rate: {lwo: 1, high: 2}\n", "unknown key 'lwo' in 'rate'. Available: choices, low, high, log, step."),
    ],
)
def test_a_mistake_in_the_space_is_reported_with_its_line(text: str, message: str, tmp_path: Path):
    with pytest.raises(ZooError) as raised:
        spaced(tmp_path, text)
    assert message in str(raised.value)


def test_a_part_of_a_budget_is_whole_where_it_has_to_be():
    assert part({"images": 10}, 1 / 3) == {"images": 4}
    assert part({"epochs": 10}, 0.25) == {"epochs": 2.5}


class KnownScores:
    """An executor that scores a rung by how far the rate is from the best one, and keeps the jobs."""

    def __init__(self, fails: Callable[[dict[str, Any]], str | None] = lambda job: None) -> None:
        self.fails = fails
        self.jobs: list[dict[str, Any]] = []
        self.waiting: list[Path] = []
        self.slots = 2

    def start(self, path: Path) -> None:
        self.waiting.append(path)

    def ended(self) -> Sequence[Ended]:
        paths, self.waiting = self.waiting, []
        return [self.done(path) for path in paths]

    def done(self, path: Path) -> Ended:
        job = json.loads((path / JOB).read_text())
        self.jobs.append({**job, "path": path})
        settings = dict(each.split("=") for each in job["settings"])
        if state := self.fails(job):
            if state == "killed":
                return Ended(path, -9)
            write_outcome(path, state, f"it {state}")
            return Ended(path, 3)
        step = job["question"]["budget"]["steps"]
        value = abs(math.log10(float(settings["generator_learning_rate"]) / BEST_RATE)) + 1 / step
        score = {"name": "swd", "value": value, "better": "lower", "protocol": {"seed": 0, "step": step}}
        evaluation = {"scored": str(path), "step": step, "periodic": True, "scores": [score]}
        file = EvaluationFile(path / "evaluation.json")
        file.write([*file.read(), evaluation])
        write_outcome(path, "done", "")
        return Ended(path, 0)

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def tuned(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Searches with an executor of known scores."""
    monkeypatch.setattr("zoo.comparison.tuning.POLL_SECONDS", 0)

    def run(
        executor: KnownScores, space: Sequence[Dimension] = SPACE, steps: int = 400, **options: Any
    ) -> dict[str, Any]:
        monkeypatch.setattr("zoo.comparison.tuning.open_executor", lambda choice, folder, catalogue: executor)
        requested = ComparisonOptions(
            variants=("vanilla",),
            datasets=("ring8",),
            budget=Budget(steps=steps),
            data_dir=data_dir,
            out=tmp_path / "tuning",
        )
        with rehearsals_here():
            return tune(requested, space, progress=False, **options)

    return run


def test_the_best_values_are_found_and_poor_ones_given_up(tuned):
    executor = KnownScores()
    found = tuned(executor, trials=30)
    states = [row["state"] for row in found["trials"]]
    assert len(states) == 30
    assert states.count("pruned") > 5
    assert abs(math.log10(float(found["best"]["settings"]["generator_learning_rate"]) / BEST_RATE)) < 0.3
    finished = [row for row in found["trials"] if row["state"] == "complete"]
    assert found["best"]["scores"][-1] == min(row["scores"][-1] for row in finished)
    assert all(len(row["scores"]) == 4 for row in finished)
    assert len(executor.jobs) < 30 * 4


def test_a_rung_is_a_part_of_the_budget_in_the_same_run(tuned):
    executor = KnownScores()
    tuned(executor, trials=1)
    assert [job["question"]["budget"]["steps"] for job in executor.jobs] == [100, 200, 300, 400]
    assert len({job["path"] for job in executor.jobs}) == 1
    assert not any(job["question"]["rescore_best"] for job in executor.jobs)


def test_the_same_call_goes_on_and_does_nothing_twice(tuned):
    tuned(KnownScores(), trials=3)
    executor = KnownScores()
    assert len(tuned(executor, trials=3)["trials"]) == 3
    assert executor.jobs == []
    assert len(tuned(executor, trials=5)["trials"]) == 5
    assert {job["path"].name for job in executor.jobs} == {"0003", "0004"}


def test_what_was_interrupted_goes_on_from_its_last_rung(tuned):
    class Cut(KnownScores):
        def done(self, path: Path) -> Ended:
            if len(self.jobs) == 2:
                raise KeyboardInterrupt
            return super().done(path)

    cut = Cut()
    cut.slots = 1
    with pytest.raises(KeyboardInterrupt):
        tuned(cut, trials=1)
    executor = KnownScores()
    found = tuned(executor, trials=1)
    assert [job["question"]["budget"]["steps"] for job in executor.jobs] == [300, 400]
    assert [row["state"] for row in found["trials"]] == ["complete"]
    assert len(found["trials"][0]["scores"]) == 4


def test_a_trial_that_diverges_or_is_killed_again_and_again_fails_and_the_search_goes_on(tuned):
    def fails(job: dict[str, Any]) -> str | None:
        return {"0000": "diverged", "0001": "killed"}.get(current_path(job))

    def current_path(job: dict[str, Any]) -> str:
        return executor.current

    class Named(KnownScores):
        current = ""

        def done(self, path: Path) -> Ended:
            self.current = path.name
            return super().done(path)

    executor = Named(fails)
    found = tuned(executor, trials=4, retries=1)
    assert [row["state"] for row in found["trials"]][:2] == ["fail", "fail"]
    assert [job["path"].name for job in executor.jobs].count("0001") == 2
    assert found["best"]["trial"] in (2, 3)


def test_values_that_the_recipe_has_not_are_refused_before_anything_runs(tuned):
    executor = KnownScores()
    with pytest.raises(ZooError, match="leraning_rate"):
        tuned(executor, [Dimension("leraning_rate", ("1",))])
    assert executor.jobs == []


def test_another_space_in_the_same_folder_is_refused(tuned):
    tuned(KnownScores(), trials=1)
    with pytest.raises(ZooError, match="another space"):
        tuned(KnownScores(), [Dimension("latent_size", ("4",))], trials=2)
