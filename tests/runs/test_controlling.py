"""Control over a run: other weights to start from, values changed on the way, early stopping, making a run again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

import zoo
from zoo.comparison.results import cell_of
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.training.origin import shared

Train = Callable[..., zoo.Run]
Equal = Callable[[zoo.Run, zoo.Run], None]


def record_of(run: zoo.Run) -> dict[str, Any]:
    return yaml.safe_load((run.path / "run.yaml").read_text())


def state_of(run: zoo.Run) -> dict[str, np.ndarray]:
    latest = run.directory.checkpoints.latest()
    assert latest is not None
    return latest[0]


def test_a_changed_value_counts_from_its_step_and_the_same_command_goes_on(
    train: Train, tmp_path: Path, assert_equal_runs: Equal
) -> None:
    faster = {"generator_learning_rate": 1e-3, "batch_size": 16}
    train(tmp_path / "run", steps=21)
    changed = train(tmp_path / "run", steps=42, changes=faster)
    entry = {
        "step": 21,
        "images": 21 * 8,
        "recipe": {
            "generator_learning_rate": {"from": 2e-4, "to": 1e-3},
            "batch_size": {"from": 8, "to": 16},
        },
    }
    assert record_of(changed)["changes"] == [entry]
    assert record_of(changed)["recipe"]["batch_size"] == 16
    assert train(tmp_path / "run", steps=60).metrics[-1]["images"] == 21 * 8 + 39 * 16  # the command of the beginning
    other = train(tmp_path / "other", steps=21)
    assert_equal_runs(changed, train(other.path, steps=60, changes=faster))
    again = zoo.repeat(changed.path, out=tmp_path / "again", progress=False)
    assert_equal_runs(changed, again)
    assert record_of(again)["changes"] == [entry]
    label = cell_of(changed.path, record_of(changed), tmp_path)["label"]
    assert label.endswith(",generator_learning_rate=0.001 from step 21,batch_size=16 from step 21")


def test_what_can_not_change_is_refused_and_leaves_the_run_as_it_is(train: Train, tmp_path: Path) -> None:
    run = train(tmp_path / "run", steps=7)
    before = (run.path / "run.yaml").read_text()
    with pytest.raises(zoo.ZooError, match="latent_size can't change in a run that was begun"):
        train(run.path, steps=14, changes={"latent_size": 5})
    with pytest.raises(zoo.ZooError, match=r"--change beta_1=0\.9, without --set of them"):
        train(run.path, steps=14, settings={"beta_1": 0.9})
    with pytest.raises(zoo.ZooError, match="has not begun: use --set"):
        train(tmp_path / "new", steps=14, changes={"beta_1": 0.9})
    assert (run.path / "run.yaml").read_text() == before
    train(run.path, steps=14, changes={"beta_1": 0.9})
    with pytest.raises(
        zoo.ZooError, match=r"'beta_1' began as 0\.5 and was changed to 0\.9; the command sets it to 0\.7"
    ):
        train(run.path, steps=21, settings={"beta_1": 0.7})


def test_a_run_starts_from_the_weights_of_another_and_says_so(train: Train, finished: zoo.Run, tmp_path: Path) -> None:
    same: dict[str, Any] = {"seed": 3, "settings": {"generator_learning_rate": 0}}
    run = train(tmp_path / "run", steps=1, origin=finished.path, **same)
    theirs, ours = state_of(finished), state_of(run)
    origin = record_of(run)["origin"]
    assert (origin["run"], origin["step"], origin["stack"]) == (str(finished.path), 60, "vanilla")
    for name, array in theirs.items():
        if name.startswith("generator/") and "kernel" in name:
            assert np.array_equal(array, ours[name]), name
    assert any(not np.array_equal(theirs[name], ours[name]) for name in theirs if name.startswith("discriminator/"))
    again = train(run.path, steps=2, **same)  # --from may be left out
    assert record_of(again)["origin"] == origin
    assert "from vanilla on" in cell_of(again.path, record_of(again), tmp_path)["label"]
    with pytest.raises(zoo.ZooError, match="This run began without --from"):
        train(Path(shutil.copytree(finished.path, tmp_path / "copy")), origin=run.path)


def test_frozen_layers_keep_the_origins_weights(train: Train, finished: zoo.Run, tmp_path: Path) -> None:
    settings = {"freeze_discriminator": 1, "discriminator_units": "8"}
    run = train(tmp_path / "run", steps=7, origin=finished.path, settings=settings)
    theirs, ours = state_of(finished), state_of(run)
    kernels = [name for name in theirs if name.startswith("discriminator/") and "kernel" in name]
    assert [np.array_equal(theirs[name], ours[name]) for name in kernels] == [True] + [False] * (len(kernels) - 1)
    with pytest.raises(zoo.ZooError, match="keeps the weights of another run: --from RUN"):
        train(tmp_path / "alone", settings=settings)


def test_across_sizes_the_layers_next_to_latents_and_to_logits_are_shared() -> None:
    def model(layers: int) -> keras.Model:
        ends = [keras.layers.Dense(3, name=f"made_{layers}"), keras.layers.Dense(2)]
        return keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(5), *(keras.layers.Dense(5) for _ in range(layers)), *ends]
        )

    small, large = model(1), model(2)
    kernels = [[id(each.kernel) for each in net.layers] for net in (large, small)]
    for from_the_end, expected in ((False, [(0, 0), (1, 1), (3, 2), (4, 3)]), (True, [(4, 3), (3, 2), (2, 1), (0, 0)])):
        pairs = [(id(mine), id(its)) for mine, its in shared(large, small, from_the_end=from_the_end)]
        places = [(kernels[0].index(a), kernels[1].index(b)) for a, b in pairs if a in kernels[0]]
        assert places == expected
        assert len(pairs) == 2 * len(expected)  # each with its bias


def test_training_stops_when_scores_do_not_improve_and_is_then_done(train: Train, tmp_path: Path) -> None:
    measured = zoo.EvaluationOptions(("swd",), samples=100, real_samples=100)
    options: dict[str, Any] = {"dataset": "ring8", "evaluate_every": 10, "evaluation": measured, "health_every": 0}
    still = {"generator_learning_rate": 0, "discriminator_learning_rate": 0, "average_decay": 0}
    run = train(tmp_path / "run", steps=60, patience=2, settings=still, **options)
    steps = [each["step"] for each in EvaluationFile(run.path / "evaluation.json").read()]
    assert steps == [10, 20, 30]  # the score stays what it was, but for BatchNorm's statistics
    assert train(run.path, steps=60, patience=2, settings=still, **options).metrics[-1]["step"] == 30
    assert train(run.path, steps=60, patience=9, settings=still, **options).metrics[-1]["step"] == 60
    with pytest.raises(zoo.ZooError, match="--patience is a number of evaluations"):
        zoo.Monitoring(patience=2)


def test_training_stops_once_a_score_is_good_enough_and_is_then_done(train: Train, tmp_path: Path) -> None:
    measured = zoo.EvaluationOptions(("swd",), samples=100, real_samples=100)
    options: dict[str, Any] = {"dataset": "ring8", "evaluate_every": 10, "evaluation": measured, "health_every": 0}
    run = train(tmp_path / "run", steps=30, **options)
    scores = [each["scores"][0]["value"] for each in EvaluationFile(run.path / "evaluation.json").read()]
    assert len(scores) == 3
    target = sorted(scores)[1]
    first = next(number for number, each in enumerate(scores) if each <= target)
    again = train(tmp_path / "again", steps=30, until=target, **options)
    assert again.metrics[-1]["step"] == 10 * (first + 1)
    assert train(again.path, steps=30, until=target, **options).metrics[-1]["step"] == 10 * (first + 1)
    assert train(again.path, steps=30, until=min(scores) / 2, **options).metrics[-1]["step"] == 30
    with pytest.raises(zoo.ZooError, match="--until is a score to be reached"):
        zoo.Monitoring(until=0.1)


def test_a_run_is_made_again_by_its_run_yaml(
    finished: zoo.Run, tmp_path: Path, zoo_command, assert_equal_runs: Equal
) -> None:
    out = tmp_path / "again"
    result = zoo_command("run", "--config", finished.path / "run.yaml", "--out", out, "--checkpoint-every", 7)
    assert result.code == 0, result.err
    assert_equal_runs(zoo.load(out), finished)
    other = zoo_command("run", "--config", finished.path, "--out", tmp_path / "seed", "--seed", 4, "--steps", 3)
    assert other.code == 0, other.err
    assert (record_of(zoo.load(tmp_path / "seed"))["seed"], zoo.load(tmp_path / "seed").metrics[-1]["step"]) == (4, 3)
    assert "STACK and --config are two runs" in zoo_command("run", "dcgan", "--config", finished.path).err
    assert "No run.yaml in" in zoo_command("run", "--config", tmp_path).err
