"""The speed benchmark's peers are what they claim to be, and its arithmetic is right."""

import dataclasses
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
pytest.importorskip("benchmarks.speed", reason="an installed wheel has no benchmarks")

from benchmarks.speed import real_runs, report
from benchmarks.speed.cases import CASES, DCGAN, VANILLA, WGAN_GP, Case, RMSprop, batch_cases, tiny
from benchmarks.speed.contenders import CONTENDERS, ON_CPU, Options
from benchmarks.speed.flops import flops_per_image
from benchmarks.speed.race import race, summary
from benchmarks.speed.worker import Answers, read_case
from zoo.catalogue import read_catalogue
from zoo.stacks.resolving import resolve_stack

KINDS = ("vanilla-28-b128", "dcgan-32-b64", "wgan-32-b64", "wgan-gp-32-b64", "sn-hinge-32-b64")  # one of each stack


def stack_of(case: Case):
    return resolve_stack(case.stack, read_catalogue(), settings=case.settings)


def zoo_networks(case: Case):
    stack = stack_of(case)
    players = ("generator", "discriminator")
    return [stack.first(each, classes=None, sample_shape=case.shape, recipe=stack.recipe) for each in players]


def count(model) -> int:
    return sum(math.prod(weight.shape) for weight in model.trainable_variables)


@pytest.mark.parametrize("name", KINDS)
def test_the_keras_peer_has_as_many_parameters_as_the_zoo(name):
    from benchmarks.speed.workers import keras_networks

    case = CASES[name]
    networks = keras_networks.build_generator(case), keras_networks.build_discriminator(case)
    assert [count(each) for each in networks] == [count(each) for each in zoo_networks(case)]


@pytest.mark.parametrize("name", KINDS)
def test_the_torch_peers_have_as_many_parameters_as_the_zoo(name):
    pytest.importorskip("torch")
    from benchmarks.speed.workers import torch_networks

    case = CASES[name]
    networks = torch_networks.build_generator(case), torch_networks.build_discriminator(case)
    assert torch_networks.parameters(*networks) == tuple(count(each) for each in zoo_networks(case))


