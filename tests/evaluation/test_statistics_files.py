"""Statistics of real features in files: read as pytorch-fid and TTUR write them, written as they read them."""

from pathlib import Path

import numpy as np
import pytest
from scipy import linalg

import zoo
from zoo.cli import main
from zoo.evaluation.scoring import statistics_of
from zoo.evaluation.statistics_file import is_statistics, read_statistics

EXTRACTOR = Path(__file__).parents[1] / "stacks" / "pooling.py"
DRAW = np.random.default_rng(11)
REAL, FAKE = (DRAW.integers(low, 256, (60, 8, 8, 1), dtype=np.uint8) for low in (0, 40))


def features(images: np.ndarray) -> np.ndarray:
    """What tests/stacks/pooling.py says of images."""
    return images.reshape(60, 4, 2, 4, 2, 1).mean(axis=(2, 4)).reshape(60, -1).astype("float64") / 255


def by_hand(mean: np.ndarray, covariance: np.ndarray, fake: np.ndarray) -> float:
    """pytorch-fid's formula: |m1 - m2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2))."""
    other = np.cov(fake, rowvar=False)
    root = linalg.sqrtm(covariance @ other)
    return float(np.sum((mean - fake.mean(0)) ** 2) + np.trace(covariance + other - 2 * root.real))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real and generated images, and the statistics of the former as pytorch-fid saves them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    np.savez("real.npz", samples=REAL)
    np.savez("fake.npz", arr_0=FAKE)
    np.savez_compressed("theirs.npz", mu=features(REAL).mean(0), sigma=np.cov(features(REAL), rowvar=False))
    return tmp_path


def scored(against: str, **options) -> dict:
    chosen = zoo.EvaluationOptions(samples=60, extractor="pooling", **options)
    (found,) = zoo.evaluate("fake.npz", against=against, options=chosen, plugins=[EXTRACTOR], progress=False)
    (score,) = found["scores"]
    return score


def test_statistics_of_another_tool_give_their_formulas_distance_and_no_protocol(files: Path) -> None:
    score = scored("theirs.npz")
    expected = by_hand(features(REAL).mean(0), np.cov(features(REAL), rowvar=False), features(FAKE))
    assert score["value"] == pytest.approx(expected, rel=1e-5)
    assert score["name"] == "fd_pooling"
    assert score["protocol"]["real"]["protocol"] == "not known: which images, how many and how prepared"
    direct = zoo.evaluate(
        "fake.npz",
        against="real.npz",
        options=zoo.EvaluationOptions(("fd",), 60, extractor="pooling"),
        plugins=[EXTRACTOR],
        progress=False,
    )
    assert direct[0]["scores"][0]["value"] == pytest.approx(expected, rel=1e-5)


def test_written_statistics_are_what_pytorch_fid_loads_and_say_how_they_were_measured(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", "ours.npz", "--extractor", "pooling", "--plugin", str(EXTRACTOR), "--split", "all"]
    main(["statistics", "real.npz", *words])
    assert "60 images in pooling" in capsys.readouterr().out
    with np.load("ours.npz") as arrays:  # pytorch-fid: m, s = f["mu"][:], f["sigma"][:]
        assert arrays["mu"] == pytest.approx(features(REAL).mean(0), rel=1e-5)
        assert arrays["sigma"] == pytest.approx(np.cov(features(REAL), rowvar=False), rel=1e-4, abs=1e-8)
    score = scored("ours.npz")
    assert (score["protocol"]["real"]["count"], score["protocol"]["real"]["protocol"]) == (60, "as the file says")
    with pytest.raises(zoo.ZooError, match="--extractor and --resize must be the same"):
        scored("ours.npz", resize="other")
    main(["evaluate", "fake.npz", "--against", "theirs.npz", "--extractor", "pooling", "--plugin", str(EXTRACTOR)])
    assert "the statistics in theirs.npz; their protocol is not known" in capsys.readouterr().out


def test_what_is_no_statistics_is_refused(files: Path) -> None:
    np.savez("wrong.npz", mu=np.zeros(3), sigma=np.zeros((2, 2)))
    np.savez("skewed.npz", mu=np.zeros(2), sigma=np.array([[1, 2], [0, 1]]))
    np.savez("small.npz", mu=np.zeros(2), sigma=np.eye(2))
    assert is_statistics(Path("wrong.npz"))
    assert not is_statistics(Path("real.npz"))
    for name, message in (
        ("wrong.npz", r"expected mu \(F,\) and sigma \(F, F\)"),
        ("skewed.npz", "is not symmetric"),
        ("small.npz", "is of 2 features, and 'pooling' gives 16"),
    ):
        with pytest.raises(zoo.ZooError, match=message):
            scored(name)
    assert read_statistics(Path("small.npz")).protocol is None
    with pytest.raises(zoo.ZooError, match="Statistics are an"):
        statistics_of("real.npz", "x.pkl", options=zoo.EvaluationOptions(extractor="pooling"), plugins=[EXTRACTOR])
