import numpy as np
import pytest
import tensorflow_datasets as tfds
from bare import BARE, with_datasets
from PIL import Image

from zoo import ZooError
from zoo.catalogue import DatasetEntry
from zoo.data import DataOptions, open_dataset
from zoo.data.tfds.pixels import Preprocessing


class Imitation(tfds.core.GeneratorBasedBuilder):
    """What the imitations below share: no files, 5 training images made from a seed, in the order of their making."""

    VERSION = tfds.core.Version("1.2.0")
    SPLITS = ("train", "test")

    def _info(self):
        features = tfds.features.FeaturesDict(self.features())
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def features(self):
        return {"image": tfds.features.Image(shape=(12, 18, 3))}

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self.SPLITS}

    def _generate_examples(self, split):
        for row in range(5):
            yield row, self.example(row)

    def example(self, row):
        return {"image": wide_image(row)}


class ZooWide(Imitation):
    """Images of 12 x 18 pixels without labels, split into train and validation."""

    SPLITS = ("train", "validation")


class ZooVaried(Imitation):
    """Images of different sizes."""

    def features(self):
        return {"image": tfds.features.Image(shape=(None, None, 3))}

    def example(self, row):
        return {"image": wide_image(row)[: 8 + row]}


class ZooTwoImages(Imitation):
    """Two images and two labels of which none stands out, and a number that is no label."""

    def features(self):
        return {
            "left": tfds.features.Image(shape=(12, 18, 3)),
            "right": tfds.features.Image(shape=(12, 18, 3)),
            "mood": tfds.features.ClassLabel(names=["calm", "wild"]),
            "weather": tfds.features.ClassLabel(names=["rain", "sun"]),
            "weight": np.float32,
        }

    def example(self, row):
        image = wide_image(row)
        return {"left": image, "right": 255 - image, "mood": row % 2, "weather": 1, "weight": 0.5}


class ZooSound(Imitation):
    """No images."""

    def features(self):
        return {"sound": tfds.features.Tensor(shape=(4,), dtype=np.float32)}


def wide_image(row):
    """(12, 18, 3) of noise that stays away from black and white, where resizers clip."""
    return np.random.default_rng(row).integers(64, 192, (12, 18, 3), dtype=np.uint8)


def catalogue(**entry):
    return with_datasets({"mine": DatasetEntry("mine", "tfds", **entry)})


def test_the_centre_square_of_a_wide_image_is_kept_in_full_resolution(tmp_path):
    dataset = open_dataset("zoo_wide", BARE, data_dir=tmp_path)
    assert dataset.samples.shape == (5, 12, 12, 3)
    for row in range(5):
        assert np.array_equal(dataset.samples[row], wide_image(row)[:, 3:15])


def test_resizing_agrees_with_pillow(tmp_path):
    dataset = open_dataset("zoo_wide", BARE, data_dir=tmp_path, options=DataOptions(image_size=5))
    squares = [Image.fromarray(wide_image(row)[:, 3:15]) for row in range(5)]
    expected = np.stack([square.resize((5, 5), Image.Resampling.BICUBIC) for square in squares])
    difference = dataset.samples.astype(int) - expected
    # Pillow rounds once more, between rows and columns.
    assert np.abs(difference).max() <= 2
    # Cutting off in place of rounding would make images darker by a half.
    assert abs(difference.mean()) < 0.2


def test_values_beyond_black_and_white_are_clipped():
    edge = np.zeros((4, 4, 1), np.uint8)
    edge[3:] = 255
    # TensorFlow's cast wraps round or not by the place in memory; at 5 pixels 260 would become 4.
    enlarged = Preprocessing(1, None, 5).square(edge).numpy()
    # Bicubic overshoots beside an edge.
    assert enlarged[:2].max() < 50
    assert enlarged[4:].min() > 205


def test_shrinking_averages_instead_of_skipping():
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., np.newaxis]
    assert np.abs(Preprocessing(1, None, 8).square(board).numpy().astype(int) - 127.5).max() < 30


def test_a_crop_takes_the_middle_and_sets_the_size(tmp_path):
    dataset = open_dataset("mine", catalogue(reference="zoo_wide", crop=6), data_dir=tmp_path)
    assert np.array_equal(dataset.samples[2], wide_image(2)[3:9, 6:12])


def test_the_requested_size_beats_the_entry_s_which_beats_the_images_own(tmp_path):
    mine = catalogue(reference="zoo_wide", image_size=8)
    assert open_dataset("mine", mine, data_dir=tmp_path).sample_shape == (8, 8, 3)
    assert open_dataset("mine", mine, data_dir=tmp_path, options=DataOptions(image_size=4)).sample_shape == (4, 4, 3)


def test_sizes_crops_and_splits_are_prepared_side_by_side(tmp_path):
    cropped = catalogue(reference="zoo_wide", crop=6)
    shapes = [
        open_dataset("zoo_wide", BARE, data_dir=tmp_path).sample_shape,
        open_dataset("zoo_wide", BARE, data_dir=tmp_path, options=DataOptions(image_size=6)).sample_shape,
        open_dataset("mine", cropped, data_dir=tmp_path).sample_shape,
        open_dataset("mine", cropped, data_dir=tmp_path, options=DataOptions(split="test")).sample_shape,
    ]
    assert shapes == [(12, 12, 3), (6, 6, 3), (6, 6, 3), (6, 6, 3)]
    assert len(list((tmp_path / "zoo").glob("zoo_wide-1.2.0-*"))) == 4


