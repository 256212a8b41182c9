from pathlib import Path

import pytest

from zoo.base.names import folder_name, name_of_folder
from zoo.errors import ZooError
from zoo.runs.finding import default_path

NAMES = [
    "dcgan",
    "dcgan+wgan_gp+r1",
    "wgan-gp",
    "a/b",
    "a%2Fb",
    "a%252Fb",
    "cifar10/plain_text:3.*.*",
    "mnist[train]",
    "./images.npy",
    "../images.npy",
    "images.npy",
    "/data/faces of friends",
    "~/faces",
    "C:\\faces",
    ".",
    "..",
    "...",
    "%2E",
    "%2E%2E",
    "a b",
    "a+b",
    "a%2Bb",
    "a%20b",
    "Kleider & Gewänder",
    "服",
    "a\nb",
    "*?<>|\"'",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_becomes_one_folder_and_comes_back(name: str, tmp_path: Path):
    folder = folder_name(name)
    assert name_of_folder(folder) == name
    path = tmp_path / folder
    path.mkdir()
    assert [each.name for each in tmp_path.iterdir()] == [folder]


def test_different_names_become_different_folders():
    assert len({folder_name(name) for name in NAMES}) == len(NAMES)


def test_simple_names_stay_readable():
    assert default_path("dcgan+r1", "fashion_mini", 3) == Path("runs/dcgan+r1/fashion_mini/3")


def test_no_name_leads_out_of_runs(tmp_path: Path):
    for name in NAMES:
        inside = (tmp_path / default_path(name, name, 0)).resolve()
        assert len(inside.relative_to(tmp_path.resolve() / "runs").parts) == 3


def test_a_name_that_no_file_system_takes_is_refused_with_the_way_out():
    with pytest.raises(ZooError, match=r"too long for a folder.*--out DIR"):
        folder_name("x" * 256)
