"""The benchmark of scale: what it says of growth, and that inputs are what they are said to be."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
scale = pytest.importorskip("benchmarks.scale.__main__", reason="an installed wheel has no benchmarks")
commands = pytest.importorskip("benchmarks.scale.commands")
series = pytest.importorskip("benchmarks.scale.series")


def rows(*costs: float) -> list[dict[str, float]]:
    return [{"size": 10 * 2**turn, "seconds": each, "cpu_seconds": 1.0, "memory": 1} for turn, each in enumerate(costs)]


def test_growth_is_the_exponent_of_the_size() -> None:
    assert scale.growth(rows(1, 2, 4), "seconds") == pytest.approx(1)
    assert scale.growth(rows(1, 9, 16), "seconds") == pytest.approx(2)
    assert scale.growth(rows(1, 2, 4), "cpu_seconds") == 0
    assert math.isnan(scale.growth(rows(3), "seconds"))


def test_a_command_costs_what_its_process_took(tmp_path: Path) -> None:
    cost = commands.timed(["list", "metrics"], tmp_path)
    assert 0 < cost.cpu_seconds <= cost.seconds * 64
    assert cost.memory > 10 * 2**20
    assert "kid" in (tmp_path / "output.txt").read_text()
    with pytest.raises(SystemExit, match="'nothing'"):
        commands.timed(["list", "nothing"], tmp_path)


def test_inputs_have_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = series.images_of(8)(1001, tmp_path)
    assert len(list(images.glob("*/*.png"))) == 1001
    assert sorted(path.name for path in images.iterdir()) == ["00000", "00001"]
    monkeypatch.setattr(series, "GIB", 2**20)
    array = np.load(series.large_array(3, tmp_path), mmap_mode="r")
    assert array.shape[1:] == (64, 64, 3)
    assert 0 <= 3 * 2**20 - array.nbytes < array[0].nbytes
    assert array[0].max() > 0


def test_copied_runs_are_of_other_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_run(words: list[str], folder: Path) -> None:
        run = Path(words[words.index("--out") + 1])
        (run / "checkpoints").mkdir(parents=True)
        (run / "run.yaml").write_text("stack: vanilla\nseed: 0\n")

    monkeypatch.setattr(series, "timed", one_run)
    runs = series.finished_runs(4, tmp_path)
    found = {path.parent.name: yaml.safe_load(path.read_text()) for path in runs.glob("*/run.yaml")}
    assert found == {str(seed): {"stack": "vanilla", "seed": seed} for seed in range(4)}


def test_what_was_measured_is_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "timed", lambda words, folder: commands.Cost(float(words[3]), 1.0, 3 * 2**20))
    found = scale.measured(series.SERIES["sample"], [10, 1000], tmp_path / "work")
    assert [(each["size"], each["seconds"]) for each in found] == [(10, 10.0), (1000, 1000.0)]
    facts = {"command": "zoo sample", "date": "2026-01-01", "commit": "abc", "machine": {"processor": "x", "cores": 2}}
    page = scale.markdown({"series": {"sample": {"what": "samples", "unit": "samples", "rows": found, **facts}}})
    assert "| 1,000 | 1000.0 | 1.0 | 3 |" in page
    assert "| growth | 1.00 | 0.00 | 0.00 |" in page
