"""The benchmark of conditional variants: codes are matched to classes, and the report shows what was measured."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo

ROOT = Path(zoo.__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="a wheel has no benchmarks")


@pytest.fixture(autouse=True)
def benchmarks_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def test_codes_are_matched_so_that_most_samples_agree() -> None:
    """Class 0 is what both codes 0 and 1 look like most; together they agree most as 1 and 0."""
    from benchmarks.conditional.codes import matched

    codes = np.repeat([0, 1, 2], 10)
    predictions = np.array([0] * 6 + [1] * 4 + [0] * 9 + [1] + [2] * 10)
    assert matched(codes, predictions, 3, 3).tolist() == [1, 0, 2]
    assert matched(codes, predictions, 3, 4).tolist()[:3] == [1, 0, 2]  # no sample is taken for the last class
    assert matched(codes[:20], predictions[:20], 2, 3).tolist()[:2] == [1, 0]


def test_the_table_has_scores_with_intervals_and_the_best_in_bold() -> None:
    from benchmarks.conditional.report import KID, markdown

    def row(accuracy: float, kid: float) -> dict[str, Any]:
        values = {"class_accuracy": accuracy, KID: kid, "classifier_accuracy": 0.9}
        scores = {name: {"value": value, "interval": [value - 0.01, value + 0.01]} for name, value in values.items()}
        return {"seconds": 120, "scores": scores}

    report = {
        "settings": {"dataset": "fashion_mini", "images": 5000, "samples": 100, "set": ["width=8"]},
        "rows": {"cgan": row(0.8, 0.05), "infogan": row(0.5, 0.04)},
        "machine": {"processor": "a processor", "cores": 2},
        "commit": "abc", "date": "2026-11-27",
    }  # fmt: skip
    lines = markdown(report).splitlines()
    assert "| `cgan` | **0.800** (0.790 to 0.810) | 0.0500 (0.0400 to 0.0600) | 2 |" in lines
    assert "| `infogan` | 0.500 (0.490 to 0.510) | **0.0400** (0.0300 to 0.0500) | 2 |" in lines
    assert "    zoo run VARIANT --dataset fashion_mini --images 5000 --set width=8" in lines
