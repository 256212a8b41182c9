"""A data set is what it holds, whatever it is called and wherever it, the run and the working directory lie."""

import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import zoo
from zoo.base.names import dataset_folder, short_name
from zoo.comparison.candidates import Candidate
from zoo.comparison.comparing import folder_in
from zoo.comparison.plan import Plan, Setup
from zoo.comparison.results import dataset_names
from zoo.errors import ZooWarning
from zoo.runs.finding import default_path, find_runs, run_folders

Words = Callable[..., list[str]]


@pytest.fixture
def photos(working_directory: Path) -> Path:
    """Random images in a file of this working directory: 40 to train on, 20 to score against."""
    (working_directory / "home").mkdir()
    os.chdir("home")
    draw = np.random.default_rng(7)
    counts = {"samples": 40, "test_samples": 20}
    np.savez("photos.npz", **{name: draw.integers(0, 256, (n, 16, 16, 1), dtype="uint8") for name, n in counts.items()})
    return Path("photos.npz").absolute()


def begun() -> list[str]:
    """The run directories as `ls` and globs see them."""
    return sorted(str(each) for each in Path("runs").glob("[!.]*/[!.]*/*"))


def as_earlier(run: Path, name: str) -> None:
    """Writes run.yaml as version 0.1 did, which kept the spelling of a path and nothing else."""
    record = yaml.safe_load((run / "run.yaml").read_text())
    for key in ("path", "path_from_run"):
        del record["dataset"][key]
    record["dataset"]["name"] = name
    (run / "run.yaml").write_text(yaml.safe_dump(record, sort_keys=False))


def test_every_spelling_of_a_path_is_one_data_set(photos: Path, zoo_command, tiny_words: Words):
    Path("link.npz").symlink_to(photos)
    spellings = ["photos.npz", "./photos.npz", photos, f"../{photos.parent.name}/photos.npz", "./link.npz"]
    for dataset in spellings:
        result = zoo_command(*tiny_words("--steps", 1, dataset=dataset))
        assert result.code == 0, result.err
        assert ("Nothing to do" in result.err) == (dataset != spellings[0]), dataset
    (only,) = begun()
    assert only.startswith("runs/vanilla/photos.npz-")


def test_two_data_sets_of_one_last_name_have_a_directory_each():
    folders = [default_path("dcgan", f"/{place}/photos", 0) for place in ("a", "b")]
    assert len({*folders, default_path("dcgan", "photos", 0)}) == 3
    for name in ("/a/.photos", "/a/Über uns", "/a/\udcff\n", "/", "/a/" + "服" * 80, "./photos", "..."):
        folder = dataset_folder(name)
        assert not folder.startswith(".")
        assert len(os.fsencode(folder)) < 255
        assert "/" not in folder
    assert dataset_folder("/a/Über uns").startswith("Über_uns-")


def test_an_earlier_run_in_a_hidden_directory_is_found_and_goes_on(
    photos: Path, zoo_command, tiny_words: Words, monkeypatch: pytest.MonkeyPatch
):
    assert zoo_command(*tiny_words("--steps", 1, dataset=photos)).code == 0
    (new,) = Path("runs/vanilla").iterdir()
    old = new.rename(new.with_name(".%2Fphotos.npz"))
    as_earlier(old / "0", "./photos.npz")
    assert find_runs(Path("runs")) == [old / "0"]
    result = zoo_command(*tiny_words("--steps", 2, dataset=photos))
    assert f"Continuing {old / '0'} from step 1." in result.err
    assert list(Path("runs/vanilla").iterdir()) == [old]
    record = yaml.safe_load((old / "0" / "run.yaml").read_text())["dataset"]
    assert record["path"] == record["name"] == str(photos)  # so that it is found from anywhere
    as_earlier(old / "0", "./photos.npz")
    run = old.absolute() / "0"
    monkeypatch.chdir("/")
    assert zoo.load(run).held_out.count == 20


def test_a_run_is_scored_from_any_folder(photos: Path, zoo_command, tiny_words: Words, tmp_path: Path):
    assert zoo_command(*tiny_words("--steps", 1, "--out", "run", dataset="./photos.npz")).code == 0
    os.chdir(tmp_path)
    result = zoo_command("evaluate", "home/run", "--metrics", "swd", "--samples", 20)
    assert result.code == 0, result.err


def test_data_that_was_moved_is_found_or_named_anew(photos: Path, zoo_command, tiny_words: Words, tmp_path: Path):
    assert zoo_command(*tiny_words("--steps", 1, "--out", "run", dataset="photos.npz")).code == 0
    score = ("evaluate", "run", "--metrics", "swd", "--samples", 20)
    os.chdir(photos.parent.rename(tmp_path / "moved"))  # data and run together
    assert zoo_command(*score).code == 0
    Path("run").rename("../run")
    os.chdir(tmp_path)
    lost = zoo_command(*score)
    assert lost.code == 2
    assert lost.err.splitlines()[-1].endswith("Say where it lies now: --dataset PATH.")
    found = zoo_command(*score, "--dataset", "moved/photos.npz")
    assert found.code == 0
    assert "not to be had" not in found.err  # it is known to be what was trained on
    with pytest.raises(zoo.ZooError, match="not to be found"):
        _ = zoo.load("run").held_out
    assert zoo.load("run", "moved/photos.npz").held_out.count == 20
    Path("moved/photos.npz").rename("photos.npz")  # in the working directory
    assert zoo_command(*score).code == 0


