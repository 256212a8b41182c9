"""A metric and an extractor from outside score images."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bringing import BROUGHT

QUARTERS = BROUGHT / "quarters.py"


@pytest.fixture
def flat(working_directory: Path) -> list[str]:
    """Two files of images: means of 11 everywhere, and of 14 but for one of four pixels, where it is 11."""
    real, fake = np.full((2, 2, 2, 1), 10, "uint8"), np.full((2, 2, 2, 1), 13, "uint8")
    real[1] += 2
    fake[1] += 2
    fake[:, 0, 0] = 11
    np.save("real.npy", real)
    np.save("fake.npy", fake)
    return ["evaluate", "fake.npy", "--against", "real.npy", "--json"]


@pytest.mark.parametrize("way", ["file", "section", "entry point"])
def test_a_metric_scores_as_worked_out_by_hand(way: str, flat: list[str], bring: Callable, zoo_command: Callable):
    words = bring(way, "metrics", BROUGHT / "pixel_mean.py")
    result = zoo_command(*flat, "--metrics", "pixel_mean", "--extractor", "quarters", *words, "--plugin", QUARTERS)
    assert result.code == 0, result.err
    (evaluation,) = json.loads(result.out)
    (score,) = evaluation["scores"]
    assert score["name"] == "pixel_mean"
    assert score["value"] == pytest.approx(np.sqrt(3 * 3**2))  # three pixels differ by 3
    assert score["better"] == "lower"
    assert score["protocol"]["extractor"] is None  # its numbers do not depend on one


def test_where_no_metric_is_named_those_from_outside_are_measured_too(
    images: Path, bring: Callable, zoo_command: Callable
):
    bring("entry point", "metrics", BROUGHT / "pixel_mean.py")
    fake = np.load(images)["samples"]
    np.save("fake.npy", fake)
    words = ("evaluate", "fake.npy", "--against", images, "--extractor", "quarters", "--plugin", QUARTERS, "--json")
    result = zoo_command(*words)
    assert result.code == 0, result.err
    names = [score["name"] for score in json.loads(result.out)[0]["scores"]]
    assert names == [
        *("fd_quarters", "kid_quarters", "precision_quarters", "recall_quarters", "density_quarters"),
        *("coverage_quarters", "swd", "swd_16", "ms-ssim", "ms-ssim_real", "pixel_mean"),
    ]


@pytest.mark.parametrize("way", ["file", "plugins"])
def test_an_extractor_gives_its_name_and_protocol_to_scores(
    way: str, images: Path, bring: Callable, zoo_command: Callable
):
    words = bring(way, "extractors", QUARTERS)
    np.save("fake.npy", np.load(images)["samples"])
    result = zoo_command(
        *("evaluate", "fake.npy", "--against", images, "--metrics", "fd", "--extractor", "quarters", "--json", *words)
    )
    assert result.code == 0, result.err
    (score,) = json.loads(result.out)[0]["scores"]
    assert score["name"] == "fd_quarters"
    assert score["protocol"]["extractor"] == {
        "name": "quarters",
        "sha256": "none",
        "preparation": "means of the four quarters in [0, 1]",
    }


def test_quarters_are_means_as_worked_out_by_hand() -> None:
    namespace: dict = {}
    exec(QUARTERS.read_text(), namespace)
    image = np.array([[0, 2, 8, 8], [4, 6, 8, 8], [1, 1, 255, 255], [1, 1, 255, 255]], "uint8")[None, ..., None]
    (found,) = namespace["Quarters"]().features(image).features
    np.testing.assert_allclose(found, np.array([3, 8, 1, 255]) / 255, rtol=1e-6)