def test_a_dataset_without_a_test_split_gives_its_validation_split(tmp_path):
    dataset = open_dataset("zoo_wide", BARE, data_dir=tmp_path, options=DataOptions(split="test"))
    assert dataset.description["rows"] == [{"split": "validation", "count": 5, "range": [0, 5]}]


def test_an_entry_s_split_may_be_a_part_of_one(tmp_path):
    parts = catalogue(reference="zoo_wide", train="train[:3]", test="train[3:]")
    test = open_dataset("mine", parts, data_dir=tmp_path, options=DataOptions(split="test"))
    assert open_dataset("mine", parts, data_dir=tmp_path).count == 3
    assert np.array_equal(test.samples[0], wide_image(3)[:, 3:15])


def test_a_split_that_is_not_there_lists_those_that_are(tmp_path):
    with pytest.raises(ZooError, match=r"Unknown split of zoo_wide/1\.2\.0: 'extra'\. .*Available: all, train, val"):
        open_dataset("mine", catalogue(reference="zoo_wide", train="extra"), data_dir=tmp_path)


def test_images_of_different_sizes_need_a_size(tmp_path):
    with pytest.raises(ZooError, match=r"zoo_varied have different sizes: choose one with --image-size"):
        open_dataset("zoo_varied", BARE, data_dir=tmp_path)
    assert open_dataset("zoo_varied", BARE, data_dir=tmp_path, options=DataOptions(image_size=8)).samples.shape == (
        5,
        8,
        8,
        3,
    )


def test_an_image_smaller_than_the_crop_is_refused(tmp_path):
    with pytest.raises(ZooError, match="an image is smaller than the crop of 10 pixels"):
        open_dataset("mine", catalogue(reference="zoo_varied", crop=10), data_dir=tmp_path)


def test_of_several_images_one_must_be_chosen(tmp_path):
    with pytest.raises(ZooError, match=r"several images: left, right\. Choose one as `image_key`"):
        open_dataset("zoo_two_images", BARE, data_dir=tmp_path)
    chosen = catalogue(reference="zoo_two_images", image_key="right", label_key="mood")
    dataset = open_dataset("mine", chosen, data_dir=tmp_path)
    assert np.array_equal(dataset.samples[0], 255 - wide_image(0)[:, 3:15])
    assert dataset.labels.tolist() == [0, 1, 0, 1, 0]
    assert dataset.class_names == ("calm", "wild")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"image_key": "rihgt"}, r"Unknown feature of zoo_two_images: 'rihgt'.*Did you mean 'right'"),
        ({"image_key": "mood"}, "The feature 'mood' of zoo_two_images is no image of 8 or 16 bits"),
        ({"image_key": "left", "label_key": "mode"}, r"Unknown feature of zoo_two_images: 'mode'.*'mood'"),
        ({"image_key": "left", "label_key": "weight"}, "The feature 'weight' of zoo_two_images is no class label"),
    ],
)
def test_keys_that_do_not_fit_are_refused(tmp_path, keys, message):
    with pytest.raises(ZooError, match=message):
        open_dataset("mine", catalogue(reference="zoo_two_images", **keys), data_dir=tmp_path)


def test_a_dataset_without_images_shows_its_features(tmp_path):
    with pytest.raises(ZooError, match=r"(?s)zoo_sound has no images\. Its features:.*'sound': Tensor"):
        open_dataset("zoo_sound", BARE, data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", r"Unknown dataset: 'mnits'\. Available: mine\. Any image dataset of TFDS.*such as 'mnist'.*\./mnits"),
        ("mein", r"Did you mean 'mine'"),
        ("no name!", r"Unknown dataset: 'no name!'"),
        ("emnist/leters", r"Unknown config of emnist: 'leters'\. .*Did you mean 'letters'"),
        ("mnist:9.9.9", r"TFDS cannot make a dataset of 'mnist:9\.9\.9': .*only: 3\.0\.1"),
    ],
)
def test_unknown_names_list_what_there_is(tmp_path, name, message):
    with pytest.raises(ZooError, match=message):
        open_dataset(name, catalogue(reference="zoo_wide"), data_dir=tmp_path)


def test_a_version_may_be_named_and_an_underscore_may_be_a_hyphen(tmp_path):
    plain = open_dataset("zoo_wide", BARE, data_dir=tmp_path)
    versioned = open_dataset("zoo_wide:1.2.0", BARE, data_dir=tmp_path)
    assert versioned.fingerprint == plain.fingerprint
    assert versioned.name == "zoo_wide:1.2.0"
    entries = with_datasets({"my_own": DatasetEntry("my_own", "tfds", reference="zoo_wide")})
    assert open_dataset("my-own", entries, data_dir=tmp_path).fingerprint == plain.fingerprint


def test_damaged_files_of_tfds_are_named_with_the_way_to_rebuild(tmp_path):
    open_dataset("zoo_wide", BARE, data_dir=tmp_path)
    record = next((tmp_path / "zoo_wide" / "1.2.0").glob("*train.tfrecord*"))
    record.write_bytes(record.read_bytes()[:-20])
    with pytest.raises(ZooError, match=r"(?s)Cannot read zoo_wide/1\.2\.0: .*delete .*zoo_wide/1\.2\.0"):
        open_dataset("zoo_wide", BARE, data_dir=tmp_path, options=DataOptions(image_size=6))


@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_pixel_is_refused(tmp_path, size):
    with pytest.raises(ZooError, match=f"at least 1 pixel, not {size}"):
        open_dataset("zoo_wide", BARE, data_dir=tmp_path, options=DataOptions(image_size=size))