@pytest.mark.parametrize("case", [DCGAN, WGAN_GP], ids=lambda case: case.name)
def test_the_torch_discriminator_computes_the_mirror_image_of_the_zoos(case):
    torch = pytest.importorskip("torch")
    from benchmarks.speed.workers import torch_networks

    case = tiny(case)
    _, ours = zoo_networks(case)
    theirs = torch_networks.build_discriminator(case)
    layers = [layer for layer in ours.layers if layer.weights]
    modules = [module for module in theirs if list(module.parameters())]
    for layer, module in zip(layers, modules, strict=True):
        first, *rest = [np.array(weight) for weight in layer.trainable_variables]
        if first.ndim == 4:
            first = first[::-1, ::-1].transpose(3, 2, 0, 1)
        elif first.ndim == 2:
            first = first.reshape(case.base, case.base, -1)[::-1, ::-1].transpose(2, 0, 1).reshape(1, -1)
        for parameter, value in zip(module.parameters(), [first, *rest], strict=True):
            parameter.data = torch.from_numpy(value.copy())
    images = np.random.default_rng(0).uniform(-1, 1, (8, *case.shape)).astype("float32")
    mirrored = torch.from_numpy(images[:, ::-1, ::-1].transpose(0, 3, 1, 2).copy())
    assert theirs(mirrored).detach().numpy() == pytest.approx(np.array(ours(images, training=True)), abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_case_holds_what_the_zoos_recipe_says(name):
    case = CASES[name]
    recipe = stack_of(case).recipe
    assert (case.batch, case.critic_steps) == (recipe.batch_size, recipe.critic_steps)
    assert case.optimizer.rate == recipe.generator_learning_rate == recipe.discriminator_learning_rate
    if isinstance(case.optimizer, RMSprop):
        assert case.optimizer.epsilon**2 == pytest.approx(recipe.epsilon)
    else:
        assert (case.optimizer.beta_1, case.optimizer.beta_2) == (recipe.beta_1, recipe.beta_2)
        assert case.optimizer.epsilon == recipe.epsilon
    assert case.normalization == recipe.discriminator_normalization
    optional = {"width": None, "dropout": 0.0, "clip": 0.0, "penalty": 0.0, "units": ()}
    names = {"penalty": "gradient_penalty", "units": "generator_units"}
    for field, absent in optional.items():
        assert getattr(case, field) == getattr(recipe, names.get(field, field), absent)


def test_the_operations_of_a_perceptrons_step_are_those_counted_by_hand():
    case = dataclasses.replace(VANILLA, units=(3,), shape=(1, 2, 1))
    # generator 100 x 3 + 3 x 2 = 306, discriminator 2 x 3 + 3 x 1 = 9, of which 6 in its first layer
    discriminator_update = 306 + 2 * (9 + 9 + 3)  # forwards, by weights, by inputs but the image's
    generator_update = (306 + 9) + 9 + (306 + 6)  # forwards, through the discriminator, by weights and by inputs
    assert flops_per_image(case) == 2 * (discriminator_update + generator_update)


def test_the_operations_of_a_penalized_convolutional_critic_are_those_counted_by_hand():
    case = dataclasses.replace(WGAN_GP, shape=(16, 16, 1), width=2, normalization="none")
    # 16 -> 8 pixels: 64 x 25 x 1 x 2 = 3200; 8 -> 4: 16 x 25 x 2 x 4 = 3200; 64 features
    critic, generator = 3200 + 3200 + 64, 100 * 64 + 3200 + 3200
    update = generator + 2 * (3 * critic - 3200) + 4 * critic
    share = (2 * critic + 3 * generator - 6400) / 5
    assert flops_per_image(case) == 2 * (update + share)
    smooth = dataclasses.replace(case, normalization="layer")
    assert flops_per_image(smooth) - flops_per_image(case) == 2 * (2 * critic - 3200)


@pytest.mark.parametrize("contender", ["ours-tensorflow", "keras-fit"])
def test_a_worker_trains_a_case_and_tells_its_losses(contender):
    answers = Answers(Options(CONTENDERS[contender], threads=1))
    assert "tensorflow" in answers.load()["versions"]
    built = answers.build(dataclasses.asdict(tiny(DCGAN)))
    assert built["parameters"] == tuple(count(each) for each in zoo_networks(tiny(DCGAN)))
    losses = answers.round(2)["losses"]
    assert set(losses) == {"discriminator", "generator"}
    assert all(map(math.isfinite, losses.values()))


class Scripted:
    """A worker that takes a given time for each step, or fails."""

    def __init__(self, name, seconds_per_step=0.0, fails=False):
        self.spec = CONTENDERS[name]
        self.seconds_per_step = seconds_per_step
        self.fails = fails
        self.rounds = []

    def request(self, command, **arguments):
        if command == "build":
            return {"error": "no"} if self.fails else {"build_seconds": 1.0, "first_step_seconds": 2.0}
        if command == "round":
            self.rounds.append(arguments["steps"])
            return {"seconds": self.seconds_per_step * arguments["steps"]}
        return {"process": 1}


def test_all_contenders_of_a_race_train_on_as_many_images_and_a_failing_one_stops_none(monkeypatch):
    monkeypatch.setattr("benchmarks.speed.race.PAUSE", 0)
    fast, slow = Scripted("ours-jax", 0.01), Scripted("torch-eager", 0.02)
    results = race(DCGAN, [fast, Scripted("keras-fit", fails=True), slow], rounds=3, seconds=0.4)
    assert slow.rounds == [40] * 4  # one to warm up
    assert fast.rounds[-4:] == slow.rounds
    assert results["ours-jax"]["images_per_second"] == pytest.approx(64 / 0.01)
    assert results["ours-jax"]["images_per_second"] / results["torch-eager"]["images_per_second"] == pytest.approx(2)
    assert results["keras-fit"] == {"error": "no"}


def test_a_speed_is_that_of_the_median_round_and_a_slow_first_one_counts_as_starting():
    result = summary([9.0, 2.0, 4.0, 3.0], steps=10, case=DCGAN)
    assert result["images_per_second"] == 640 / 3
    assert result["start_seconds"] == 6


def test_a_case_survives_its_way_to_a_worker():
    for case in CASES.values():
        assert read_case(json.loads(json.dumps(dataclasses.asdict(case)))) == case


def test_cases_of_several_batch_sizes_differ_in_nothing_else():
    first, second = batch_cases(DCGAN, (16, 32))
    assert (first.name, second.name, second.batch) == ("dcgan-32-b16", "dcgan-32-b32", 32)
    assert dataclasses.replace(first, batch=DCGAN.batch, name=DCGAN.name) == DCGAN


def test_a_real_runs_speed_is_read_from_its_metrics(tmp_path):
    lines = [{"step": 50, "images": 1000, "seconds": 10.0}, {"step": 150, "images": 3000, "seconds": 14.0}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = real_runs.speeds(tmp_path, command_seconds=20.0)
    assert found == {
        "images_per_second": 3000 / 14,
        "images_per_second_later": 500,
        "images_per_second_of_command": 150,
    }


def test_a_table_gives_ratios_to_the_peers_and_names_what_failed():
    result = {"round_images": 100, "round_seconds": [1.0], "start_seconds": 1.0, "memory": {"process": 2**30}}
    results = {
        "ours-tensorflow": {**result, "images_per_second": 300.0},
        "keras-fit": {**result, "images_per_second": 200.0},
        "torch-eager": {"error": "no torch"},
    }
    peaks = {"TensorFlow": {"float32": 3000.0}, "JAX": {"float32": 1000.0}}
    text = report.case_section("one", {"flops_per_image": 5.0, "results": results}, peaks)
    ours, _, eager = text.splitlines()[-3:]
    assert ours.split(" | ")[3:7] == ["1.50", "", "", "50%"]
    assert "failed: no torch" in eager
    assert {*results} <= {*ON_CPU}
