"""Whatever kinds of images, labels, splits and files TFDS has."""

import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from bare import BARE, with_datasets
from PIL import Image

from zoo import ZooError
from zoo.base.progress import Silent
from zoo.catalogue import DatasetEntry
from zoo.data import DataOptions, open_dataset
from zoo.data.opening import expected_shape
from zoo.data.prepared.finding import same_builder
from zoo.data.tfds.source import tfds_source

COUNT = 20  # images of a split


class Kinds(tfds.core.GeneratorBasedBuilder):
    """What the imitations below share: no files, images from a seed in the order of their making, one split."""

    VERSION = tfds.core.Version("3.0.2")
    SPLITS = ("train",)
    SHAPE = (6, 6, 3)

    def _info(self):
        features = tfds.features.FeaturesDict(self.features())
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def features(self):
        return {"image": tfds.features.Image(shape=self.SHAPE)}

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self.SPLITS}

    def _generate_examples(self, split):
        for row in range(COUNT):
            yield row, self.example(row)

    def example(self, row):
        return {"image": noise(row, self.SHAPE)}


class KindOneSplit(Kinds):
    """A train split alone."""


class KindAlpha(Kinds):
    """RGBA."""

    SHAPE = (6, 6, 4)


class KindDeep(Kinds):
    """Gray images of 16 bits."""

    def features(self):
        return {"image": tfds.features.Image(shape=(6, 6, 1), dtype=np.uint16, encoding_format="png")}

    def example(self, row):
        return {"image": deep(row)}


class KindNested(Kinds):
    """Labels within labels, an image within, and a map of labels that is not to be generated."""

    def features(self):
        return {
            "picture": {"photo": tfds.features.Image(shape=self.SHAPE), "name": tfds.features.Text()},
            "map": tfds.features.LabeledImage(shape=(6, 6, 1), labels=3),
            "attributes": {"Smiling": np.bool_, "Young": np.bool_},
            "more": {"Young": np.int64},
        }

    def example(self, row):
        return {
            "picture": {"photo": noise(row, self.SHAPE), "name": "x"},
            "map": np.zeros((6, 6, 1), np.uint8),
            "attributes": {"Smiling": row % 3 == 0, "Young": row % 2 == 0},
            "more": {"Young": row},
        }


class KindFloat(Kinds):
    """Images of floating-point numbers."""

    def features(self):
        return {"image": tfds.features.Image(shape=(6, 6, 1), dtype=np.float32)}

    def example(self, row):
        return {"image": np.zeros((6, 6, 1), np.float32)}


class KindSequence(Kinds):
    """Several images in each example."""

    def features(self):
        return {"frames": tfds.features.Sequence(tfds.features.Image(shape=self.SHAPE))}

    def example(self, row):
        return {"frames": [noise(row, self.SHAPE)]}


def noise(row, shape):
    return np.random.default_rng(row).integers(0, 256, shape, dtype=np.uint8)


def deep(row):
    """uint16 (6, 6, 1) over the whole range."""
    return np.random.default_rng(row).integers(0, 65536, (6, 6, 1), dtype=np.uint16)


@pytest.fixture
def opened(tmp_path):
    def opened(name, entry=None, **options):
        entries = {"mine": DatasetEntry("mine", "tfds", reference=name, **entry)} if entry else {}
        name = "mine" if entry else name
        return open_dataset(name, with_datasets(entries), data_dir=tmp_path, options=DataOptions(**options))

    return opened


def test_of_the_only_split_a_tenth_is_held_out_and_all_is_everything(opened):
    train, test, everything = (opened("kind_one_split", split=split) for split in ("train", "test", "all"))
    assert (train.count, test.count, everything.count) == (18, 2, COUNT)
    originals = [noise(row, (6, 6, 3)).tobytes() for row in range(COUNT)]
    rows = [[originals.index(image.tobytes()) for image in part.samples] for part in (train, test, everything)]
    assert rows[0] == sorted(rows[0])
    assert sorted(rows[0] + rows[1]) == rows[2] == list(range(COUNT))
    # The recorded rule, as somebody else would follow it.
    division = test.description["division"]
    order = np.random.Generator(np.random.Philox(division["seed"])).permutation(COUNT)
    assert rows[1] == sorted(order[: division["held_out"]].tolist())


