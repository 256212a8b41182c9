"""`zoo explain RUN` of a tiny run: its pictures and figures, that it changes nothing, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import ZooError
from zoo.diagnosis.explaining import FRAMES, check_alone, explain, gray
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


def test_networks_that_take_more_are_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = Trainer(make_stack("cgan-projection"), tiny_dataset((16, 16, 1), classes=3))
    with pytest.raises(ZooError, match="The discriminator takes samples, labels"):
        check_alone(trainer)


def test_maps_are_black_or_gray_at_0_and_white_at_their_largest() -> None:
    one = np.zeros((1, 2, 2))
    one[0, 0, 0] = 5.0
    assert gray(one, 1)[0, ..., 0].tolist() == [[255, 0], [0, 0]]
    one[0, 1, 1] = -5.0
    assert gray(one, 3)[0, ..., 2].tolist() == [[255, 128], [128, 0]]
