"""The benchmarks of evaluation: spoilings do what they say, verdicts follow, and reports are of what was measured."""

import json
from pathlib import Path

import numpy as np
import pytest

import zoo

ROOT = Path(zoo.__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "evaluation"
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="a wheel has no benchmarks")


@pytest.fixture(autouse=True)
def benchmarks_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def points(*values, reach=0.1, better="lower"):
    return [{"value": value, "interval": [value - reach, value + reach], "better": better} for value in values]


def test_a_blurred_dot_is_a_gaussian_of_that_width_and_edges_go_on():
    from benchmarks.evaluation.spoiling import blurred

    dot = np.zeros((1, 15, 15, 2), "uint8")
    dot[0, 7, 7, 0] = 250
    dot[..., 1] = 77
    spoiled = blurred(dot, 1)
    weights = np.exp(-np.square(np.arange(-4, 5)) / 2)
    weights /= weights.sum()
    expected = np.rint(250 * np.outer(weights, weights))
    np.testing.assert_allclose(spoiled[0, 3:12, 3:12, 0], expected, atol=1)
    assert (spoiled[..., 1] == 77).all()
    assert dot[0, 7, 7, 0] == 250


def test_noise_has_the_deviation_that_it_says_and_is_the_same_again():
    from benchmarks.evaluation.spoiling import noisy

    gray = np.full((700, 8, 8, 1), 128, "uint8")
    spoiled = noisy(gray, 10)
    assert np.std(spoiled) == pytest.approx(np.sqrt(10**2 + 1 / 12), rel=0.02)
    assert np.mean(spoiled) == pytest.approx(128, abs=0.2)
    np.testing.assert_array_equal(spoiled, noisy(gray, 10))
    assert (noisy(gray, 10, seed=1) != spoiled).any()


def test_noise_stops_at_black_and_white_rather_than_beginning_anew():
    from benchmarks.evaluation.spoiling import noisy

    assert noisy(np.full((50, 4, 4, 1), 255, "uint8"), 10).min() > 200
    assert noisy(np.zeros((50, 4, 4, 1), "uint8"), 10).max() < 55


def test_dropped_classes_leave_equal_shares_of_the_first_ones_without_repeats():
    from benchmarks.evaluation.spoiling import rows_of_classes

    labels = np.arange(100) % 10
    rows = rows_of_classes(labels, 4, 30)
    assert len(set(rows.tolist())) == 30
    assert np.bincount(labels[rows]).tolist() == [8, 8, 7, 7]


def test_repeated_rows_are_the_first_ones_equally_often():
    from benchmarks.evaluation.spoiling import copied_rows

    assert copied_rows(6, 50).tolist() == [0, 1, 2, 0, 1, 2]
    assert copied_rows(6, 1).tolist() == [0] * 6
    assert copied_rows(4, 100).tolist() == [0, 1, 2, 3]


def test_a_repeated_side_repeats_features_with_their_images():
    from benchmarks.evaluation.samples import rows_of
    from zoo.evaluation.metrics.contract import Side

    side = Side(np.arange(3, dtype="uint8").reshape(3, 1, 1, 1), features=np.array([[0.0], [10], [20]]))
    repeated = rows_of(side, np.array([2, 0, 2]))
    assert repeated.samples.ravel().tolist() == [2, 0, 2]
    assert repeated.features.ravel().tolist() == [20, 0, 20]
    assert repeated.logits is None


@pytest.mark.parametrize(
    ("series", "word"),
    [
        (points(1, 2, 3, 4), "yes"),
        (points(4, 3, 2, 1, better="higher"), "yes"),
        (points(1, 2, 1.9, 4), "within error"),
        (points(1, 1, 4), "within error"),
        (points(1, 1.1, 1.15, 1.19), "unmoved"),
        (points(1, 0.95, 0.9, 0.85), "unmoved"),
        (points(1, 3, 2, 4), "**no**"),
        (points(1, 2, 3, 4, better="higher"), "**no**"),
        ([point | {"interval": None} for point in points(1, 2, 3)], "yes"),
    ],
)
def test_a_verdict_follows_from_values_and_intervals(series, word):
    from benchmarks.evaluation.monotony import MEANING, verdict

    assert verdict(series) == word
    assert word in MEANING


def test_similarity_of_pairs_is_judged_by_how_far_it_is_from_the_real_ones():
    from benchmarks.evaluation.series import judged

    report = {"variants": [{"scores": [{"name": "ms-ssim_real", "value": 0.5}]}]}
    below, above = judged("ms-ssim", points(0.25, 0.75, reach=0.125, better=None), report)
    assert below == above == {"value": 0.25, "interval": (0.125, 0.375), "better": "lower"}


def test_parts_of_one_size_share_no_sample():
    from benchmarks.evaluation.bias import disjoint

    parts = disjoint(100, 7, "train", 0)
    assert [len(part) for part in parts] == [7] * 10
    assert len(np.unique(np.concatenate(parts))) == 70
    assert len(disjoint(100, 100, "train", 0)) == 1


def test_the_fitted_bias_is_found_again():
    from benchmarks.evaluation.bias_table import fit

    sizes = [{"count": count, "fd_mean": 3 + 500 / count} for count in (1000, 2000, 10_000)]
    limit, slope = fit([{"count": 10, "fd_mean": 0.0}, *sizes])
    assert (limit, slope) == (pytest.approx(3), pytest.approx(500))


def test_the_way_by_a_matrix_root_gives_the_worked_distance():
    from benchmarks.evaluation.worker import by_matrix_root

    real = np.array([[-1.0, 0], [1, 0], [0, -1], [0, 1]])  # covariance 2/3 of the identity
    assert by_matrix_root(real, 2 * real + 3) == pytest.approx(9 + 9 + 2 * 2 / 3, rel=1e-6)


def test_recorded_commands_name_no_folder_of_the_machine():
    from benchmarks.evaluation.report import without_folders

    assert without_folders("/a/folder/cifar.npz=CIFAR-10 (JPEG)") == "cifar.npz=CIFAR-10 (JPEG)"
    assert without_folders("--data-dir") == "--data-dir"


@pytest.mark.parametrize(
    ("kind", "module"), [("sanity", "sanity_table"), ("bias", "bias_table"), ("speed", "speed_table")]
)
def test_the_committed_tables_are_made_of_the_committed_numbers(kind, module):
    from importlib import import_module

    committed = sorted(RESULTS.glob(f"{kind}*.json"))
    assert committed
    for file in committed:
        report = json.loads(file.read_text())
        made = import_module(f"benchmarks.evaluation.{module}").markdown(report)
        assert made == file.with_suffix(".md").read_text()
        assert "/" not in report["command"]
