import numpy as np
import pytest
from bare import BARE
from PIL import Image

from zoo import ZooError
from zoo.data import DataOptions, open_dataset


@pytest.fixture
def opened(tmp_path):
    def opened(path, **options):
        return open_dataset(str(path), BARE, data_dir=tmp_path / "data", options=DataOptions(**options))

    return opened


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


def save_images(folder, images):
    folder.mkdir(parents=True)
    for row, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{row:03}.png")


def test_an_array_of_images_is_read_as_it_is(opened, tmp_path, images):
    np.save(tmp_path / "images.npy", images)
    dataset = opened(tmp_path / "images.npy", split="all")
    assert np.array_equal(dataset.samples, images)
    assert dataset.labels is None
    assert dataset.classes is None


def test_images_without_a_channel_axis_get_one(opened, tmp_path, images):
    np.save(tmp_path / "gray.npy", images[..., 0])
    assert opened(tmp_path / "gray.npy").sample_shape == (8, 8, 1)


def test_an_npz_brings_labels_and_a_test_split(opened, tmp_path, images):
    labels = np.arange(4) % 2
    np.savez(tmp_path / "all.npz", samples=images[:4], labels=labels, test_samples=images[4:])
    train, test = (opened(tmp_path / "all.npz", split=split) for split in ("train", "test"))
    assert np.array_equal(train.labels, labels)
    assert train.classes == 2
    assert np.array_equal(test.samples, images[4:])
    assert test.labels is None


def test_points_are_scaled_by_their_largest_coordinate(opened, tmp_path):
    points = np.random.default_rng(0).normal(scale=30, size=(50, 3))
    np.save(tmp_path / "points.npy", points)
    dataset = opened(tmp_path / "points.npy", split="all")
    assert np.abs(dataset.samples).max() == pytest.approx(1)
    assert dataset.samples * dataset.scale == pytest.approx(points, rel=1e-5)


def test_points_that_are_not_finite_are_refused_with_their_row(opened, tmp_path):
    points = np.zeros((10, 2), np.float32)
    points[3, 1] = np.nan
    np.save(tmp_path / "points.npy", points)
    with pytest.raises(ZooError, match="1 or more points are not finite, the first in row 3 of"):
        opened(tmp_path / "points.npy", split="all")


def test_arrays_of_objects_are_refused(opened, tmp_path):
    np.savez(tmp_path / "objects.npz", samples=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ZooError, match="arrays of Python objects are refused"):
        opened(tmp_path / "objects.npz")


@pytest.mark.parametrize(
    ("array", "received"),
    [(np.zeros((2, 4), np.uint8), r"uint8 \(2, 4\)"), (np.zeros(5, np.uint8), r"uint8 \(5,\)")],
)
def test_other_arrays_are_refused_with_what_was_expected(opened, tmp_path, array, received):
    np.save(tmp_path / "odd.npy", array)
    with pytest.raises(ZooError, match=r"must hold uint8 or uint16 images.*Received: " + received):
        opened(tmp_path / "odd.npy")


def test_an_npz_may_name_its_classes(opened, tmp_path, images):
    named = {"samples": images, "labels": np.arange(len(images)) % 2}
    np.savez(tmp_path / "named.npz", **named, class_names=np.array(["Coat", "Bag", "Boot"]))
    dataset = opened(tmp_path / "named.npz", split="all")
    assert dataset.class_names == ("Coat", "Bag", "Boot")
    assert dataset.classes == 3
    np.savez(tmp_path / "few.npz", **named, class_names=np.array(["Coat"]))
    with pytest.raises(ZooError, match="names 1 classes, and its labels go up to 1"):
        opened(tmp_path / "few.npz", split="all")


def test_labels_of_another_length_are_refused(opened, tmp_path, images):
    np.savez(tmp_path / "short.npz", samples=images, labels=np.arange(5))
    with pytest.raises(ZooError, match=r"must be 6 whole numbers.*int64 \(5,\)"):
        opened(tmp_path / "short.npz")


def test_a_truncated_file_is_refused_by_name(opened, tmp_path, images):
    path = tmp_path / "images.npy"
    np.save(path, images)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ZooError, match=r"Cannot read .*images\.npy"):
        opened(path)


def test_a_missing_path_and_a_wrong_ending_are_refused(opened, tmp_path):
    with pytest.raises(ZooError, match="There is no file or folder"):
        opened(tmp_path / "nothing.npy")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ZooError, match=r"is no dataset: give a folder or .zip of images"):
        opened(tmp_path / "notes.txt")


