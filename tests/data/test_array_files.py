import gzip
import json
import struct
import tracemalloc

import numpy as np
import pytest
from bare import BARE
from PIL import Image

from zoo import ZooError
from zoo.data import DataOptions, open_dataset
from zoo.data.sources import array_file, idx
from zoo.training.trainer import Trainer

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 256, (30, 8, 8), dtype=np.uint8)
LABELS = DRAW.permutation(30) % 10
TRAIN, TEST = slice(20), slice(20, 30)


@pytest.fixture
def opened(tmp_path):
    def opened(path, split="train", **options):
        chosen = DataOptions(split=split, **options)
        return open_dataset(str(path), BARE, data_dir=tmp_path / "data", options=chosen)

    return opened


@pytest.fixture
def meta(tmp_path):
    """The meta.json of the set that was prepared last."""

    def meta():
        files = (tmp_path / "data" / "zoo").glob("[!.]*/meta.json")
        return json.loads(max(files, key=lambda file: file.stat().st_mtime_ns).read_text())

    return meta


@pytest.fixture(params=[np.savez, np.savez_compressed], ids=["unpacked", "packed"])
def saved(request, tmp_path):
    """Saves arrays as an .npz, packed or not."""

    def saved(**named):
        request.param(tmp_path / "arrays.npz", **named)
        return tmp_path / "arrays.npz"

    return saved


def test_arrays_that_could_be_labels_are_told_where_some_are_needed(opened, tmp_path, make_stack):
    rows = np.arange(20)
    np.savez(tmp_path / "own.npz", samples=IMAGES[TRAIN], kind=rows % 3, weight=rows / 2, few=rows[:5], one=np.array(3))
    dataset = opened(tmp_path / "own.npz")
    assert dataset.labels is None
    with pytest.raises(
        ZooError, match=r"needs classes.* own.npz has labels to choose from: --label with one of kind\.$"
    ):
        Trainer(make_stack("vanilla+cgan"), dataset)
    assert opened(tmp_path / "own.npz", label="kind").classes == 3


def of_keras():
    return {"x_train": IMAGES[TRAIN], "y_train": LABELS[TRAIN], "x_test": IMAGES[TEST], "y_test": LABELS[TEST]}


def ours():
    return {
        "samples": IMAGES[TRAIN],
        "labels": LABELS[TRAIN],
        "test_samples": IMAGES[TEST],
        "test_labels": LABELS[TEST],
    }


@pytest.mark.parametrize("named", [of_keras, ours])
def test_both_spellings_bring_two_splits_with_their_labels(opened, saved, named):
    path = saved(**named())
    for split, rows in (("train", TRAIN), ("test", TEST), ("all", slice(30))):
        dataset = opened(path, split)
        assert np.array_equal(dataset.samples[..., 0], IMAGES[rows])
        assert np.array_equal(dataset.labels, LABELS[rows])
        assert dataset.classes == 10
        assert dataset.description["division"] is None


@pytest.mark.parametrize("named", [of_keras, ours])
def test_images_and_labels_named_as_in_training_are_found_in_each_split(opened, saved, named):
    samples, labels, *_ = named()
    path = saved(**named())
    for split, rows in (("train", TRAIN), ("test", TEST), ("all", slice(30))):
        dataset = opened(path, split, image_key=samples, label=labels)
        assert np.array_equal(dataset.samples[..., 0], IMAGES[rows])
        assert np.array_equal(dataset.labels, LABELS[rows])


def test_the_order_and_number_of_arrays_and_foreign_ones_beside_them_do_not_matter(opened, saved):
    named = {"zzz": np.zeros(3), **dict(reversed(of_keras().items())), "aaa": np.array("text")}
    assert np.array_equal(opened(saved(**named), "test").samples[..., 0], IMAGES[TEST])


