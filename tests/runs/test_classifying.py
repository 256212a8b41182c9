"""zoo classify: what is trained on and tested with, classes told by their names, intervals, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.stats import t

from zoo import ZooError
from zoo.base.progress import Silent
from zoo.catalogue import read_catalogue
from zoo.cli import cli
from zoo.cli.classification import classified_lines
from zoo.evaluation import classifying
from zoo.evaluation.classifier import Teaching, taught
from zoo.evaluation.classifying import Classification, classified, interval

SHORT = Teaching(steps=30, batch=16, width=4)


def pictures(labels: np.ndarray) -> np.ndarray:
    """Gray images (N, 8, 8, 1) as bright as their class says, with noise."""
    noise = np.random.default_rng(0).integers(0, 40, (len(labels), 8, 8, 1))
    return (noise + 100 * labels[:, None, None, None]).astype(np.uint8)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Real images of three classes: 12 to train on, 9 to test with."""
    labels, test_labels = np.repeat([0, 1, 2], 4), np.repeat([0, 1, 2], 3)
    samples = {"samples": pictures(labels), "test_samples": pictures(test_labels)}
    np.savez(tmp_path / "real.npz", **samples, labels=labels, test_labels=test_labels)
    return tmp_path / "real.npz"


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A folder of nine test images of the three classes, called by their names."""
    for number, folder in enumerate(("Bag", "T-shirt_top", "Coat")):
        (tmp_path / "named" / "test" / folder).mkdir(parents=True)
        for row, image in enumerate(pictures(np.full(3, number))):
            Image.fromarray(image[..., 0]).save(tmp_path / "named" / "test" / folder / f"{row}.png")
    return tmp_path / "named"


@pytest.fixture
def made(tmp_path: Path, real: Path) -> Path:
    """A folder as `zoo augment` writes it, of two of the classes, 20 images each."""
    for number, folder in ((1, "1-T-shirt_top"), (2, "2-Coat")):
        (tmp_path / "made" / folder).mkdir(parents=True)
        for row, image in enumerate(pictures(np.full(20, number))):
            Image.fromarray(image[..., 0]).save(tmp_path / "made" / folder / f"generated-{row:06}.png")
    manifest = {"trained_on": {"name": str(real)}, "generated": 40, "test": 0}
    (tmp_path / "made" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path / "made"


def report_of(train: Path, test: Path | None = None, **options: object) -> dict:
    wanted = Classification(str(train), None if test is None else str(test), teaching=SHORT, data_dir=train.parent)
    return classified(replace(wanted, **options), read_catalogue(), Silent())


def test_a_set_of_some_classes_is_trained_on_whole_and_tested_by_the_names_of_its_classes(
    made: Path, real: Path, named: Path
) -> None:
    of_named = report_of(made, named, test_split="all")
    assert [(each["name"], each["trained"], each["tested"]) for each in of_named["classes"]] == [
        ("Bag", 0, 3),
        ("Coat", 20, 3),
        ("T-shirt_top", 20, 3),
    ]
    report = report_of(made, real, seeds=2)
    assert (report["train"]["count"], report["train"]["split"]) == (40, "all")
    assert (report["test"]["count"], report["test"]["split"]) == (9, "test")
    assert [(each["trained"], each["tested"]) for each in report["classes"]] == [(0, 3), (20, 3), (20, 3)]
    unseen, *seen = (each["accuracy"] for each in report["classes"])
    assert (unseen, seen) == (0, [1, 1])  # what it never saw it never says, and brightness is easy
    assert report["accuracy"] == pytest.approx(2 / 3)
    text = classified_lines(report)
    assert "made: 40 images of all, tested with 9 of test of real.npz" in text
    assert "accuracy 0.667   95% 0.667 to 0.667, over 2 seeds" in text


def test_without_other_test_images_those_of_the_data_are_taken(real: Path) -> None:
    report = report_of(real)
    assert (report["train"]["count"], report["train"]["split"], report["test"]["count"]) == (12, "train", 9)
    assert [each["trained"] for each in report["classes"]] == [4, 4, 4]
    assert report["accuracies"] == [report["accuracy"]]


def test_intervals_are_of_seeds_or_of_one_seeds_test_images() -> None:
    low, high = interval([0.7, 0.8, 0.9], 100)
    reach = t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert (low, high) == pytest.approx((0.8 - reach, 1.0))
    assert interval([0.5], 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)  # Wilson's


def test_what_can_not_be_tested_is_refused(made: Path, named: Path, tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"made holds no real test images: .*, --test .*real\.npz"):
        report_of(made)
    (made / "2-Coat").rename(made / "2-Hat")
    with pytest.raises(
        ZooError, match=r"made has the classes 2-Hat, which named lacks: its classes are Bag, Coat, T-shirt"
    ):
        report_of(made, named, test_split="all")
    np.savez(tmp_path / "bare.npz", samples=pictures(np.zeros(12, int)))
    with pytest.raises(ZooError, match=r"bare\.npz has no labels to learn or to test"):
        report_of(tmp_path / "bare.npz")


def test_the_command_prints_json_for_scripts(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifying, "taught", lambda *words, **told: taught(*words[:4], SHORT, **told))
    words = ["classify", str(real), "--seeds", "2", "--data-dir", str(real.parent), "--json"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    report = json.loads(done.stdout)
    assert len(report["accuracies"]) == 2
    assert report["classifier"]["network"]
