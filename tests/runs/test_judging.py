"""Scores while a run trains: they change nothing that training makes, and keep the best checkpoint."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.evaluation.evaluation_file import EvaluationFile, best_step
from zoo.runs.checkpoints import step_of_checkpoint

EXTRACTOR = Path(__file__).parents[1] / "stacks" / "pooling.py"
PERIODIC = zoo.EvaluationOptions(("fd",), 60, real_samples=60, extractor="pooling")
JUDGED = {"evaluate_every": 5, "evaluation": PERIODIC, "plugins": [EXTRACTOR], "checkpoint_every": None}


@pytest.fixture(scope="module")
def judged(train: Callable, image_splits: Path, tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    return train(tmp_path_factory.mktemp("judged") / "run", steps=23, dataset=image_splits, **JUDGED)


def steps_and_scores(run: zoo.Run) -> list:
    return [(each["step"], each["scores"][0]["value"]) for each in evaluations(run)]


def evaluations(run: zoo.Run) -> list:
    return EvaluationFile(run.path / "evaluation.json").read()


def test_a_run_is_scored_every_so_many_steps_and_at_its_end(judged: zoo.Run) -> None:
    assert [step for step, _ in steps_and_scores(judged)] == [5, 10, 15, 20, 23]


def test_scores_change_nothing_that_training_makes(
    judged: zoo.Run, train: Callable, image_splits: Path, assert_equal_runs: Callable, tmp_path: Path
) -> None:
    assert_equal_runs(judged, train(tmp_path / "plain", steps=23, dataset=image_splits))


def test_the_best_checkpoint_is_kept_however_many_follow(judged: zoo.Run) -> None:
    step, _ = min(steps_and_scores(judged), key=lambda each: each[1])
    best = judged.directory.checkpoints.best()
    assert best is not None
    assert step_of_checkpoint(best) == step
    assert best not in judged.directory.checkpoints.paths()


def test_the_best_checkpoint_scores_what_it_scored_then(judged: zoo.Run, tmp_path: Path) -> None:
    out = tmp_path / "again.json"
    (again,) = zoo.evaluate(
        judged.path, checkpoint="best", options=PERIODIC, plugins=[EXTRACTOR], out=out, progress=False
    )
    assert (again["step"], again["scores"][0]["value"]) == min(steps_and_scores(judged), key=lambda each: each[1])


def test_an_interrupted_run_ends_with_the_same_scores(
    judged: zoo.Run, train: Callable, image_splits: Path, tmp_path: Path
) -> None:
    train(tmp_path / "run", steps=12, dataset=image_splits, **JUDGED)
    EvaluationFile(tmp_path / "run" / "evaluation.json").cut_back(11)  # as a kill before the scores of step 12 does
    continued = train(tmp_path / "run", steps=23, dataset=image_splits, **JUDGED)
    mine = {step: value for step, value in steps_and_scores(continued) if step != 12}
    assert mine == dict(steps_and_scores(judged))


def test_scores_that_a_kill_prevented_are_made_up_for(
    judged: zoo.Run, train: Callable, image_splits: Path, tmp_path: Path
) -> None:
    train(tmp_path / "run", steps=10, dataset=image_splits, **JUDGED)
    EvaluationFile(tmp_path / "run" / "evaluation.json").cut_back(5)
    continued = train(tmp_path / "run", steps=11, dataset=image_splits, **JUDGED)
    assert [step for step, _ in steps_and_scores(continued)] == [5, 10, 11]


def test_scores_after_the_checkpoint_that_a_run_goes_back_to_are_dropped(
    judged: zoo.Run, train: Callable, image_splits: Path, tmp_path: Path
) -> None:
    shutil.copytree(judged.path, tmp_path / "run")
    run = zoo.load(tmp_path / "run")
    for path in run.directory.checkpoints.paths()[1:]:
        path.write_bytes(b"torn")
    first = step_of_checkpoint(run.directory.checkpoints.paths()[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torn checkpoints
        continued = train(tmp_path / "run", steps=23, dataset=image_splits, **JUDGED)
    assert first < 23
    assert steps_and_scores(continued) == steps_and_scores(judged)


def test_the_best_step_compares_scores_of_one_protocol_only() -> None:
    def evaluation(step: int, value: float, count: int = 10, better: str = "lower") -> dict:
        real = {"fingerprint": "f", "count": count, "sample_shape": [2]}
        protocol = {
            "extractor": None,
            "real": real,
            "generated": {"count": 5, "weights": "raw", "batch_norm": ""},
            "settings": {},
            "seed": 0,
        }
        return {"step": step, "scores": [{"name": "fd", "value": value, "better": better, "protocol": protocol}]}

    falling = [evaluation(1, 3.0), evaluation(2, 1.0), evaluation(3, 2.0)]
    assert best_step(falling) == 2
    assert best_step([evaluation(1, 0.1, count=20), *falling]) == 2
    rising = [evaluation(1, 3.0, better="higher"), evaluation(2, 1.0, better="higher")]
    assert best_step(rising) == 1
    assert best_step([]) is None


def test_the_command_takes_the_same_options(
    zoo_command: Callable, tiny_words: Callable, image_splits: Path, tmp_path: Path
) -> None:
    words = tiny_words("--steps", 4, "--evaluate-every", 2, "--evaluate-samples", 60, dataset=image_splits)
    more = ("--metrics", "fd", "--extractor", "pooling", "--plugin", EXTRACTOR, "--out", tmp_path / "run", "--json")
    result = zoo_command(*words, *more)
    assert result.code == 0, result.err
    assert json.loads(result.out)["run"] == str(tmp_path / "run")
    assert "step 2: fd_pooling " in result.err
    assert [each["step"] for each in evaluations(zoo.load(tmp_path / "run"))] == [2, 4]