def test_packed_and_unpacked_arrays_are_the_same_data(opened, tmp_path):
    np.savez(tmp_path / "unpacked.npz", **of_keras())
    np.savez_compressed(tmp_path / "packed.npz", **of_keras())
    for split in ("train", "test", "all[3:27]"):
        fingerprints = {opened(tmp_path / f"{name}.npz", split).fingerprint for name in ("unpacked", "packed")}
        assert len(fingerprints) == 1


@pytest.mark.parametrize(
    ("split", "rows"),
    [
        ("train[3:7]", [3, 4, 5, 6]),
        ("train[-2:]", [18, 19]),
        ("test[:50%]", [20, 21, 22, 23, 24]),
        ("all[18:22]", [18, 19, 20, 21]),
        ("test[1:3]+train[:2]", [21, 22, 0, 1]),
        ("train[4:5]+train[2:3]+train[4:6]", [4, 2, 4, 5]),
    ],
)
def test_a_part_has_its_rows_and_their_labels(opened, saved, split, rows):
    dataset = opened(saved(**of_keras()), split)
    assert np.array_equal(dataset.samples[..., 0], IMAGES[rows])
    assert np.array_equal(dataset.labels, LABELS[rows])


@pytest.mark.parametrize("block", [1, 64, 65, 200, 1000])
def test_the_size_of_the_blocks_that_are_read_does_not_matter(opened, saved, tmp_path, monkeypatch, block):
    monkeypatch.setattr(array_file, "BLOCK", block)
    path = saved(**of_keras())
    for split, rows in (("train", [*range(20)]), ("all[7:23]", [*range(7, 23)])):
        dataset = opened(path, split)
        assert np.array_equal(dataset.samples[..., 0], IMAGES[rows])
        assert np.array_equal(dataset.labels, LABELS[rows])
    points = DRAW.normal(size=(50, 3))
    np.save(tmp_path / "points.npy", points)
    dataset = opened(tmp_path / "points.npy", "all[5:45]")
    assert dataset.samples * dataset.scale == pytest.approx(points[5:45], rel=1e-5)


def test_memory_is_bounded_whatever_the_size_of_the_file(opened, saved, monkeypatch):
    monkeypatch.setattr(array_file, "BLOCK", 2**18)
    path = saved(samples=np.zeros((2**12, 64, 64), np.uint8))  # 16 MiB
    tracemalloc.start()
    try:
        opened(path, "all")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_a_held_out_test_split_has_the_labels_of_its_rows(opened, saved):
    path = saved(samples=IMAGES, labels=LABELS)
    by_image = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    counts = []
    for split in ("train", "test"):
        dataset = opened(path, split)
        assert dataset.labels.tolist() == [by_image[image.tobytes()] for image in dataset.samples]
        counts.append(dataset.count)
    assert counts == [27, 3]


def test_labels_may_be_any_other_array(opened, saved, meta):
    fine = np.arange(30) % 7
    path = saved(**ours(), fine=fine[TRAIN], test_fine=fine[TEST])
    for split, rows in (("train", TRAIN), ("test", TEST), ("all", slice(30))):
        assert np.array_equal(opened(path, split, label="fine").labels, fine[rows])
        assert (meta()["options"]["label"], meta()["description"]["label"]) == ("fine", "fine")
    assert opened(path, label="fine").classes == 7


def test_labels_may_be_left_out(opened, saved, meta):
    dataset = opened(saved(**of_keras()), label="none")
    assert dataset.labels is dataset.classes is None
    assert (meta()["options"]["label"], meta()["defaults"]["label"]) == (None, "y_train")


def test_a_split_without_labels_is_recorded_as_having_none(opened, saved, meta):
    path = saved(samples=IMAGES[TRAIN], labels=LABELS[TRAIN], test_samples=IMAGES[TEST])
    for split, label in (("train", "labels"), ("test", None), ("all", None)):
        dataset = opened(path, split)
        assert (dataset.labels is None) == (label is None)
        assert meta()["options"]["label"] == meta()["defaults"]["label"] == label


