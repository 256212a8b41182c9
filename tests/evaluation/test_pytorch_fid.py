"""Statistics files against pytorch-fid itself: it reads ours and finds our distance, and we read what it writes.

pytorch-fid brings torch, which the suite does not install: pip install pytorch-fid, and these tests are not skipped.
"""

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.cli import main

pytest.importorskip("torch", exc_type=ImportError)
fid_score = pytest.importorskip("pytorch_fid.fid_score", exc_type=ImportError)

EXTRACTOR = Path(__file__).parents[1] / "stacks" / "pooling.py"
DRAW = np.random.default_rng(11)
REAL, FAKE = (DRAW.integers(low, 256, (60, 8, 8, 1), dtype=np.uint8) for low in (0, 40))


def test_pytorch_fid_finds_in_our_files_the_distance_that_we_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    for name, images in (("real", REAL), ("fake", FAKE)):
        np.savez(f"{name}.npz", arr_0=images)
        words = ["--out", f"{name}_statistics.npz", "--extractor", "pooling", "--plugin", str(EXTRACTOR)]
        main(["statistics", f"{name}.npz", *words, "--split", "all"])
    read = [
        fid_score.compute_statistics_of_path(f"{name}_statistics.npz", None, 1, 16, "cpu") for name in ("real", "fake")
    ]
    theirs = fid_score.calculate_frechet_distance(*read[0], *read[1])
    chosen = zoo.EvaluationOptions(samples=60, extractor="pooling")
    (found,) = zoo.evaluate(
        "fake.npz", against="real_statistics.npz", options=chosen, plugins=[EXTRACTOR], progress=False
    )
    assert found["scores"][0]["value"] == pytest.approx(theirs, rel=1e-5)


def test_what_pytorch_fid_saves_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.evaluation.statistics_file import read_statistics

    draw = np.random.default_rng(3)
    mean, covariance = draw.normal(size=5), np.cov(draw.normal(size=(20, 5)), rowvar=False)
    untrained = type("Untrained", (), {"BLOCK_INDEX_BY_DIM": {5: 0}, "__init__": lambda self, blocks: None})
    untrained.to = lambda self, device: None
    monkeypatch.setattr(fid_score, "InceptionV3", untrained)
    monkeypatch.setattr(fid_score, "compute_statistics_of_path", lambda *arguments: (mean, covariance))
    fid_score.save_fid_stats([str(tmp_path), str(tmp_path / "theirs.npz")], 1, "cpu", 5)
    found = read_statistics(tmp_path / "theirs.npz")
    assert found.protocol is None
    np.testing.assert_array_equal(found.mean, mean)
    np.testing.assert_array_equal(found.covariance, covariance)
