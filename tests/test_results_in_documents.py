"""Tables of benchmarks in the documents: current, and nothing where nothing was measured."""

import importlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

import zoo

ROOT = Path(zoo.__file__).parents[1]
pytest.importorskip("benchmarks.translation", reason="an installed zoo has no benchmarks")
SCORE = {"value": 0.25, "deviation": None, "better": "lower"}
MACHINE = {"processor": "AMD", "cores": 2}


@pytest.fixture(scope="module")
def including() -> ModuleType:
    spec = importlib.util.spec_from_file_location("include_results", ROOT / "docs" / "include_results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path, including: ModuleType) -> Path:
    """A repository with two pages, and with results of nothing."""
    (tmp_path / "docs").mkdir()
    for name in ("translation.md", "augmentation.md"):
        (tmp_path / "docs" / name).write_text(f"# Page\n{including.BEGIN}old\n{including.END}last\n")
    (tmp_path / "benchmarks" / "results" / "translation").mkdir(parents=True)
    return tmp_path


def report(**more: object) -> dict:
    row = {"name": "pix2pix", "command": "zoo run pix2pix", "seconds": 90, "scores": {"l1": SCORE}}
    common = {"images": 1000, "tested": 40, "date": "2026-11-27", "machine": MACHINE, "commit": "abc1234"}
    return {"title": "Edges", "sheet": "edges.png", "rows": [row], **common, **more}


def test_the_documents_have_what_was_measured(including: ModuleType) -> None:
    for name, text in including.pages(ROOT).items():
        assert (ROOT / "docs" / name).read_text() == text, "run python -m docs.include_results"


def test_what_is_not_measured_or_not_at_its_end_is_no_row(including: ModuleType, root: Path) -> None:
    empty = f"# Page\n{including.BEGIN}{including.END}last\n"
    assert including.pages(root) == {"translation.md": empty, "augmentation.md": empty}
    file = root / "benchmarks" / "results" / "translation" / "edges.json"
    file.write_text(json.dumps(report()))
    assert including.pages(root)["translation.md"] == empty
    file.write_text(json.dumps(report(columns=["source", "pix2pix", "target"])))
    text = including.pages(root)["translation.md"]
    assert "### Edges" in text
    assert "| pix2pix | 1.5 | **0.2500** |" in text
    assert "(../benchmarks/results/translation/edges.png)" in text
    assert text.startswith("# Page\n")
    assert text.endswith(f"{including.END}last\n")


def test_the_table_of_labels_has_differences_with_intervals(including: ModuleType, root: Path) -> None:
    rows = [
        {"dataset": "d", "kind": "balanced", "labels": 10, "seed": seed, "way": way, "accuracy": accuracy + seed / 100}
        for seed in range(3)
        for way, accuracy in {"as they are": 0.5, "with a GAN's": 0.6}.items()
    ]
    folder = root / "benchmarks" / "results" / "augmentation" / "d"
    folder.mkdir(parents=True)
    (folder / "augmentation.json").write_text(
        json.dumps(
            {"rows": rows, "settings": {"stack": "s", "images": 5, "steps": 6, "batch": 7}, "sheet": "sheet.png"}
            | {name: report()[name] for name in ("date", "machine", "commit")}
        )
    )
    text = including.pages(root)["augmentation.md"]
    assert "### What a conditional GAN adds to few labels of d" in text
    assert "#### Balanced" in text
    assert "| as they are | 51.0 (" in text
    assert (
        "*with a GAN's* against *as they are*, 10 labels a class: +10.0 points (+10.0 to +10.0): the GAN helps." in text
    )
    assert "(../benchmarks/results/augmentation/d/sheet.png)" in text


def test_a_written_report_names_no_place_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = importlib.import_module("benchmarks.translation.__main__")
    monkeypatch.chdir(tmp_path)
    own = {**SCORE, "protocol": {"real": {"source": f"file {tmp_path}/own.npz"}}}
    rows = [{"name": "pix2pix", "command": "zoo run pix2pix", "seconds": 90, "scores": {"l1": own}}]
    writing.write(report(rows=rows), tmp_path / "own.json")
    written = (tmp_path / "own.json").read_text()
    assert str(tmp_path) not in written
    assert json.loads(written)["rows"][0]["scores"]["l1"]["protocol"]["real"]["source"] == "file own.npz"
    assert (tmp_path / "own.md").read_text().startswith("# Edges")
