"""docs/quickstart.ipynb: a clean file, every cell of which runs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import zoo

PATH = Path(zoo.__file__).parents[1] / "docs" / "quickstart.ipynb"
TINY = {"STEPS": 60, "SAMPLES": 60, "PROJECTION": 2, "COMPARED": 20}

pytestmark = [pytest.mark.leaky, pytest.mark.skipif(not PATH.exists(), reason="an installed wheel has no documents")]


def cells(kind: str = "code") -> dict[str, dict[str, Any]]:
    """The cells of a kind by their ids."""
    found = json.loads(PATH.read_text())["cells"]
    return {cell["id"]: cell for cell in found if cell["cell_type"] == kind}


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_the_file_holds_no_outputs():
    assert [name for name, cell in cells().items() if cell["outputs"] or cell["execution_count"] is not None] == []


def test_it_installs_the_zoo_first_where_that_is_missing_and_never_a_second_tensorflow():
    first = source(next(iter(cells().values())))
    guard, _, install = first.partition('if importlib.util.find_spec("zoo") is None:\n')
    assert "pip" not in guard
    assert all(line.startswith("    ") for line in install.splitlines())
    assert 'extras = "notebook" if importlib.util.find_spec("tensorflow") else "cpu,notebook"' in install
    assert '%pip install --quiet "gan-zoo[{extras}] @ git+{REPOSITORY}"' in install
    assert re.search(r'REPOSITORY = "(.*)"', first)[1] in (PATH.parents[1] / "README.md").read_text()


def test_its_parameters_are_those_that_the_test_makes_small():
    (cell,) = (each for each in cells().values() if "parameters" in each["metadata"].get("tags", ()))
    assert re.findall(r"^([A-Z]+) = \d+", source(cell), re.MULTILINE) == list(TINY)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:::(?!zoo)")
def test_every_cell_runs(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    notebook = nbformat.read(PATH, as_version=4)
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    parameters.source = "\n".join(f"{name} = {value}" for name, value in TINY.items())
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()

    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    data = {
        name: {kind: text for each in outputs for kind, text in each.get("data", {}).items()}
        for name, outputs in shown.items()
    }
    texts = {name: "".join(each.get("text", "") for each in outputs) for name, outputs in shown.items()}
    assert shown["install"] == []
    for name in ("pretrained", "train", "plugin", "compare"):
        assert "<table>" in data[name]["text/html"], name
        assert "data:image/" in data[name]["text/html"], name
        assert data[name]["image/png"], name
    for name in ("samples", "walk", "losses", "project", "between"):
        assert data[name]["image/png"], name
    assert "kid_efficientnet-lite0" in data["evaluate"]["text/html"]
    assert "generator_loss" in texts["train"] or "application/vnd.jupyter.widget-view+json" in data["train"]
    assert "too few seeds" in data["compare"]["text/html"]
    assert (tmp_path / "runs" / "dcgan" / "fashion_mini" / "0" / "generator.keras").exists()
