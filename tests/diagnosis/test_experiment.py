"""The experiment: its figures against hand-worked numbers, its games, and that it resumes to the same lines."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import ops

from zoo import Procedure, ZooError, backend
from zoo.base.interrupts import Interrupted
from zoo.base.progress import Silent
from zoo.catalogue import read_catalogue
from zoo.diagnosis.experiment import DiagnosisFiles, Experiment, adopt
from zoo.diagnosis.games import CLIP, GAMES, OBJECTIVES, game_stack
from zoo.diagnosis.measuring import Probe, gradient_figures, separation
from zoo.diagnosis.verdicts import overall, verdict_of
from zoo.training.trainer import Trainer

LOGITS = np.array([-30.0, -3.0, -0.5, 0.0, 0.5, 3.0, 30.0], "float32")
BY_NAME = {game.name: game for game in GAMES}


# --- objectives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, each in OBJECTIVES.items() if each.slope is not None])
def test_an_objectives_slope_in_closed_form_is_the_one_that_is_differentiated(name: str) -> None:
    objective = OBJECTIVES[name]
    measured = backend.engine().input_gradients(objective.loss, ops.convert_to_tensor(LOGITS))
    np.testing.assert_allclose(ops.convert_to_numpy(measured), objective.slope(LOGITS), rtol=2e-5)


def test_where_a_discriminator_is_sure_minimax_has_no_slope_and_the_others_have() -> None:
    sure = np.array([-30.0])
    slopes = {name: abs(float(each.slope(sure)[0])) for name, each in OBJECTIVES.items() if each.slope}
    assert slopes["minimax"] == pytest.approx(np.exp(-30), rel=1e-9)
    assert slopes["non-saturating"] == pytest.approx(1)
    assert slopes["least squares"] == 31
    assert [slopes[each] for each in ("hinge", "clipped Wasserstein", "penalized Wasserstein")] == [1, 1, 1]


# --- figures ------------------------------------------------------------------------------------------------------


def test_figures_of_two_gradients_by_hand() -> None:
    gradients = [[np.array([3.0, 0.0]), np.array([4.0])], [np.array([3.0, 8.0]), np.array([-4.0])]]
    found = gradient_figures(gradients, ["dense", "head"])
    assert found["norms"] == pytest.approx([5, 89**0.5])
    assert found["norm"] == pytest.approx((5 + 89**0.5) / 2)
    assert found["mean_norm"] == pytest.approx(5)  # of (3, 4, 0)
    # the two lie 4 and 4 from their mean: a variance of (16 + 16) * 2 with Bessel's correction
    assert found["noise"] == pytest.approx(64**0.5 / 5)
    assert found["layers"] == {"dense": pytest.approx(41**0.5), "head": pytest.approx(4)}


def test_separation_is_the_share_of_pairs_in_order() -> None:
    draw = np.random.default_rng(0)
    real, fake = draw.integers(0, 5, 40).astype(float), draw.integers(0, 4, 30).astype(float)
    pairs = (real[:, None] > fake) + 0.5 * (real[:, None] == fake)
    assert separation(real, fake) == pytest.approx(pairs.mean())
    assert separation(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1


def test_a_probe_measures_the_norm_that_the_generators_update_logs(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+r1", "average_decay=0.5"), tiny_dataset((2,)))
    before = trainer.state()
    found = Probe(trainer, OBJECTIVES["own"]).measured(0, 1)
    assert all(np.array_equal(before[name], each) for name, each in trainer.state().items())
    logged = trainer.update("generator", 0, {})
    assert found["norm"] == pytest.approx(float(logged["generator_gradient_norm"]), rel=1e-5)


# --- games --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_NAME)
def test_a_game_takes_off_what_held_the_critic_and_puts_on_its_own(name: str, make_stack: Callable) -> None:
    stack = game_stack(make_stack("vanilla+wgan+r1", "critic_steps=5"), BY_NAME[name])
    critic = stack.first("discriminator", sample_shape=(2,), classes=None, fields={}, recipe=stack.recipe)
    limits = {each.constraint and each.constraint.limit for each in critic.trainable_variables}
    assert limits == {None if name not in ("wasserstein-clipping", "own") else CLIP}
    assert stack.recipe.critic_steps == 1
    own = len(stack.implementations("discriminator_penalty"))
    assert own == {"own": 1, "wasserstein-penalty": 1}.get(name, 0)


def test_a_penalty_finds_no_batch_normalization_in_the_critic(make_stack: Callable) -> None:
    stack = make_stack("dcgan")
    assert stack.recipe.discriminator_normalization == "batch"
    normalizations = {
        name: game_stack(stack, game).recipe.discriminator_normalization for name, game in BY_NAME.items()
    }
    assert {name for name, each in normalizations.items() if each != "batch"} == {"wasserstein-penalty"}


def test_the_generator_is_the_trained_one_and_no_update_of_a_game_moves_it(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    stack = make_stack("vanilla")
    trained = Trainer(stack, tiny_dataset((2,)), seed=1)
    trained.step()
    generator = {name: each for name, each in trained.state().items() if name.startswith("generator/")}
    trainer = Trainer(game_stack(stack, BY_NAME["hinge"]), tiny_dataset((2,)))
    adopt(trainer, generator)
    untrained = trainer.state()
    trainer.call("discriminator", 0)
    state = trainer.state()
    assert all(np.array_equal(state[name], each) for name, each in generator.items())
    assert any(not np.array_equal(state[name], each) for name, each in untrained.items())


# --- the whole ----------------------------------------------------------------------------------------------------


class StopsAt(Silent):
    """Sends a signal to the process when it is told of a measurement."""

    def __init__(self, update: int) -> None:
        self.update = update

    def counting(self, what: str, done: int, total: int) -> None:
        if done == self.update and what.startswith("cross-entropy"):
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def experiment(tiny_dataset: Callable, make_stack: Callable) -> Callable[..., Experiment]:
    """Makes a diagnosis of an untrained generator of points in two games."""

    def make(path: Path, progress: Any = None, **procedure: Any) -> Experiment:
        chosen = Procedure(steps=(0,), every=2, batches=2, games=("cross-entropy", "own"), **procedure)
        return Experiment(
            DiagnosisFiles(path), make_stack("vanilla"), tiny_dataset((2,)), 0, chosen, backend.EngineOptions(),
            progress or Silent(), read_catalogue(), {},
        )  # fmt: skip

    return make


def test_an_interrupted_diagnosis_shows_what_it_has_and_continues_to_the_same_lines(
    experiment: Callable, tmp_path: Path
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    for folder in (whole, halves):
        folder.mkdir()
    found = experiment(whole, updates=6).carried_out()
    with pytest.raises(Interrupted, match="goes on from there"):
        experiment(halves, StopsAt(2), updates=6).carried_out()
    assert {each["update"] for each in DiagnosisFiles(halves).lines()} == {0, 2}
    assert (halves / "report.html").exists()
    with DiagnosisFiles(halves).measurements.open("a") as file:
        file.write('{"trained": 0, "ga')  # torn
    continued = experiment(halves, updates=6).carried_out()
    assert continued["measurements"] == found["measurements"]
    assert [each["update"] for each in found["measurements"]] == [0, 0, 2, 2, 4, 4, 6, 6, 0, 2, 4, 6]
    longer = experiment(halves, updates=8).carried_out()
    assert len(longer["measurements"]) == len(found["measurements"]) + 3
    assert json.loads((halves / "diagnosis.json").read_text())["verdicts"] == longer["verdicts"]
    own = [each["norm"] for each in longer["measurements"] if each["objective"] == "own"]
    same = [each["norm"] for each in longer["measurements"] if each["objective"] == "non-saturating"]
    assert own == pytest.approx(same, rel=1e-5)  # vanilla's own game is the non-saturating one
    other = experiment(halves, updates=8)
    other.procedure = Procedure(steps=(0,), every=1, batches=2)
    with pytest.raises(ZooError, match="made differently: every was 2, and is 1 here"):
        other.carried_out()


def test_a_page_and_a_picture_for_each_chart_are_written(experiment: Callable, tmp_path: Path) -> None:
    found = experiment(tmp_path, updates=2).carried_out()
    page = (tmp_path / "report.html").read_text()
    assert page.count('class="chart"') == 5
    assert overall(found["verdicts"]).replace("'", "&#39;") in page
    for name in ("gradient-0", "noise-0", "slope-0", "separation-0", "layers-0"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_game_is_told_before_anything_is_trained(experiment: Callable, tmp_path: Path) -> None:
    made = experiment(tmp_path)
    made.procedure = Procedure(games=("hing",))
    with pytest.raises(ZooError, match=r"Unknown game: 'hing'.*Did you mean 'hinge'"):
        made.carried_out()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"steps": (1,), "images": (1,)}, "given twice"),
        ({"steps": (-1,)}, "--steps must not be negative"),
        ({"updates": 0}, "--updates must be at least 1"),
        ({"every": 0}, "--every must be at least 1"),
    ],
)
def test_a_procedure_that_measures_nothing_is_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ZooError, match=problem):
        Procedure(**values)


def test_images_are_steps_rounded_up() -> None:
    assert Procedure(images=(640, 1, 64)).stages(64) == [1, 10]


# --- verdicts -----------------------------------------------------------------------------------------------------


def curve(norms: list[float], noise: tuple[float, float] = (0.1, 0.1)) -> list[dict[str, Any]]:
    noises = np.linspace(*noise, len(norms))
    return [
        {"update": 10 * place, "norm": norm, "noise": float(noises[place]), "separation": 1.0}
        for place, norm in enumerate(norms)
    ]


@pytest.mark.parametrize(
    ("norms", "word"),
    [
        (np.geomspace(1, 1e-4, 20), "vanishes"),
        (np.geomspace(1, 1e-1, 20), "falls"),
        (np.geomspace(1, 0.9, 20), "stays"),
        (np.geomspace(1, 100, 20), "grows"),
        ([1.0] * 10 + [0.0] * 10, "vanishes"),
    ],
)
def test_a_curve_is_called_by_how_far_it_moves(norms: Any, word: str) -> None:
    found = verdict_of(curve(list(map(float, norms))))
    assert found["word"] == word
    assert found["sentence"].startswith(f"{word}: ")


def test_a_gradient_that_gets_noisier_is_said_to() -> None:
    assert "its noise grew from" in verdict_of(curve([1.0] * 20, (0.1, 2.0)))["sentence"]
    assert "noise" not in verdict_of(curve([1.0] * 20))["sentence"]
