"""The race with peers: whose clock runs when, who has won, and that peers draw what can be scored."""

import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
pausing = pytest.importorskip("benchmarks.speedrun.peers.pausing", reason="an installed wheel has no benchmarks")


def asked(tmp_path: Path) -> dict[str, object]:
    return {"every": 100, "most": 1000, "samples": 3, "folder": str(tmp_path), "seed": 0}


def test_a_peer_trains_until_it_is_told_to_stop_and_its_clock_stands_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(sys, "stdin", io.StringIO("go on\ngo on\nstop\n"))

    def step() -> None:
        now[0] += 1

    def draw(count: int) -> np.ndarray:
        now[0] += 1000  # which no clock of training sees
        return np.full((count, 28, 28, 1), 7, "uint8")

    pausing.train(step, draw, 50, asked(tmp_path))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["images"], line["seconds"]) for line in lines] == [(100, 2), (200, 4), (300, 6)]
    assert np.load(lines[-1]["file"]).shape == (3, 28, 28, 1)


def test_a_peer_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("go on\n" * 99))
    steps: list[int] = []
    pausing.train(lambda: steps.append(1), lambda count: np.zeros((count, 2, 2, 1), "uint8"), 50, asked(tmp_path))
    assert len(steps) == 20


def test_the_table_has_medians_worst_seeds_and_who_never_came_in() -> None:
    race = pytest.importorskip("benchmarks.speedrun.__main__")

    def run(contender: str, seed: int, *curve: tuple[int, float, float]) -> dict[str, object]:
        keys = ("images", "seconds", "kid")
        return {"contender": contender, "seed": seed, "curve": [dict(zip(keys, each, strict=True)) for each in curve]}

    races = [
        run("keras.io", 0, (5000, 10.0, 0.2), (10000, 20.0, 0.15)),
        run("dcgan", 0, (5000, 10.0, 0.1), (10000, 21.0, 0.055), (15000, 30.0, 0.05)),
        run("dcgan", 1, (5000, 10.0, 0.1), (10000, 20.0, 0.06), (15000, 32.0, 0.05)),
        run("dcgan", 2, (5000, 9.0, 0.05)),
    ]
    machine = {"processor": "One", "threads": 2}
    page = race.markdown(
        {"races": races, "date": "2026-01-01", "commit": "abc", "machine": machine, "every": 5000, "most": 10000}
    )
    assert page.splitlines()[-2:] == [
        "| dcgan | 3 | 21 | 32 | 21, 32, 9 | 10,000 |",
        "| keras.io | 1 | never | never | never | never |",
    ]


def test_the_peer_on_keras_trains_on_images_and_draws_some(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    peer = pytest.importorskip("benchmarks.speedrun.peers.keras_io")
    gan = peer.Gan()
    gan.compile()
    before = [each.numpy().copy() for each in gan.trainable_variables]
    images = np.random.default_rng(0).random((8, 28, 28, 1), "float32")
    gan.fit(tensorflow.data.Dataset.from_tensors(images), shuffle=False, verbose=0)
    assert all(np.any(one != other.numpy()) for one, other in zip(before, gan.trainable_variables, strict=True))
    assert gan.generator(np.zeros((2, 128), "float32")).shape == (2, 28, 28, 1)
