"""What is kept of a comparison for the documents, and what the variants' pages say of it."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import comparison_data

from zoo.comparison.report import write_report

kept = pytest.importorskip("benchmarks.common.kept", reason="an installed wheel has no benchmarks")
measurements = pytest.importorskip("docs.measurements", reason="an installed wheel has no documents")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kept comparison of three variants over three seeds, its folder in the place of those of the documents."""
    made, into = tmp_path / "made", tmp_path / "benchmarks" / "results" / "comparisons" / "tiny"
    plan = comparison_data.Plan(variants=("wgan", "dcgan+r1,r1_gamma=1", "dcgan"), seeds=3, folder=made)
    write_report(comparison_data.comparison(plan), made)
    into.mkdir(parents=True)
    (into / "old.png").write_bytes(b"of a variant that is left out now")
    (into / "report.webp").write_bytes(b"a picture of the page")
    kept.keep(made, into)
    monkeypatch.setattr(measurements, "ROOT", tmp_path)
    monkeypatch.setattr(measurements, "COMPARISONS", into.parent)
    measurements.measurements.cache_clear()
    yield into
    measurements.measurements.cache_clear()


def test_reports_and_a_picture_of_each_variant_are_kept(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "report.md", "scores.csv", "comparison.json", "report.webp"} < names
    assert "old.png" not in names
    assert {Path(name).stem for name in names if not name.startswith(("report", "scores", "comparison"))} == {
        "wgan", "dcgan+r1,r1_gamma=1", "dcgan",
    }  # fmt: skip


def test_the_kept_report_shows_the_kept_pictures(folder: Path) -> None:
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (folder / "report.md").read_text())
    assert len(shown) == 3
    assert all((folder / each).is_file() for each in shown)


def test_variants_stand_in_the_order_of_their_means(folder: Path) -> None:
    rows = measurements.measurements()
    assert [each.place for each in rows] == ["1 of 3", "2 of 3", "3 of 3"]
    assert [float(each.score) for each in rows] == sorted(float(each.score) for each in rows)
    assert all(each.seeds == 3 and (folder / Path(each.picture).name).is_file() for each in rows)
