"""What is measured of a run's health: against independent figures, on sick runs, and without a trace in training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.health import PREFIX, findings
from zoo.runs.checkpoints import read_path
from zoo.training.health import HealthMeter, layer_names, sample_statistics, spectral_norm
from zoo.training.trainer import Trainer

Figures = dict[str, float]


def step(trainer: Trainer, meter: HealthMeter) -> Figures:
    """The figures of one step, without their prefix."""
    meter.begin()
    trainer.step()
    return {name.removeprefix(PREFIX): each for name, each in meter.end().items()}


def of_layers(figures: Figures, kind: str) -> np.ndarray:
    return np.array([each for name, each in figures.items() if name.startswith(f"{kind}/")])


def test_figures_are_those_of_the_step_and_of_the_gradient_that_comes_next(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("dcgan+r1", "average_decay=0.5"), tiny_dataset((16, 16, 1)))
    before, meter = trainer.state(), HealthMeter(trainer)
    figures = step(trainer, meter)
    after = trainer.state()
    for player, model in (("generator", trainer.players.generator), ("discriminator", trainer.players.discriminator)):
        names = layer_names(model.trainable_variables)
        assert len(of_layers(figures, f"{player}/weight")) == len(dict.fromkeys(names))
        own = [name for name, each in zip(trainer.variables(), trainer.variables().values(), strict=True)
               if any(each is weight for weight in model.trainable_variables)]  # fmt: skip
        weight = np.sqrt(sum(np.sum(np.square(after[name])) for name in own))
        assert np.linalg.norm(of_layers(figures, f"{player}/weight")) == pytest.approx(weight, rel=1e-5)
        moves = of_layers(figures, f"{player}/update") * of_layers(figures, f"{player}/weight")
        moved = np.sqrt(sum(np.sum(np.square(after[name] - before[name])) for name in own))
        assert np.linalg.norm(moves) == pytest.approx(moved, rel=1e-4)
    logged = {
        player: trainer.update(player, 0, trainer.feed.update(player, 1, 0)["batch"]) for player in ("discriminator",)
    }
    norm = float(logged["discriminator"]["discriminator_gradient_norm"])
    assert np.linalg.norm(of_layers(figures, "discriminator/gradient")) == pytest.approx(norm, rel=1e-4)


def test_measuring_changes_nothing(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("vanilla+hinge", "discriminator_normalization=spectral"), tiny_dataset((2,)))
    meter = HealthMeter(trainer)
    meter.begin()
    trainer.step()
    before = trainer.state()
    meter.end()
    assert all(np.array_equal(before[name], each) for name, each in trainer.state().items())


def test_variety_is_the_distance_of_pairs_and_contrast_that_within_images() -> None:
    images = np.random.default_rng(0).normal(size=(9, 4, 4, 1))
    flat = images.reshape(9, -1)
    pairs = [np.sum((flat[i] - flat[j]) ** 2) for i in range(9) for j in range(i)]
    found = sample_statistics(images, is_image=True)
    assert found["diversity"] == pytest.approx(np.sqrt(np.mean(pairs)))
    assert found["contrast"] == pytest.approx(np.mean([each.std() for each in flat]))
    assert found["saturated"] == pytest.approx(np.mean(np.abs(flat) > 0.99))
    assert "contrast" not in sample_statistics(flat, is_image=False)


def test_a_spectral_norm_is_the_largest_singular_value() -> None:
    matrix = np.random.default_rng(1).normal(size=(30, 8)) @ np.diag([5, 1, 1, 1, 1, 1, 1, 1.0])
    assert spectral_norm(matrix) == pytest.approx(np.linalg.svd(matrix)[1][0], rel=1e-3)


# --- sick on purpose ----------------------------------------------------------------------------------------------


def told(trainer: Trainer, steps: int = 2) -> list[str]:
    """What is found of a run whose health is measured at each step."""
    meter = HealthMeter(trainer)
    lines = []
    for number in range(steps):
        figures = {f"{PREFIX}{name}": each for name, each in step(trainer, meter).items()}
        lines.append({"step": 50 * (number + 1), **figures})
    return [each.name for each in findings(lines)]


def test_rates_at_which_nothing_moves_are_called_frozen(tiny_dataset: Callable, make_stack: Callable) -> None:
    rates = ("generator_learning_rate=1e-12", "discriminator_learning_rate=1e-12")
    assert "frozen" in told(Trainer(make_stack("vanilla", *rates), tiny_dataset((2,))))
    assert "frozen" not in told(Trainer(make_stack("vanilla"), tiny_dataset((2,))))


def test_a_generator_that_ignores_its_latents_is_found(tiny_dataset: Callable, make_stack: Callable) -> None:
    settings = ("generator_normalization=none", "generator_learning_rate=0")
    trainer = Trainer(make_stack("vanilla", *settings), tiny_dataset((16, 16, 1)))
    for weight in trainer.players.generator.trainable_variables:
        weight.assign(np.zeros(weight.shape))
    assert {"samples all alike", "frozen"} <= set(told(trainer))


# --- runs ---------------------------------------------------------------------------------------------------------


def test_a_run_has_the_same_bits_with_and_without_and_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    small = {"generator_units": (8,), "discriminator_units": (8,), "batch_size": 8, "generator_learning_rate": 1e-13}
    found = {}
    for every in (50, 0):
        made = zoo.run(
            "vanilla", dataset="ring8", settings=small, budget=zoo.Budget(steps=110), out=tmp_path / str(every),
            monitoring=zoo.Monitoring(health_every=every),
        )  # fmt: skip
        found[every] = made
    first, second = (read_path(found[every].directory.checkpoints.paths()[-1])[0] for every in (50, 0))
    assert all(np.array_equal(first[name], second[name]) for name in second)
    plain = [{name: value for name, value in line.items() if not name.startswith(PREFIX) and name != "seconds"}
             for line in found[50].metrics]  # fmt: skip
    assert plain == [{name: value for name, value in line.items() if name != "seconds"} for line in found[0].metrics]
    measured = [line["step"] for line in found[50].metrics if any(name.startswith(PREFIX) for name in line)]
    assert measured == [50, 100]
    assert capsys.readouterr().err.count("Health: The generator does not move") == 1


def test_health_between_two_lines_of_metrics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(zoo.ZooError, match="multiple of 50"):
        zoo.run("vanilla", dataset="ring8", out=tmp_path, monitoring=zoo.Monitoring(health_every=7), progress=False)
