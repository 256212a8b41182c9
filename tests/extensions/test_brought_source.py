"""A dataset source from outside reads .csv files: prepared, trained on, and scored against."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bringing import BROUGHT

import zoo
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, open_dataset

FILE = BROUGHT / "csv_points.py"
TINY = ("generator_units=4", "discriminator_units=4", "batch_size=4", "latent_size=2")
POINTS = np.array([[number, -2.0 * number, 0.5] for number in range(1, 121)])


@pytest.fixture
def csv(working_directory: Path) -> Path:
    path = working_directory / "points.csv"
    np.savetxt(path, POINTS, delimiter=",")
    return path


@pytest.mark.parametrize("way", ["file", "section", "plugins", "entry point"])
@pytest.mark.parametrize("name", ["points.csv", "csv_points:points.csv", "./points.csv"])
def test_a_file_is_prepared_in_original_units(way: str, name: str, csv: Path, bring: Callable, tmp_path: Path):
    words = bring(way, "sources", FILE)
    catalogue = read_catalogue([Path(each) for each in words[1:]])
    opened = open_dataset(name, catalogue, data_dir=tmp_path / "data", options=DataOptions(split="all"))
    np.testing.assert_allclose(opened.samples * opened.scale, POINTS, rtol=1e-6)
    assert opened.scale == 240.0
    assert np.abs(opened.samples).max() == 1
    assert opened.labels is None
    held_out = open_dataset(name, catalogue, data_dir=tmp_path / "data", options=DataOptions(split="test"))
    assert held_out.count == 12


def test_a_dataset_of_a_registry_may_name_its_source(csv: Path, working_directory: Path, tmp_path: Path):
    (working_directory / "registry.yaml").write_text(
        f"sources:\n  csv_points: {{file: {FILE}}}\n"
        "datasets:\n"
        "  by_path: {source: csv-points, path: points.csv, epochs: 3}\n"
        "  by_reference: {source: csv_points, reference: points.csv}\n"
    )
    for name in ("by_path", "by_reference"):
        found = open_dataset(name, read_catalogue(), data_dir=tmp_path / "data")
        assert (found.name, found.count, found.sample_shape) == (name, 108, (3,))


def test_a_changed_file_is_prepared_anew(csv: Path, tmp_path: Path):
    catalogue = read_catalogue([FILE])
    name = f"csv_points:{csv}"
    before = open_dataset(name, catalogue, data_dir=tmp_path / "data")
    assert open_dataset(name, catalogue, data_dir=tmp_path / "data").fingerprint == before.fingerprint
    np.savetxt(csv, POINTS + 1, delimiter=",")
    assert open_dataset(name, catalogue, data_dir=tmp_path / "data").fingerprint != before.fingerprint


@pytest.mark.parametrize("way", ["file", "entry point"])
def test_a_run_trains_on_it_and_is_scored(way: str, csv: Path, bring: Callable, tmp_path: Path, data_dir: Path):
    plugins = bring(way, "sources", FILE)[1:]
    options = {"data_dir": data_dir, "plugins": plugins, "progress": False}
    run = zoo.run("vanilla", dataset="points.csv", budget=zoo.Budget(steps=2), settings=TINY, out="run", **options)
    assert run.record["dataset"]["sample_shape"] == [3]
    assert run.record["dataset"]["description"]["source"] == f"csv {csv}"
    assert run.sample(5).shape == (5, 3)
    asked = zoo.EvaluationOptions(("swd",), samples=10, data_dir=data_dir)
    (evaluation,) = zoo.evaluate(run, options=asked, plugins=plugins, progress=False)
    assert evaluation["scores"][0]["protocol"]["real"]["count"] == 10


def test_what_the_source_refuses_is_said_by_it(csv: Path, zoo_command: Callable):
    words = ("run", "vanilla", "--dataset", "points.csv", "--plugin", FILE)
    refused = zoo_command(*words, "--image-size", "8")
    assert (refused.code, refused.err.splitlines()[-1]) == (
        2,
        f"Error: {csv} holds points: --image-size means nothing for it. Leave it out.",
    )
    csv.write_text("a,b\n")
    assert f"Error: {csv} holds other things than coordinates: " in zoo_command(*words).err


def test_a_path_that_no_source_from_outside_reads_goes_to_the_zoos_own(images: Path, tmp_path: Path):
    opened = open_dataset(str(images), read_catalogue([FILE]), data_dir=tmp_path / "data")
    assert opened.sample_shape == (16, 16, 1)


def test_a_reference_that_a_source_does_not_read_is_refused(zoo_command: Callable, working_directory: Path):
    result = zoo_command("run", "vanilla", "--dataset", "csv_points:points.txt", "--plugin", FILE)
    assert result.err.splitlines()[-1] == "Error: The source 'csv_points' has no dataset 'points.txt'."