def test_labels_that_are_not_there_are_an_error_with_what_there_is(opened, saved):
    path = saved(**of_keras())
    with pytest.raises(ZooError, match=r"Unknown array in .*'fine'. Available: x_test, x_train, y_test, y_train"):
        opened(path, label="fine")


@pytest.mark.parametrize(
    "labels",
    [LABELS[:, None], LABELS.astype(np.uint8), LABELS.astype(">i2"), LABELS.astype(np.uint64)],
    ids=["column", "bytes", "big-endian", "unsigned"],
)
def test_labels_of_any_whole_kind_are_read(opened, saved, labels):
    dataset = opened(saved(samples=IMAGES, labels=labels), "all")
    assert np.array_equal(dataset.labels, LABELS)
    assert dataset.labels.dtype == np.int64


def test_true_and_false_are_the_labels_1_and_0(opened, saved):
    assert np.array_equal(opened(saved(samples=IMAGES, labels=LABELS > 4), "all").labels, LABELS > 4)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (LABELS / 2, r"must be 30 whole numbers, one for each sample. Received: float64 \(30,\)"),
        (np.eye(30, dtype=np.uint8), r"must be 30 whole numbers.*Received: uint8 \(30, 30\)"),
        (LABELS[:-1], r"must be 30 whole numbers.*Received: int64 \(29,\)"),
        (np.array(["a"] * 30), r"must be 30 whole numbers.*Received: <U1 \(30,\)"),
        (LABELS * 2 - 1, r"'labels' in .* has labels below 0. Number the classes from 0, or --label none"),
    ],
)
def test_labels_that_are_no_numbers_of_classes_are_refused(opened, saved, labels, why):
    with pytest.raises(ZooError, match=why):
        opened(saved(samples=IMAGES, labels=labels))


def test_images_may_be_in_an_array_of_any_name(opened, saved):
    other = 255 - IMAGES
    path = saved(**ours(), inverted=other[TRAIN], test_inverted=other[TEST])
    for split, rows in (("train", TRAIN), ("test", TEST)):
        dataset = opened(path, split, image_key="inverted")
        assert np.array_equal(dataset.samples[..., 0], other[rows])
        assert np.array_equal(dataset.labels, LABELS[rows])
    with pytest.raises(ZooError, match=r"Unknown array in .*'invertd'.*Did you mean 'inverted'"):
        opened(path, image_key="invertd")


def test_a_file_without_samples_is_an_error_with_what_there_is(opened, saved):
    with pytest.raises(ZooError, match=r"Unknown array in .*: 'samples'. Did you mean 'sample'\? Available: a, sample"):
        opened(saved(a=IMAGES, sample=IMAGES))


def test_splits_of_different_shapes_or_kinds_are_refused_together_only(opened, saved):
    path = saved(samples=IMAGES, test_samples=IMAGES[:, :4])
    assert opened(path, "train").sample_shape == (8, 8, 1)
    with pytest.raises(ZooError, match="differ in shape or kind"):
        opened(path, "all")


def test_arrays_of_colour_are_cropped_resized_and_turned_gray_as_by_pillow(opened, saved):
    colour = DRAW.integers(0, 256, (5, 20, 30, 3), dtype=np.uint8)
    path = saved(samples=colour)
    by_pillow = [Image.fromarray(each).convert("L").crop((9, 4, 21, 16)) for each in colour]
    expected = [np.asarray(each.resize((6, 6), Image.Resampling.BICUBIC)) for each in by_pillow]
    assert np.array_equal(opened(path, "all", crop=12, image_size=6, channels=1).samples[..., 0], expected)
    assert opened(path, "all").sample_shape == (20, 20, 3)
    with pytest.raises(ZooError, match="measures 20 pixels, less than the crop of 21"):
        opened(path, "all", crop=21)