def test_a_changed_file_is_prepared_anew(opened, tmp_path, images):
    np.save(tmp_path / "images.npy", images)
    before = opened(tmp_path / "images.npy").fingerprint
    np.save(tmp_path / "images.npy", images[:5])
    after = opened(tmp_path / "images.npy")
    assert after.count == 4  # one of five rows is held out as test
    assert after.fingerprint != before


def test_a_flat_folder_of_images_has_no_labels(opened, tmp_path, images):
    save_images(tmp_path / "flat", images)
    dataset = opened(tmp_path / "flat", split="all")
    assert np.array_equal(dataset.samples, images)
    assert dataset.labels is None


def test_subfolders_are_classes_in_the_order_of_their_names(opened, tmp_path, images):
    save_images(tmp_path / "pets" / "dog", images[:2])
    save_images(tmp_path / "pets" / "cat", images[2:])
    dataset = opened(tmp_path / "pets", split="all")
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert np.array_equal(dataset.samples, np.concatenate([images[2:], images[:2]]))


def test_train_and_test_subfolders_are_splits(opened, tmp_path, images):
    save_images(tmp_path / "split" / "train", images[:4])
    save_images(tmp_path / "split" / "test", images[4:])
    assert np.array_equal(opened(tmp_path / "split").samples, images[:4])
    assert np.array_equal(opened(tmp_path / "split", split="test").samples, images[4:])


def test_gray_images_have_one_channel_unless_one_is_coloured(opened, tmp_path, images):
    save_images(tmp_path / "gray", images[..., 0])
    assert opened(tmp_path / "gray").sample_shape == (8, 8, 1)
    Image.fromarray(images[0]).save(tmp_path / "gray" / "colour.png")
    assert opened(tmp_path / "gray").sample_shape == (8, 8, 3)


def test_images_of_different_sizes_need_a_size_and_keep_their_centre(opened, tmp_path):
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = 200
    save_images(tmp_path / "mixed", [wide, np.full((6, 6, 3), 100, np.uint8)])
    with pytest.raises(ZooError, match="different sizes: choose one with --image-size"):
        opened(tmp_path / "mixed")
    dataset = opened(tmp_path / "mixed", image_size=4, split="all")
    assert (dataset.samples[0] == 200).all()
    assert (dataset.samples[1] == 100).all()


def test_unreadable_images_are_named(opened, tmp_path, images):
    save_images(tmp_path / "broken", images)
    (tmp_path / "broken" / "001.png").write_bytes(b"no image")
    with pytest.raises(ZooError, match=r"1 or more of 6 images are unreadable or cut off: 001\.png\."):
        opened(tmp_path / "broken", split="all")


def test_a_truncated_image_is_named_and_leaves_nothing_prepared(opened, tmp_path, images):
    save_images(tmp_path / "broken", images)
    path = tmp_path / "broken" / "002.png"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ZooError, match=r"1 or more of 6 images are unreadable or cut off: 002\.png"):
        opened(tmp_path / "broken", split="all")
    assert not list((tmp_path / "data" / "zoo").glob("*broken-*"))


def test_a_folder_without_images_or_with_images_beside_classes_is_refused(opened, tmp_path, images):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="There are no images"):
        opened(tmp_path / "empty")
    save_images(tmp_path / "both", images)
    save_images(tmp_path / "both" / "cat", images)
    with pytest.raises(ZooError, match="either images alone or one subfolder for each class"):
        opened(tmp_path / "both")


def test_of_a_folder_or_file_without_a_test_split_a_tenth_is_held_out(opened, tmp_path, images):
    save_images(tmp_path / "flat", images)
    np.save(tmp_path / "images.npy", images)
    for path in (tmp_path / "flat", tmp_path / "images.npy"):
        train, test = (opened(path, split=split) for split in ("train", "test"))
        assert (train.count, test.count) == (5, 1)
        assert sorted(image.tobytes() for image in (*train.samples, *test.samples)) == sorted(
            image.tobytes() for image in images
        )
        assert train.description["division"]["held_out"] == 1


def test_shrinking_averages_instead_of_skipping(opened, tmp_path):
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    np.save(tmp_path / "board.npy", board[np.newaxis])
    shrunk = opened(tmp_path / "board.npy", image_size=8, split="all").samples.astype(int)
    assert np.abs(shrunk - 127.5).max() < 30