def test_parts_of_a_split_are_read_as_tfds_reads_them(opened, tmp_path):
    opened("kind_one_split", split="all")
    builder = tfds.builder("kind_one_split", data_dir=tmp_path)
    for expression in ("all[:80%]", "all[3:7]", "all[-5:]", "all[33%:66%]", "all[:2]+all[18:]"):
        ours = opened("kind_one_split", split=expression)
        theirs = builder.as_dataset(split=expression.replace("all", "train"))
        assert [image.tobytes() for image in ours.samples] == [
            each["image"].tobytes() for each in theirs.as_numpy_iterator()
        ]


def test_transparency_lies_over_white_unless_four_channels_are_wanted(opened):
    rgb, rgba, gray = (opened("kind_alpha", split="all", channels=channels) for channels in (None, 4, 1))
    for row in range(COUNT):
        image = noise(row, (6, 6, 4)).astype(float)
        alpha = image[..., 3:] / 255
        expected = image[..., :3] * alpha + 255 * (1 - alpha)
        assert np.abs(rgb.samples[row] - expected).max() <= 0.5 + 1e-3
        assert np.array_equal(rgba.samples[row], image)
        luma = expected @ (0.299, 0.587, 0.114)
        assert np.abs(gray.samples[row][..., 0] - luma).max() <= 1
    assert [each.sample_shape[-1] for each in (rgb, rgba, gray)] == [3, 4, 1]


def test_sixteen_bits_become_eight_over_the_full_range(opened):
    dataset = opened("kind_deep", split="all")
    assert dataset.samples.dtype == np.uint8
    for row in range(COUNT):
        assert np.abs(dataset.samples[row] - deep(row) / 257).max() <= 0.5 + 1e-3


def test_gray_may_become_rgb_and_rgb_gray(opened):
    assert opened("kind_deep", channels=3).sample_shape == (6, 6, 3)
    gray = opened("kind_one_split", channels=1, split="all")
    by_pillow = np.stack([np.asarray(Image.fromarray(noise(row, (6, 6, 3))).convert("L")) for row in range(COUNT)])
    assert np.abs(gray.samples[..., 0].astype(int) - by_pillow).max() <= 1


def test_a_registry_entry_may_say_channels_and_keys(opened):
    entry = {"channels": 1, "image_key": "picture/photo", "label_key": "attributes/Smiling"}
    dataset = opened("kind_nested", entry)
    assert dataset.sample_shape == (6, 6, 1)
    assert dataset.classes == 2
    assert opened("kind_nested", entry, channels=3).sample_shape == (6, 6, 3)


def test_a_nested_label_is_named_by_its_last_part_where_that_is_enough(opened):
    smiling = opened("kind_nested", label="Smiling", split="all")
    assert smiling.labels.tolist() == [int(row % 3 == 0) for row in range(COUNT)]
    assert smiling.class_names == ("not Smiling", "Smiling")
    assert opened("kind_nested", label="more/Young", split="all").labels.tolist() == list(range(COUNT))
    with pytest.raises(ZooError, match=r"Unknown feature of kind_nested: 'Young'\. .*Available: .*attributes/Young"):
        opened("kind_nested", label="Young")


def test_the_only_image_is_found_within_and_a_map_of_labels_is_not_taken_for_it(opened):
    dataset = opened("kind_nested", split="all")
    assert np.array_equal(dataset.samples[4], noise(4, (6, 6, 3)))
    assert dataset.labels is None


def test_labels_may_be_left_out(opened):
    assert opened("kind_nested", label="none").labels is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kind_float", "no image of 8 or 16 bits"),
        ("kind_sequence", r"(?s)kind_sequence has no images\. Its features:.*frames"),
    ],
)
def test_what_is_no_single_image_is_refused_with_what_it_is(opened, name, message):
    with pytest.raises(ZooError, match=message):
        opened(name)


def test_array_records_are_read_as_records_are(opened, tmp_path):
    records = opened("kind_nested", label="Smiling")
    fingerprint, rows = records.fingerprint, records.samples.copy()
    shutil.rmtree(tmp_path / "zoo")
    shutil.rmtree(tmp_path / "kind_nested")
    tfds.builder("kind_nested", data_dir=tmp_path, file_format="array_record").download_and_prepare()
    assert list(tmp_path.glob("kind_nested/3.0.2/*.array_record*"))
    dataset = opened("kind_nested", label="Smiling")
    assert np.array_equal(dataset.samples, rows)
    assert dataset.fingerprint == fingerprint


