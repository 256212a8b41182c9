"""The benchmark of data: its pictures are as it says, and its report is what was measured."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo

ROOT = Path(zoo.__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="a wheel has no benchmarks")


@pytest.fixture(autouse=True)
def benchmarks_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_the_committed_table_is_made_of_the_committed_numbers():
    from benchmarks.data.report import markdown

    results = ROOT / "benchmarks" / "results" / "data"
    report = json.loads((results / "data.json").read_text())
    assert markdown(report) == (results / "data.md").read_text()
    zoo_rounds = sorted(each["images"] / each["seconds"] for each in report["preparing"]["zoo"])
    assert f"{zoo_rounds[len(zoo_rounds) // 2]:,.0f}" in (ROOT / "docs" / "data.md").read_text()


def test_the_pictures_have_celeba_s_size_and_weight(tmp_path):
    from benchmarks.data import faces

    faces.write_files(tmp_path / "pictures", 20)
    files = sorted((tmp_path / "pictures").iterdir())
    sizes = [file.stat().st_size for file in files]
    assert 5_000 < np.mean(sizes) < 10_000
    with Image.open(io.BytesIO(files[0].read_bytes())) as image:
        assert (image.size, image.format) == ((178, 218), "JPEG")
    assert len({file.read_bytes() for file in files}) == 20
