import gzip
import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo.data.fashion_mini
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, open_dataset

FOLDER = Path(zoo.data.fashion_mini.__file__).parent


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("fashion_mini")


@pytest.fixture(scope="module")
def splits(data_dir):
    return {
        split: open_dataset("fashion_mini", read_catalogue(), data_dir=data_dir, options=DataOptions(split=split))
        for split in SIZES
    }


SIZES = {"train": 10_000, "test": 2_000}


def test_there_are_10000_training_and_2000_test_images_of_28_pixels(splits):
    assert {split: dataset.samples.shape for split, dataset in splits.items()} == {
        split: (count, 28, 28, 1) for split, count in SIZES.items()
    }
    assert all(dataset.samples.dtype == np.uint8 for dataset in splits.values())


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_rows_are_the_stored_images_in_their_order(splits, split, prefix):
    images = gzip.decompress((FOLDER / f"{prefix}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((FOLDER / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())
    assert splits[split].samples.tobytes() == images[16:]
    assert splits[split].labels.tolist() == list(labels[8:])


def test_labels_are_garments(splits):
    # The first labels of the original: 9 0 0 3 0 and 9 2 1 1 6.
    assert splits["train"].labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert splits["test"].labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert splits["train"].classes == 10
    assert splits["train"].class_names[9] == "Ankle boot"
    assert splits["train"].class_names[:2] == ("T-shirt/top", "Trouser")


def test_no_test_image_is_a_training_image(splits):
    train, test = ({image.tobytes() for image in splits[split].samples} for split in SIZES)
    assert not train & test


def test_its_source_is_recorded(splits):
    assert splits["train"].description["source"] == "embedded fashion_mini"


def test_a_fresh_process_prepares_and_finds_it_without_tensorflow_and_prints_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path; from zoo.catalogue import read_catalogue\n"
        "from zoo.data import open_dataset\n"
        "open_dataset('fashion_mini', read_catalogue(), data_dir=Path(sys.argv[1]))\n"
        "assert not {'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules)"
    )
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_script_takes_the_first_images_and_labels_of_each_original_file(tmp_path):
    spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    images = struct.pack(">IIII", 0x803, 3, 2, 2) + bytes(range(12))
    labels = struct.pack(">II", 0x801, 3) + bytes([7, 8, 9])
    assert make.first_images(images, 2) == struct.pack(">IIII", 0x803, 2, 2, 2) + bytes(range(8))
    assert make.first_labels(labels, 2) == struct.pack(">II", 0x801, 2) + bytes([7, 8])


def test_licence_and_source_stand_beside_the_files():
    assert "Zalando SE" in (FOLDER / "LICENSE").read_text()
    assert "arxiv.org/abs/1708.07747" in (FOLDER / "SOURCE.md").read_text()