@pytest.mark.parametrize("version", ["3.0.2", "3.*.*", "3.0.*"])
def test_a_version_may_have_stars(opened, version):
    assert opened(f"kind_one_split:{version}").count == 18


def test_a_prepared_set_is_found_by_name_config_and_version():
    assert same_builder("mnist", "mnist/3.0.1")
    assert same_builder("mnist:3.*.*", "mnist/3.0.1")
    assert same_builder("emnist/letters", "emnist/letters/3.1.0")
    assert not same_builder("mnist:3.*.*", "mnist/2.0.1")
    assert not same_builder("mnist:3.0.*", "mnist/3.1.1")
    assert not same_builder("emnist", "emnist/letters/3.1.0")
    assert not same_builder("emnist/digits", "emnist/letters/3.1.0")


def test_a_config_and_its_classes_are_known_before_anything_is_downloaded(tmp_path):
    assert expected_shape("emnist/letters", BARE, data_dir=tmp_path) == ((28, 28, 1), 37)


def test_what_another_process_prepared_meanwhile_is_read(opened, tmp_path):
    entry = DatasetEntry("kind_one_split", "tfds", reference="kind_one_split")
    waiting = tfds_source(entry, (), tmp_path, DataOptions(), None)
    assert not waiting.is_at_hand()
    prepared = opened("kind_one_split", split="all")
    shutil.rmtree(tmp_path / "zoo")
    waiting.prepare(Silent())
    splits = waiting.splits()
    assert splits.counts == {"train": COUNT}
    rows = np.concatenate([samples for samples, _ in waiting.contents(splits.select("all")).batches])
    assert np.array_equal(rows, prepared.samples)


def test_what_a_killed_preparation_of_tfds_left_is_removed(opened, tmp_path):
    torn = tmp_path / "kind_one_split" / "incomplete.ABCDEF_3.0.2"
    torn.mkdir(parents=True)
    (torn / "half.tfrecord").write_bytes(b"half")
    opened("kind_one_split")
    assert not torn.exists()
    assert (tmp_path / "kind_one_split" / "3.0.2").is_dir()


class KindDomains(Kinds):
    """Two domains as CycleGAN's data has them, of images that are told apart by their brightness."""

    SPLITS = ("trainA", "trainB", "testA", "testB")
    COUNTS = {"trainA": 4, "trainB": 6, "testA": 3, "testB": 2}  # noqa: RUF012

    def features(self):
        label = tfds.features.ClassLabel(names=["A", "B"])
        return {**super().features(), "label": label}

    def _generate_examples(self, split):
        for row in range(self.COUNTS[split]):
            brightness = 40 * row + (100 if split.startswith("test") else 0) + split.endswith("B")
            yield row, {"image": np.full(self.SHAPE, brightness, np.uint8), "label": split[-1]}


def test_two_domains_are_samples_and_their_source(tmp_path):
    def opened(name="kind_domains", split="train", source="A"):
        options = DataOptions(split, source_from=source)
        return open_dataset(name, BARE, data_dir=tmp_path, options=options)

    sides = {split: opened(split=split) for split in ("train", "test")}
    found = {
        split: [each[:, 0, 0, 0].tolist() for each in (data.samples, data.arrays["source"])]
        for split, data in sides.items()
    }
    assert found == {
        "train": [[40 * row + 1 for row in range(6)], [40 * row for row in range(4)]],
        "test": [[101, 141], [100, 140, 180]],
    }
    assert sides["train"].labels is None
    assert not sides["train"].fields["source"].aligned
    np.testing.assert_array_equal(opened(source="b").samples, sides["train"].arrays["source"])
    options = DataOptions(source_from="A", source_size=3)
    small = open_dataset("kind_domains", BARE, data_dir=tmp_path, options=options)
    assert (small.sample_shape, small.arrays["source"].shape) == ((6, 6, 3), (4, 3, 3, 3))
    np.testing.assert_array_equal(small.samples, sides["train"].samples)
    with pytest.raises(ZooError, match=r"Unknown domain of kind_domains/3\.0\.2: 'C'"):
        opened(source="C")
    with pytest.raises(ZooError, match="has no splits of two domains, such as trainA and trainB"):
        opened("kind_one_split")