def test_any_number_of_channels_is_kept_but_not_converted(opened, saved):
    satellite = DRAW.integers(0, 256, (4, 8, 8, 7), dtype=np.uint8)
    path = saved(samples=satellite)
    assert np.array_equal(opened(path, "all").samples, satellite)
    by_pillow = Image.fromarray(satellite[0, ..., 6]).resize((4, 4), Image.Resampling.BICUBIC)
    assert np.array_equal(opened(path, "all", image_size=4).samples[0, ..., 6], np.asarray(by_pillow))
    with pytest.raises(ZooError, match="has images of 7 channels, which can't become 3"):
        opened(path, "all", channels=3)


def test_points_refuse_what_only_images_have(opened, tmp_path):
    np.save(tmp_path / "points.npy", DRAW.normal(size=(20, 2)))
    with pytest.raises(ZooError, match=r"holds points: --image-size, --crop means nothing for it"):
        opened(tmp_path / "points.npy", image_size=8, crop=4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", ">f8"])
def test_points_of_any_precision_are_read(opened, saved, dtype):
    points = (DRAW.normal(size=(20, 2)) * 8).astype(dtype)
    dataset = opened(saved(samples=points, labels=np.arange(20)), "all")
    assert dataset.samples.dtype == np.float32
    assert dataset.samples * dataset.scale == pytest.approx(points.astype(float), rel=1e-6)
    assert np.array_equal(dataset.labels, np.arange(20))


def idx_file(array):
    """The bytes of MNIST's own format (http://yann.lecun.com/exdb/mnist/)."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture(params=[("-idx", ""), (".idx", ""), ("-idx", ".gz"), (".idx", ".gz")], ids="".join)
def digits(request, tmp_path):
    """A folder with MNIST's four files, under either of their two common names, gzipped or not."""
    dash, ending = request.param
    folder = tmp_path / "digits"
    folder.mkdir()
    for prefix, rows in (("train", TRAIN), ("t10k", TEST)):
        for kind, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
            content = idx_file(array[rows])
            path = folder / f"{prefix}-{kind.replace('-idx', dash)}-ubyte{ending}"
            path.write_bytes(gzip.compress(content) if ending else content)
    return folder


def test_a_folder_with_mnist_s_four_files_is_read_in_all_spellings(opened, digits):
    for split, rows in (("train", TRAIN), ("test", TEST), ("all", slice(30))):
        dataset = opened(digits, split)
        assert np.array_equal(dataset.samples[..., 0], IMAGES[rows])
        assert np.array_equal(dataset.labels, LABELS[rows])
        assert dataset.classes == 10


def test_parts_of_mnist_s_files_have_their_rows_whatever_is_read_at_once(opened, digits, monkeypatch):
    for batch, split in ((1, "train[3:7]"), (3, "train[3:7] "), (7, " train[3:7]")):
        monkeypatch.setattr(idx, "BATCH", batch)
        dataset = opened(digits, split)
        assert np.array_equal(dataset.samples[..., 0], IMAGES[3:7])
        assert np.array_equal(dataset.labels, LABELS[3:7])


def test_mnist_s_files_take_the_options_of_all_images(opened, digits):
    dataset = opened(digits, crop=6, image_size=12, channels=3, label="none")
    by_pillow = Image.fromarray(IMAGES[0]).crop((1, 1, 7, 7)).resize((12, 12), Image.Resampling.BICUBIC)
    assert np.array_equal(dataset.samples[0], np.stack([np.asarray(by_pillow)] * 3, axis=-1))
    assert dataset.labels is None


def test_mnist_s_files_and_keras_file_of_the_same_digits_are_the_same_data(opened, digits, tmp_path):
    np.savez(tmp_path / "mnist.npz", **of_keras())
    for split in ("train", "test"):
        assert opened(digits, split).fingerprint == opened(tmp_path / "mnist.npz", split).fingerprint


def test_without_its_test_files_a_tenth_is_held_out_and_without_labels_there_are_none(opened, tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(idx_file(IMAGES))
    train, test = opened(folder), opened(folder, "test")
    assert (train.count, test.count) == (27, 3)
    assert train.labels is test.labels is None