def test_other_data_of_the_same_name_is_not_taken_for_it(photos: Path, zoo_command, tiny_words: Words):
    assert zoo_command(*tiny_words("--steps", 1, "--out", "run", dataset="photos.npz")).code == 0
    photos.rename("away.npz")
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    np.savez("photos.npz", samples=np.zeros((40, 16, 16, 1), "uint8"))
    with pytest.raises(zoo.ZooError, match="not to be found"):
        _ = zoo.load("../run").held_out


def test_moved_data_continues_its_run(photos: Path, zoo_command, tiny_words: Words):
    assert zoo_command(*tiny_words("--steps", 1, dataset="photos.npz")).code == 0
    (before,) = begun()
    Path("deeper").mkdir()
    photos.rename("deeper/faces.npz")
    result = zoo_command(*tiny_words("--steps", 2, dataset="deeper/faces.npz"))
    assert f"Continuing {before} from step 1." in result.err
    assert begun() == [before]


def test_a_report_calls_data_by_its_last_name_and_moved_data_is_one_data_set():
    def record(path: str, fingerprint: str) -> dict:
        return {"dataset": {"name": path, "path": path, "fingerprint": fingerprint}}

    records = [record("/a/photos", "1"), record("/b/photos", "1"), record("/c/photos", "2"), None]
    cells = [{"dataset": each} for each in ("/a/photos", "/b/photos", "/c/photos", "mnist")]
    called = dataset_names(cells, records)
    names = [cell["dataset"] for cell in cells]
    assert names[0] == names[1] == dataset_folder("/a/photos")
    assert names[2:] == [dataset_folder("/c/photos"), "mnist"]
    assert called == dict(zip(("/a/photos", "/b/photos", "/c/photos", "mnist"), names, strict=True))
    cells = [{"dataset": "./photos"}, {"dataset": "/a/photos"}]
    dataset_names(cells, [{"dataset": {"name": "./photos", "fingerprint": "1"}}, records[0]])
    assert [cell["dataset"] for cell in cells] == ["photos", "photos"]
    assert short_name("cifar10/plain") == "cifar10/plain"


def test_runs_behind_links_are_found_once(tmp_path: Path):
    for name in ("disk/dcgan/photos/0", "disk/dcgan/.hidden/0", "disk/dcgan/photos/0/inside"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.yaml").write_text("")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "dcgan").symlink_to(tmp_path / "disk" / "dcgan")
    (tmp_path / "disk" / "dcgan" / "photos" / "1").symlink_to(tmp_path / "runs")  # a circle
    assert list(run_folders(tmp_path / "runs")) == [tmp_path / "runs/dcgan/photos/0"]


def test_an_earlier_comparison_goes_on_in_its_directories(finished: zoo.Run, images: Path, tmp_path: Path):
    setup = Setup({"steps": 1}, 1, ("swd",), 20)
    plan = Plan("c", [Candidate("vanilla", ())], [str(images)], range(1), setup, tmp_path)
    old = tmp_path / "runs" / "vanilla" / "..%2Fimages.npy" / "0"
    shutil.copytree(finished.path, old)
    as_earlier(old, "../images.npy")
    fingerprint = finished.record["dataset"]["fingerprint"]
    assert folder_in(plan, str(images), "of other images") == dataset_folder(str(images))
    assert folder_in(plan, str(images), fingerprint) == old.parent.name
    goes_on = replace(plan, folders={str(images): old.parent.name})
    assert [cell.path for cell in goes_on.cells()] == [old]
    assert [cell.path for cell in plan.cells()] == [old.parent.with_name(dataset_folder(str(images))) / "0"]


@pytest.mark.parametrize("split", ["all", "train", "train+test[:50%]", "train[:50%]"])
def test_samples_that_were_trained_on_are_not_passed_off_as_held_out(
    split: str, photos: Path, zoo_command, tiny_words: Words
):
    assert zoo_command(*tiny_words("--steps", 1, "--split", split, "--out", "run", dataset="photos.npz")).code == 0
    run = zoo.load("run")
    if split in ("train", "train[:50%]"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert run.held_out.count == 20
        assert run.data.held_out().count == 20
    else:
        with pytest.warns(ZooWarning, match="its test split among it: the generator has seen these samples"):
            assert run.held_out.count == 20
        assert run.data.held_out() is None  # so `zoo augment --with-real` keeps no such images as test images
