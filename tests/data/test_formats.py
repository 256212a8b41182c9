"""The field's files: each is checked against the tool that it comes from, or against its documentation."""

import csv
import gc
import json
import warnings
import zipfile
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo.catalogue import read_catalogue
from zoo.cli import main
from zoo.data import DataOptions, open_dataset
from zoo.data.formats import write_images
from zoo.errors import ZooError

IMAGES = np.random.default_rng(3).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2])
NAMES = ("cat", "dog", "eel")


@pytest.fixture
def opened(tmp_path: Path):
    def open_at(path: Path, **options):
        chosen = DataOptions("all", **options)
        return open_dataset(str(path), read_catalogue(), data_dir=tmp_path / "data", options=chosen)

    return open_at


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six pictures without labels."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, image in enumerate(IMAGES):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("labels", [LABELS, None])
@pytest.mark.parametrize("name", ["set.zip", "set"])
def test_nvlabs_files_are_named_as_their_tool_names_them_and_are_read_back(
    opened, tmp_path: Path, name: str, labels: np.ndarray | None
) -> None:
    write_images(IMAGES, labels, NAMES, tmp_path / name, "nvlabs")
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
            files = {each: archive.read(each) for each in archive.namelist()}
    else:
        folder = tmp_path / name
        files = {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*.*")}
    images = [f"00000/img0000000{number}.png" for number in range(6)]  # f"{idx:08d}"[:5] and its whole, dataset_tool.py
    assert set(files) == {*images, "dataset.json"}
    expected = None if labels is None else [[file, int(label)] for file, label in zip(images, labels, strict=True)]
    assert json.loads(files["dataset.json"]) == {"labels": expected}
    assert np.array_equal(np.asarray(Image.open(BytesIO(files[images[4]]))), IMAGES[4])
    dataset = opened(tmp_path / name)
    assert np.array_equal(dataset.samples, IMAGES)
    assert (dataset.labels is None) if labels is None else np.array_equal(dataset.labels, labels)


def test_adms_arrays_are_read_back_and_gray_images_have_three_channels(opened, tmp_path: Path) -> None:
    write_images(IMAGES[..., :1], LABELS, NAMES, tmp_path / "set.npz", "adm")
    with np.load(tmp_path / "set.npz") as arrays:
        assert arrays.files == ["arr_0", "arr_1"]  # evaluator.py: open_npz_array(path, "arr_0")
        assert (arrays["arr_0"].dtype, arrays["arr_0"].shape) == (np.uint8, (6, 8, 8, 3))
    dataset = opened(tmp_path / "set.npz")
    assert np.array_equal(dataset.samples, np.repeat(IMAGES[..., :1], 3, axis=3))
    assert np.array_equal(dataset.labels, LABELS)


def test_records_are_read_by_tensorflow(tmp_path: Path) -> None:
    write_images(IMAGES, LABELS, NAMES, tmp_path / "set.tfrecord", "tfrecord")
    features = {
        "image/encoded": tf.io.FixedLenFeature((), tf.string),
        "image/class/label": tf.io.FixedLenFeature((), tf.int64),
        "image/class/text": tf.io.FixedLenFeature((), tf.string),
    }
    rows = [
        tf.io.parse_single_example(each, features) for each in tf.data.TFRecordDataset(str(tmp_path / "set.tfrecord"))
    ]
    assert np.array_equal(np.stack([tf.io.decode_png(each["image/encoded"]).numpy() for each in rows]), IMAGES)
    assert [int(each["image/class/label"]) for each in rows] == LABELS.tolist()
    assert rows[0]["image/class/text"].numpy() == b"eel"


@pytest.mark.parametrize(
    ("images", "place", "kind", "message"),
    [
        (IMAGES[:, :, :7], "set.zip", "nvlabs", "square images of 1 or 3 channels"),
        (IMAGES, "set.zip", "adm", "A file of the format adm ends in .npz"),
        (np.zeros((3, 2), "float32"), "set.npz", "adm", "is for images, and these samples are points"),
        (IMAGES, "photos", "nvlabs", "exists: choose another place"),
    ],
)
def test_what_a_format_can_not_hold_is_refused(photos, tmp_path: Path, images, place, kind, message) -> None:
    with pytest.raises(ZooError, match=message):
        write_images(images, None, (), tmp_path / place, kind)


def rows_of(names) -> list[dict[str, str]]:
    return [
        {"file_name": f"{number}.png", "label": names[label], "year": "1999"} for number, label in enumerate(LABELS)
    ]


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_hugging_faces_metadata_says_what_their_own_reader_says(
    opened, photos: Path, tmp_path: Path, ending: str
) -> None:
    with (photos / f"metadata{ending}").open("w", newline="") as file:
        if ending == ".csv":
            writer = csv.DictWriter(file, ["file_name", "label", "year"])
            writer.writeheader()
            writer.writerows(rows_of(NAMES))
        else:
            file.writelines(f"{json.dumps(row)}\n" for row in rows_of(NAMES))
    dataset = opened(photos)
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        cache = str(tmp_path / "hf")
        theirs = datasets.load_dataset("imagefolder", data_dir=str(photos), split="train", cache_dir=cache)
        gc.collect()  # it leaves a table open, which no later test shall find
    by_pixels = {np.asarray(row["image"]).tobytes(): row["label"] for row in theirs}
    assert [dataset.class_names[label] for label in dataset.labels] == [
        by_pixels[image.tobytes()] for image in np.asarray(dataset.samples)
    ]
    assert dataset.class_names == NAMES
    assert "labels are the column 'label' of a table" in dataset.account
    assert opened(photos, label="year").class_names == ()  # numbers
    assert opened(photos, label="none").labels is None
    with pytest.raises(ZooError, match="are 'label' or 'year'"):
        opened(photos, label="colour")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photos/labels.json", {f"{number}.png": int(label) for number, label in enumerate(LABELS)}),
        ("photos/labels.json", [[f"{number}.png", int(label)] for number, label in enumerate(LABELS)]),
        ("photos.json", {"labels": {f"photos/{number}.png": int(label) for number, label in enumerate(LABELS)}}),
        ("photos.csv", "filename,class\n" + "".join(f"{number}.png,{label}\n" for number, label in enumerate(LABELS))),
    ],
)
def test_a_file_in_or_beside_the_folder_holds_its_labels(opened, photos: Path, name: str, content) -> None:
    (photos.parent / name).write_text(content if isinstance(content, str) else json.dumps(content))
    dataset = opened(photos)
    assert np.array_equal(dataset.labels, LABELS)
    assert dataset.class_names == ()


def test_a_table_that_lacks_images_is_refused_and_foreign_files_are_none(opened, photos: Path) -> None:
    (photos.parent / "photos.json").write_text('{"version": 3}')
    assert opened(photos).labels is None
    (photos / "labels.csv").write_text("file,label\n0.png,cat\n")
    with pytest.raises(ZooError, match=r"5 of 6 images have no 'label' in labels\.csv: 1\.png"):
        opened(photos)
    (photos / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ZooError, match=r"labels\.csv, which may hold labels, can't be read"):
        opened(photos)


def test_a_dataset_is_exported_by_command(tmp_path: Path, monkeypatch, capsys, opened) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "own.npz", samples=IMAGES, labels=LABELS, test_samples=IMAGES[:2], test_labels=LABELS[:2])
    main(["data", "export", "own.npz", "set.zip", "--format", "nvlabs", "--split", "test", "--data-dir", "data"])
    assert "set.zip" in capsys.readouterr().out
    assert np.array_equal(opened(tmp_path / "set.zip").samples, IMAGES[:2])
