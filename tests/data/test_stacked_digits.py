import numpy as np
import pytest
from bare import with_datasets

from zoo import ZooError
from zoo.catalogue import DatasetEntry
from zoo.data import DataOptions, open_dataset
from zoo.data.preparing import ProvidedFiles
from zoo.data.sources import stacked

CATALOGUE = with_datasets(
    {
        "stacked_mnist": DatasetEntry("stacked_mnist", "stacked", reference="mnist"),
        "mnist": DatasetEntry("mnist", "tfds", reference="mnist"),
    }
)


@pytest.fixture
def few(monkeypatch):
    """Fewer stacks, so that a test takes a moment."""
    monkeypatch.setattr(stacked, "COUNTS", {"train": 3000, "test": 500})


def digits(seed, count):
    """Gray images (count, 6, 6) in which every pixel is a function of the digit, and the digits."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 10, count)
    images = draw.integers(0, 20, (count, 6, 6)) + 20 * labels[:, None, None]
    return images.astype(np.uint8), labels


def keras_file(path, order=slice(None)):
    """An .npz such as Keras' mnist.npz."""
    (train, train_labels), (test, test_labels) = digits(0, 400), digits(1, 100)
    np.savez(
        path,
        x_train=train[order],
        y_train=train_labels[order],
        x_test=test,
        y_test=test_labels,
    )
    return path


def opened(tmp_path, files, place="data", **options):
    return open_dataset(
        "stacked_mnist",
        CATALOGUE,
        data_dir=tmp_path / place,
        options=DataOptions(**options),
        provided=ProvidedFiles(files),
    )


def test_the_label_is_the_three_digits_read_as_a_number(tmp_path, few):
    dataset = opened(tmp_path, keras_file(tmp_path / "mnist.npz"))
    assert dataset.samples.shape == (3000, 6, 6, 3)
    shown = dataset.samples[:, 0, 0, :] // 20
    assert np.array_equal(shown @ (100, 10, 1), dataset.labels)
    assert dataset.classes == 1000
    assert dataset.class_names[7] == "007"
    assert len(np.unique(dataset.labels)) > 900


def test_each_channel_is_a_whole_digit_of_the_same_split(tmp_path, few):
    files = keras_file(tmp_path / "mnist.npz")
    for split, (images, _) in (("train", digits(0, 400)), ("test", digits(1, 100))):
        known = {image.tobytes() for image in images}
        dataset = opened(tmp_path, files, split=split)
        assert {image.tobytes() for image in np.moveaxis(dataset.samples[:200], -1, 1).reshape(-1, 6, 6)} <= known


def test_the_same_digits_in_another_order_give_the_same_stacks(tmp_path, few):
    shuffled = np.random.default_rng(5).permutation(400)
    one = opened(tmp_path, keras_file(tmp_path / "mnist.npz"), "one")
    other = opened(tmp_path, keras_file(tmp_path / "shuffled.npz", shuffled), "other")
    assert one.fingerprint == other.fingerprint


def test_stacks_are_found_again_without_their_digits(tmp_path, few):
    files = keras_file(tmp_path / "mnist.npz")
    fingerprint = opened(tmp_path, files).fingerprint
    files.unlink()
    assert opened(tmp_path, None).fingerprint == fingerprint


def test_keras_own_file_is_found_where_tfds_has_none(tmp_path, few, monkeypatch, no_network):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".keras" / "datasets").mkdir(parents=True)
    keras_file(tmp_path / ".keras" / "datasets" / "mnist.npz")
    assert opened(tmp_path, None).count == 3000


def test_without_any_digits_the_ways_to_get_some_are_reported(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ZooError, match=r"(?s)digits of 'mnist', which is not at hand.*--from mnist\.npz"):
        opened(tmp_path, None)


def test_what_is_no_gray_digit_is_refused(tmp_path, few):
    np.savez(tmp_path / "colours.npz", samples=np.zeros((40, 6, 6, 3), np.uint8), labels=np.arange(40) % 10)
    with pytest.raises(ZooError, match=r"Only gray images with labels from 0 to 9.*\(6, 6, 3\) and 10 classes"):
        opened(tmp_path, tmp_path / "colours.npz")


def test_as_many_stacks_as_in_the_paper():
    assert stacked.COUNTS == {"train": 128_000, "test": 26_000}
