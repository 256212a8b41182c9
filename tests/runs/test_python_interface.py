import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.base import interrupts
from zoo.base.interrupts import Interrupted, stop_requests


def test_run_trains_and_returns_a_run(images: Path, capfd: pytest.CaptureFixture[str]):
    capfd.readouterr()
    settings = {"generator_units": (8, 8), "discriminator_units": [8], "batch_size": 8, "generator_learning_rate": 1e-5}
    run = zoo.run("vanilla", dataset=images, budget=zoo.Budget(steps=2), settings=settings, seed=7, progress=False)
    assert isinstance(run, zoo.Run)
    assert run.path.parent.parent == Path("runs/vanilla")
    assert run.path.name == "7"
    assert run.stack.recipe.generator_units == (8, 8)
    assert run.stack.recipe.generator_learning_rate == 1e-5
    assert run.record["recipe_sources"]["generator_units"] == "--set"
    assert run.sample(3).shape == (3, 8, 8, 1)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_progress_may_be_an_object_of_the_callers(train, tmp_path: Path):
    told: list[object] = []

    class Told:
        def start(self, first: int, total: int, images_per_step: int) -> None:
            told.append((first, total, images_per_step))

        def step(self, step: int, metrics: Mapping[str, float]) -> None:
            told.append((step, sorted(name for name in metrics if name.endswith("_loss"))))

        def note(self, text: str) -> None:
            told.append(text)

        def stop(self) -> None:
            told.append("stop")

    train(tmp_path / "run", steps=2, progress=Told())
    losses = ["discriminator_loss", "generator_loss"]
    assert told[-4:] == [(0, 2, 8), (1, losses), (2, losses), "stop"]


def test_load_opens_a_run_by_its_folder(finished: zoo.Run):
    opened = zoo.load(str(finished.path))
    assert opened.path == finished.path
    assert opened.metrics == finished.metrics
    assert opened.metrics[0]["step"] == 50
    np.testing.assert_array_equal(opened.sample(10, seed=1), finished.sample(10, seed=1))
    assert (opened.sample(10, seed=1) != opened.sample(10, seed=2)).any()


def test_samples_of_points_are_in_original_units(train, tmp_path: Path):
    points = 1000 + np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    np.save(tmp_path / "points.npy", points)
    run = train(tmp_path / "run", steps=1, dataset=tmp_path / "points.npy", settings={"average_decay": 0.0})
    scaled = run.sampler.samples(run.sampler.latents(5, 0))
    np.testing.assert_allclose(run.sample(5), scaled * np.abs(points).max(), rtol=1e-6)


def test_a_mistake_raises_a_zoo_error(images: Path):
    with pytest.raises(zoo.ZooError, match="Did you mean 'vanilla'"):
        zoo.run("vanila", dataset=images)
    with pytest.raises(zoo.ZooError, match="--seed must be from 0"):
        zoo.run("vanilla", dataset=images, seed=-1)
    with pytest.raises(zoo.ZooError, match="No run in 'nowhere'"):
        zoo.load("nowhere")


def test_interrupted_is_what_ctrl_c_raises_anywhere():
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert Interrupted(signal.SIGTERM, "saved").exit_code == 143


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own answer to Ctrl-C, which a shell takes from the programs that it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_ctrl_c_that_is_no_held_key_acts_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(interrupts, "BURST", -1.0)
    with stop_requests() as stop_request:
        signal.raise_signal(signal.SIGINT)
        assert stop_request.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_unknown_attribute_of_the_package_is_told():
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'trian'"):
        zoo.trian  # noqa: B018
