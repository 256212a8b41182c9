"""`zoo diagnose RUN`: what a run's metrics or checkpoints show, its verdict, and the command that mends it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.cli import main
from zoo.diagnosis.of_run import diagnose_run
from zoo.diagnosis.report.health import charts_of

RESULTS = Path(zoo.__file__).parents[1] / "benchmarks" / "results" / "fashion_mini"
needs_results = pytest.mark.skipif(not RESULTS.exists(), reason="an installed zoo has no results")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """A committed run, the metrics of its second half multiplied."""

    def make(**factors: float) -> Path:
        shutil.copytree(RESULTS, tmp_path / "run")
        path = tmp_path / "run" / "metrics.jsonl"
        lines = [json.loads(text) for text in path.read_text().splitlines()]
        for line in lines[len(lines) // 2 :]:
            line.update({name: line[name] * factor for name, factor in factors.items()})
            line |= {"health/generator/gradient/01 dense": 1e-6, "health/generator/gradient/02 conv": 1e-4}
        for line in lines[:2]:
            line |= {"health/generator/gradient/01 dense": 1.0, "health/generator/gradient/02 conv": 1.0}
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return tmp_path / "run"

    return make


@needs_results
def test_a_vanishing_gradient_is_placed_in_a_layer_and_leads_to_an_experiment(run: Callable) -> None:
    found = diagnose_run(run(generator_gradient_norm=1e-5), progress=False)
    assert found["word"] == "vanishing gradient"
    assert "It is weakest in layer 01 dense." in found["verdict"]
    assert found["next"].startswith("zoo diagnose dcgan --dataset fashion_mini")
    page = (Path(found["folder"]) / "report.html").read_text()
    assert "vanishing gradient" in page
    assert found["next"] in page
    assert (Path(found["folder"]) / "generator-gradient.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((Path(found["folder"]) / "health.json").read_text())["findings"] == found["findings"]


@needs_results
def test_the_next_run_has_the_rates_that_mend_it(run: Callable, capsys: pytest.CaptureFixture) -> None:
    path = run(discriminator_loss=1e-5)
    main(["diagnose", str(path)])
    said = capsys.readouterr().out
    assert "The discriminator has won" in said
    # the run's rate was 1e-3, in registry.yaml
    assert f"zoo run dcgan --dataset fashion_mini --set discriminator_learning_rate=0.00025 --out {path}-mended" in said


@needs_results
def test_a_healthy_run_is_called_so(run: Callable, capsys: pytest.CaptureFixture) -> None:
    main(["diagnose", str(run()), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["word"], found["findings"]) == ("healthy", [])
    assert found["next"] == f"zoo evaluate {found['run']}"


def test_a_run_without_health_in_its_metrics_is_measured_at_its_checkpoints_and_stays_as_it_is(tmp_path: Path) -> None:
    small = {"generator_units": (8,), "discriminator_units": (8,), "batch_size": 8}
    made = zoo.run("vanilla", dataset="ring8", settings=small, budget=zoo.Budget(steps=3), out=tmp_path, progress=False)
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    found = diagnose_run(tmp_path, progress=False)
    assert found["source"] == "its checkpoints"
    assert [line["step"] for line in found["lines"] if "health/samples/diversity" in line] == [3]
    assert {chart.name for chart in charts_of(found["lines"])} >= {
        "generator-gradient",
        "discriminator-update",
        "samples",
    }
    assert {each: each.read_bytes() for each in before} == before
    assert made.metrics[-1]["step"] == 3


def test_a_run_says_its_health_in_a_word_where_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("generator_units=8", "discriminator_units=8", "batch_size=8", "generator_learning_rate=1e-13")
    settings = [word for each in small for word in ("--set", each)]
    main(["run", "vanilla", "--dataset", "ring8", "--steps", "100", "--health", "50", "--out", "sick", *settings])
    assert "health      frozen" in capsys.readouterr().out


def test_a_pretrained_name_is_diagnosed_from_its_checkpoint(
    capsys: pytest.CaptureFixture, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["diagnose", "dcgan@fashion_mini", "--data-dir", str(data_dir), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["run"] == "dcgan@fashion_mini"
    assert [line["step"] for line in found["lines"]] == [1563]
    assert any(name.startswith("health/discriminator/gradient/") for name in found["lines"][0])
    folder = tmp_path / "runs" / "pretrained" / "dcgan@fashion_mini" / "health"  # the package is only read
    assert Path(found["folder"]).resolve() == folder.resolve()
    assert (folder / "report.html").exists()


def test_an_unknown_pretrained_name_is_told(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["diagnose", "dcgan@nothing"])
    assert "Unknown pretrained generator: 'dcgan@nothing'" in capsys.readouterr().err
