"""What a comparison shows in a notebook."""

import io
from pathlib import Path

import pytest
from comparison_data import Plan, comparison
from PIL import Image

from zoo.comparison.found import Found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("found")
    return Found(comparison(Plan(("dcgan", "wgan"), seeds=3, folder=folder)), folder)


def test_it_is_the_data_of_the_report(found: Found):
    assert found == comparison(Plan(("dcgan", "wgan"), seeds=3, folder=found.folder))


def test_it_shows_a_table_the_ranking_and_a_picture_of_each_variant(found: Found):
    shown = found._repr_html_()
    assert shown.count("<table>") == 1
    assert shown.count("<img ") == 2
    assert [shown.count(f"<figcaption>{name}</figcaption>") for name in ("dcgan", "wgan")] == [1, 1]
    name = found["scores"][0]["name"]
    assert f">{name}" in shown  # heads its column
    mean = found["rankings"]["fashion_mini"][name]["last"]["summaries"]["dcgan"]["mean"]
    assert f"{mean:.2g}"[:4] in shown


def test_its_picture_has_those_of_the_variants_side_by_side(found: Found):
    picture = Image.open(io.BytesIO(found._repr_png_()))
    assert picture.format == "PNG"
    assert picture.width > 2 * picture.height * 0.8


def test_without_pictures_there_is_none(tmp_path: Path):
    assert Found(comparison(Plan(("dcgan",), seeds=1)), tmp_path)._repr_png_() is None


def test_its_table_has_a_row_for_each_run(found: Found):
    pytest.importorskip("pandas")
    table = found.to_pandas()
    assert len(table) == 6
    assert table["label"].tolist() == [cell["label"] for cell in found["cells"]]
    name = found["scores"][0]["name"]
    assert table[name].tolist() == [cell["last"][name]["value"] for cell in found["cells"]]


def test_its_runs_are_those_that_have_begun(found: Found):
    assert found.runs == []
    path = found.folder / found["cells"][0]["path"]
    path.mkdir(parents=True, exist_ok=True)
    (path / "run.yaml").touch()
    assert [run.path for run in found.runs] == [path]
