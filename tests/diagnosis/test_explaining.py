"""`zoo explain RUN` of a tiny run: its pictures and figures, that it changes nothing, and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops
from PIL import Image

import zoo
from zoo import ZooError
from zoo.diagnosis import insight
from zoo.diagnosis.explaining import explain
from zoo.diagnosis.explanation import FRAMES, check_judged, explained, gray
from zoo.networks import called
from zoo.training.directions import DRAWN, walk_of
from zoo.training.trainer import Trainer


def test_a_run_is_explained_and_stays_as_it_is(tmp_path: Path) -> None:
    small = {"generator_units": (8,), "discriminator_units": (8,), "batch_size": 8, "latent_size": 4}
    zoo.run("vanilla", settings=small, budget=zoo.Budget(steps=2), out=tmp_path / "run", progress=False)
    before = {each: each.read_bytes() for each in (tmp_path / "run").rglob("*") if each.is_file()}
    found = explain(tmp_path / "run", out=tmp_path / "out", progress=False)
    assert {each: each.read_bytes() for each in before} == before
    values = found["singular_values"]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    directions = found["directions"]
    assert {"Jacobian 1", "SeFa 1", "GANSpace 3"} <= set(directions)
    assert [np.linalg.norm(each) for each in directions.values()] == pytest.approx([1] * len(directions), rel=1e-4)
    sizes = {}
    for name in ("looks", "directions"):
        with Image.open(tmp_path / "out" / f"{name}.png") as picture:
            sizes[name] = picture.width / picture.height
    assert sizes["looks"] == 1  # 8 rows of 8
    assert sizes["directions"] == pytest.approx(FRAMES / len(directions), rel=0.05)


def test_a_conditional_stack_is_explained_with_the_labels_that_its_samples_have(
    tiny_dataset: Callable, make_stack: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny_dataset((16, 16, 1), classes=3)
    trainer = Trainer(make_stack("cgan-projection"), data)
    judged = {}

    def seen(judge: Callable, gradients: Callable, images: np.ndarray) -> np.ndarray:
        judged["images"], judged["logits"] = images, ops.convert_to_numpy(judge(images))
        return np.zeros(images.shape)

    monkeypatch.setattr(insight, "input_gradients", seen)
    found = explained(trainer, 0, tmp_path)
    assert len(found["singular_values"]) == 3  # latents alone
    assert not any(name.startswith("towards") for name in found["directions"])
    assert {each.name for each in tmp_path.iterdir()} == {"looks.png", "directions.png"}
    drawn = trainer.sampler.latents(DRAWN, 0)
    rows = data.spread(8)
    labels = np.stack([data.labels[rows], ops.convert_to_numpy(drawn["labels"])[:8]], axis=1).ravel()
    inputs = {"samples": ops.convert_to_tensor(judged["images"]), "labels": ops.convert_to_tensor(labels, "int32")}
    answer = called(trainer.players.discriminator, inputs, "samples", training=False)
    np.testing.assert_allclose(judged["logits"], ops.convert_to_numpy(answer["logits"])[:, 0], rtol=1e-4, atol=1e-6)
    # along a strip a sample keeps its label, and in its middle it is itself
    walk = walk_of(trainer.sampler, {name: ops.convert_to_numpy(each) for name, each in drawn.items()}, 0)
    assert walk.given(walk.latents[:5], 3)["labels"].tolist() == [int(drawn["labels"][3])] * 5
    own = trainer.sampler.samples({name: each[3:4] for name, each in drawn.items()}, 0)
    np.testing.assert_allclose(walk.samples(walk.latents[3:4], 3), own, atol=1e-6)


def test_what_draws_nothing_has_no_directions() -> None:
    sampler = SimpleNamespace(generating=SimpleNamespace(fields={"samples": None, "source": None}))
    assert walk_of(sampler, {"source": np.zeros((5, 8, 8, 1)), "truncation": np.ones((5, 1))}, 0) is None


def test_judges_of_packs_are_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("dcgan+pacgan"), tiny_dataset((16, 16, 1)))
    with pytest.raises(ZooError, match="judges other shapes than samples have"):
        check_judged(trainer)


def test_maps_are_black_or_gray_at_0_and_white_at_their_largest() -> None:
    one = np.zeros((1, 2, 2))
    one[0, 0, 0] = 5.0
    assert gray(one, 1)[0, ..., 0].tolist() == [[255, 0], [0, 0]]
    one[0, 1, 1] = -5.0
    assert gray(one, 3)[0, ..., 2].tolist() == [[255, 128], [128, 0]]
