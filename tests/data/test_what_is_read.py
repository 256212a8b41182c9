"""What is read in only one way is read so and said; what may be meant in two ways is refused, and an option decides."""

import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from bare import BARE
from encoded import png
from PIL import Image

from zoo import ZooError
from zoo.data import DataOptions, open_dataset
from zoo.data.prepared import transfer
from zoo.data.prepared.directory import prepared_sets
from zoo.data.preparing import ProvidedFiles
from zoo.data.values import Values
from zoo.training.run_yaml import data_options

DRAW = np.random.default_rng(0)
PICTURES = DRAW.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def opened(tmp_path):
    def opened(path, split="all", **options):
        chosen = DataOptions(split=split, **options)
        return open_dataset(str(path), BARE, data_dir=tmp_path / "data", options=chosen)

    return opened


@pytest.fixture
def saved(tmp_path):
    """Saves arrays as an .npz, those without a name as NumPy names them."""

    def saved(*unnamed, **named):
        np.savez(tmp_path / "arrays.npz", *unnamed, **named)
        return tmp_path / "arrays.npz"

    return saved


def folder(path, names, pictures=PICTURES):
    for name, pixels in zip(names, pictures, strict=False):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path / name)
    return path


def numbered(*folders):
    """The names of 12 images, divided evenly over folders."""
    return [f"{folders[row * len(folders) // 12]}/{row:02}.png" for row in range(12)]


# --- Folders ---


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *(("Train", "Test"), ("training", "testing"), ("TRAIN", "Val"), ("train", "dev"), ("Training", "Evaluation")),
        *(("training_set", "test_set"), ("train2017", "val2017"), ("train_images", "test_images")),
    ],
)
def test_split_folders_are_splits_in_any_case_and_spelling(opened, tmp_path, train, test):
    path = folder(tmp_path / "it", numbered(train, test))
    for split, rows in (("train", slice(6)), ("test", slice(6, 12))):
        dataset = opened(path, split)
        assert np.array_equal(dataset.samples, PICTURES[rows])
        assert dataset.labels is None
        assert "  folders are splits: " in dataset.account


def test_classes_may_hold_the_splits(opened, tmp_path):
    path = folder(tmp_path / "pets", numbered("cat/train", "cat/test", "dog/Train", "dog/Test"))
    train, test = opened(path, "train"), opened(path, "test")
    assert np.array_equal(train.samples, PICTURES[[0, 1, 2, 6, 7, 8]])
    assert train.labels.tolist() == test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert train.class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("folders", "readings"),
    [
        (("bus", "car", "train"), "train may be splits, to be kept apart, or classes as bus, car may be"),
        (("train", "test", "extra"), "test, train may be splits, to be kept apart, or classes as extra may be"),
        (("trainA", "trainB", "testA", "testB"), "may be splits, to be kept apart, or classes"),
        (("train/train", "train/val", "test/train", "test/val"), "may be splits or classes. Say which"),
        (("00000", "00001"), "may be classes, or parts of one set as NVlabs' tools write them"),
    ],
)
def test_folders_that_may_be_two_things_are_refused_with_both_and_the_option(opened, tmp_path, folders, readings):
    path = folder(tmp_path / "it", numbered(*folders))
    with pytest.raises(ZooError, match=rf"{readings}.*--folders"):
        opened(path)


def test_the_option_decides_what_folders_are(opened, tmp_path):
    path = folder(tmp_path / "it", numbered("bus", "car", "train"))
    classes = opened(path, folders="classes")
    assert classes.class_names == ("bus", "car", "train")
    assert np.array_equal(classes.samples, PICTURES)
    splits = opened(path, "train", folders="splits")
    assert np.array_equal(splits.samples, PICTURES[8:])
    assert opened(path, folders="none").labels is None
    deep = folder(tmp_path / "deep", numbered("a/b", "a/c", "d/e"))
    assert opened(deep, folders="classes").labels.tolist() == [0] * 8 + [1] * 4
    with pytest.raises(ZooError, match=r"Unknown folders: 'class'\. Did you mean 'classes'\? Available: classes, "):
        opened(path, folders="class")


def test_a_stray_image_is_named(opened, tmp_path):
    path = folder(tmp_path / "it", [*numbered("cats", "dogs")[:11], "stray.png"])
    with pytest.raises(ZooError, match=r"1 of 12 lie outside the subfolders: stray\.png"):
        opened(path)
    assert opened(path, folders="none").count == 12


def test_what_synology_and_windows_leave_behind_is_passed_over(opened, tmp_path):
    names = [f"{row:02}.png" for row in range(11)]
    path = folder(tmp_path / "it", [*names, "@eaDir/00.png/THUMB.png"])
    (path / "desktop.ini").write_text("")
    (path / "thumbs.DB").write_text("")
    dataset = opened(path)
    assert np.array_equal(dataset.samples, PICTURES[:11])
    assert dataset.description["reading"] == []


SHARDS = [f"{row // 6:05}/img{row:08}.png" for row in range(12)]


def labelled(path, labels):
    (path / "dataset.json").write_text(json.dumps({"labels": labels}))
    return path


def test_shards_are_no_classes_and_dataset_json_has_the_labels(opened, tmp_path):
    path = labelled(folder(tmp_path / "nv", SHARDS), [[name, row % 5] for row, name in enumerate(SHARDS)])
    with zipfile.ZipFile(tmp_path / "nv.zip", "w") as archive:
        for name in (*SHARDS, "dataset.json"):
            archive.write(path / name, name)
    for each in (path, tmp_path / "nv.zip"):
        dataset = opened(each)
        assert np.array_equal(dataset.samples, PICTURES)
        assert dataset.labels.tolist() == [row % 5 for row in range(12)]
        assert dataset.description["reading"] == ["labels are the numbers in dataset.json"]
        assert opened(each, label="none").labels is None
    assert opened(path, label="subfolder", folders="classes").class_names == ("00000", "00001")
    labelled(path, [[name, (row + 1) % 5] for row, name in enumerate(SHARDS)])
    assert opened(path).labels.tolist() == [(row + 1) % 5 for row in range(12)]


@pytest.mark.parametrize("names", [SHARDS, [f"{row // 6:05}/{row}.png" for row in range(12)]])
def test_shards_without_labels_are_one_set(opened, tmp_path, names):
    path = labelled(folder(tmp_path / "nv", names), None)
    assert opened(path).labels is None
    assert opened(path).count == 12


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([[name, 1] for name in SHARDS[1:]], r"1 of 12 images have no class number in dataset.json: .*img00000000.png"),
        ([[name, [0.5, 0.5]] for name in SHARDS], "12 of 12 images have no class number"),
        ([3], "'labels' must be null or a list of"),
    ],
)
def test_labels_that_are_incomplete_or_no_numbers_are_refused(opened, tmp_path, labels, why):
    path = labelled(folder(tmp_path / "nv", SHARDS), labels)
    with pytest.raises(ZooError, match=why):
        opened(path)
    assert opened(path, label="none").count == 12


def test_a_dataset_json_that_is_none_is_refused(opened, tmp_path):
    path = folder(tmp_path / "nv", SHARDS)
    (path / "dataset.json").write_text("{")
    with pytest.raises(ZooError, match=r"dataset\.json, which may hold labels, can't be read: .*--label none"):
        opened(path)


def test_a_zip_made_by_windows_is_read(opened, tmp_path):
    with zipfile.ZipFile(tmp_path / "it.zip", "w") as archive:
        for row in range(12):
            info = zipfile.ZipInfo("x")
            info.filename = f"Pets\\{('été', 'dog')[row // 6]}\\{row:02}.png"
            archive.writestr(info, png(PICTURES[row]))
        archive.writestr("Pets\\Thumbs.db", b"")
        archive.writestr("Pets\\été\\", b"")
    dataset = opened(tmp_path / "it.zip")
    assert dataset.class_names == ("dog", "été")
    assert np.array_equal(dataset.samples, PICTURES[[*range(6, 12), *range(6)]])


def test_names_of_a_zip_in_unflagged_utf_8_and_in_code_page_437_are_read(opened, tmp_path):
    for name, encoded in (("utf", "é".encode()), ("dos", "é".encode("cp437"))):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for row in range(12):  # of equal length, to be exchanged below
                archive.writestr(f"{'X' * len(encoded) if row < 6 else 'dog'}/{row:02}.png", png(PICTURES[row]))
        path.write_bytes(path.read_bytes().replace(b"X" * len(encoded) + b"/", encoded + b"/"))
        assert opened(path).class_names == ("dog", "é")


# --- What is left out ---


def test_pages_other_files_and_dead_links_are_counted_and_named(opened, tmp_path):
    path = folder(tmp_path / "it", [f"{row:02}.png" for row in range(10)])
    frames = [Image.new("L", (8, 8), level) for level in (10, 100, 200)]
    frames[0].save(path / "10.gif", save_all=True, append_images=frames[1:])
    frames[0].save(path / "11.tiff", save_all=True, append_images=frames[1:2])
    frames[0].save(path / "12.png", save_all=True, append_images=frames[1:2])
    (path / "13.heic").write_bytes(b"?")
    (path / "14.png").symlink_to(tmp_path / "nowhere.png")
    (path / "15.png").symlink_to("15.png")
    dataset = opened(path)
    assert dataset.count == 13
    assert dataset.account.splitlines()[1:] == [
        "  left out: files of other kinds: 1 (13.heic); links to nothing: 2 (14.png, 15.png); "
        "pages or frames after the first: 4 (10.gif, 11.tiff, 12.png)"
    ]
    (prepared,) = prepared_sets(tmp_path / "data")
    pages = {"count": 4, "first": ["10.gif", "11.tiff", "12.png"]}
    assert prepared.meta["left_out"]["pages or frames after the first"] == pages


def test_without_images_the_endings_that_there_are_are_told(opened, tmp_path):
    (tmp_path / "it").mkdir()
    for name in ("a.heic", "b.heic", "c"):
        (tmp_path / "it" / name).write_bytes(b"")
    with pytest.raises(ZooError, match=r"Found by ending: 2 of \.heic, 1 of none"):
        opened(tmp_path / "it")


# --- Crops ---

WIDE = DRAW.integers(0, 256, (10, 8, 16, 3), dtype=np.uint8)


def test_half_of_each_image_is_cut_off_only_where_that_was_asked_for(opened, tmp_path, saved):
    names = [f"{row}.png" for row in range(10)]
    for path in (folder(tmp_path / "it", names, WIDE), saved(WIDE)):
        with pytest.raises(ZooError, match=r"have 16 x 8 px, and the centre square of each would leave out 50% of"):
            opened(path)
        square = opened(path, crop="square")
        assert np.array_equal(square.samples, WIDE[:, :, 4:12])
        assert "the middle square of 16 x 8 px, 50% cut off" in square.account
        assert np.array_equal(opened(path, crop=4).samples, WIDE[:, 2:6, 6:10])
        whole = opened(path, crop="none", image_size=4)
        expected = [np.asarray(Image.fromarray(each).resize((4, 4), Image.Resampling.BICUBIC)) for each in WIDE]
        assert np.array_equal(whole.samples, expected)
        assert "16 x 8 px squeezed into squares" in whole.account


def test_photographs_of_3_to_2_lose_a_third_with_a_word(opened, saved):
    dataset = opened(saved(WIDE[:, :, :12]))
    assert np.array_equal(dataset.samples, WIDE[:, :, 2:10])
    assert dataset.description["reading"] == ["the middle square of 12 x 8 px, 33% cut off"]


def test_images_of_different_shapes_are_judged_by_their_mean(opened, tmp_path):
    shapes = [(8, 8)] * 9 + [(8, 32)]  # 7.5% are lost
    pictures = [np.zeros((*shape, 3), np.uint8) for shape in shapes]
    path = folder(tmp_path / "it", [f"{row}.png" for row in range(10)], pictures)
    assert "the middle square of 2 different sizes, 8% cut off" in opened(path).account


# --- Arrays ---


def test_an_array_without_a_name_is_read_and_one_beside_it_as_labels(opened, saved):
    assert np.array_equal(opened(saved(PICTURES)).samples, PICTURES)
    dataset = opened(saved(PICTURES, np.arange(12) % 3))  # as ADM's sample batches
    assert dataset.labels.tolist() == [0, 1, 2] * 4
    dataset = opened(saved(PICTURES, PICTURES))
    assert dataset.labels is None
    assert dataset.description["reading"] == ["left out: arrays: 1 (arr_1)"]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_are_told_by_their_number(opened, saved, channels):
    images = DRAW.integers(0, 256, (6, 8, 8, channels), dtype=np.uint8)
    dataset = opened(saved(np.moveaxis(images, -1, 1)))
    assert np.array_equal(dataset.samples, images)
    assert dataset.description["reading"] == [f"axes are (N, C, H, W): {channels} channels first"]


def test_many_channels_are_told_by_square_images(opened, saved):
    images = DRAW.integers(0, 256, (6, 8, 8, 7), dtype=np.uint8)
    assert np.array_equal(opened(saved(np.moveaxis(images, -1, 1))).samples, images)
    with pytest.raises(ZooError, match=r"is \(6, 8, 8, 8\): .*--layout nchw or --layout nhwc"):
        opened(saved(np.concatenate([images, images[..., :1]], axis=-1)))


def test_axes_that_may_be_either_are_refused_and_the_option_decides(opened, saved):
    images = DRAW.integers(0, 256, (6, 3, 3, 3), dtype=np.uint8)
    path = saved(images)
    with pytest.raises(
        ZooError, match=r"3 x 3 pixels of 3 channels, or 3 x 3 pixels of 3\? .*--layout nchw or --layout nhwc"
    ):
        opened(path)
    assert np.array_equal(opened(path, layout="nhwc").samples, images)
    assert np.array_equal(opened(path, layout="nchw").samples, np.moveaxis(images, 1, -1))
    with pytest.raises(ZooError, match=r"has 4 axes, .*: --layout nhw has 3"):
        opened(path, layout="nhw")


def test_a_single_image_is_not_taken_for_many(opened, saved):
    path = saved(DRAW.integers(0, 256, (9, 8, 3), dtype=np.uint8))
    with pytest.raises(ZooError, match=r"one image of 8 x 9 pixels and 3 channels, or 9 gray images of 3 x 8 pixels"):
        opened(path)
    assert opened(path, layout="nhw", crop="square").sample_shape == (3, 3, 1)


RANGES = {"0:1": (0, 1), "-1:1": (-1, 1), "0:255": (0, 255)}


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_images_are_read_by_the_range_that_they_use(opened, saved, name, dtype):
    black, white = RANGES[name]
    stored = (black + PICTURES / 255 * (white - black)).astype(dtype)
    dataset = opened(saved(stored))
    assert np.abs(dataset.samples.astype(int) - PICTURES).max() <= (1 if dtype == np.float16 else 0)
    assert dataset.description["values"] == name
    assert f"value {black} is black, {white} white (--values {name})" in dataset.account


@pytest.mark.parametrize(
    "stored",
    [
        *(np.full((12, 8, 8), 0.2), np.linspace(-0.1, 1, 768).reshape(12, 8, 8)),
        *(DRAW.normal(size=(12, 8, 8)), np.zeros((12, 8, 8)), np.linspace(0, 1000, 768).reshape(12, 8, 8)),
    ],
)
def test_other_ranges_are_refused_and_the_option_decides(opened, saved, stored):
    path = saved(stored)
    with pytest.raises(ZooError, match=r"it isn't plain which are black and white.*--values"):
        opened(path)
    expected = np.clip(np.rint((stored - -1) / 4 * 255), 0, 255)
    assert np.array_equal(opened(path, values="-1:3").samples[..., 0], expected)


def test_values_that_are_not_finite_are_refused(opened, saved):
    stored = PICTURES / 255
    stored[3, 2, 1, 0] = np.nan
    with pytest.raises(ZooError, match="not finite"):
        opened(saved(stored))


def test_truths_and_wide_whole_numbers_are_images_too(opened, saved):
    bits = PICTURES[..., 0] > 127
    assert np.array_equal(opened(saved(bits)).samples[..., 0], bits * 255)
    assert np.array_equal(opened(saved(PICTURES.astype(np.int64))).samples, PICTURES)


def test_the_splits_agree_on_black_and_white(opened, saved):
    path = saved(samples=np.full((4, 8, 8), 200, np.uint16), test_samples=np.full((4, 8, 8), 4000, np.uint16))
    assert opened(path, "train").description["values"] == opened(path, "test").description["values"] == "0:4095"


@pytest.mark.parametrize("text", ["4095", "0:0", "a:b", "0:inf", "nan:1"])
def test_values_that_are_none_are_refused(text):
    with pytest.raises(ZooError, match=r"names no values of black and white. Write both, such as --values 0:4095"):
        Values.parsed(text)


# --- Sixteen bits ---


@pytest.mark.parametrize(("bits", "white"), [(8, 255), (10, 1023), (12, 4095), (14, 16383), (16, 65535)])
def test_the_depth_of_sixteen_bit_images_is_told_by_their_largest_value(opened, tmp_path, saved, bits, white):
    stored = DRAW.integers(0, white + 1, (12, 8, 8)).astype(np.uint16)
    stored[5, 3, 3] = white
    expected = np.rint(stored / (white / 255))
    path = folder(tmp_path / "ct", [f"{row:02}.png" for row in range(12)], stored)
    for each in (path, saved(stored)):
        dataset = opened(each)
        assert np.array_equal(dataset.samples[..., 0], expected)
        assert f"value 0 is black, {white} white (--values 0:{white})" in dataset.account
    full = opened(path, values="0:65535").samples[..., 0]
    assert np.array_equal(full, np.rint(stored / 257))


def test_sixteen_bits_that_are_nearly_black_are_refused(opened, tmp_path):
    stored = np.full((12, 8, 8), 3, np.uint16)
    path = folder(tmp_path / "dark", [f"{row:02}.png" for row in range(12)], stored)
    with pytest.raises(ZooError, match=r"00\.png holds values up to 3 only.*--values 0:3, --values 0:255 or"):
        opened(path)
    assert (opened(path, values="0:3").samples == 255).all()


def test_images_of_eight_bits_beside_deep_ones_stay_as_they_are(opened, tmp_path):
    names = [f"{row:02}.png" for row in range(12)]
    path = folder(tmp_path / "mixed", names, [*PICTURES[:6, ..., 0], *np.full((6, 8, 8), 4095, np.uint16)])
    samples = opened(path).samples[..., 0]
    assert np.array_equal(samples[:6], PICTURES[:6, ..., 0])
    assert (samples[6:] == 255).all()


def deep_png(pixels):
    """A PNG of 16-bit RGB (H, W, 3), which Pillow reads and doesn't write."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_colours_of_twelve_bits_in_sixteen_are_refused_since_their_contrast_can_t_be_kept(opened, tmp_path):
    path = tmp_path / "it"
    path.mkdir()
    stored = DRAW.integers(0, 4096, (8, 8, 3))
    stored[0, 0, 0] = 4095
    (path / "0.png").write_bytes(deep_png(stored))
    with pytest.raises(ZooError, match=r"values up to about 4,095, of which only the upper 8 bits are read"):
        opened(path)
    assert np.array_equal(opened(path, values="0:65535").samples[0], stored >> 8)
    coarse = opened(path, values="0:4095").samples[0].astype(int)
    assert np.abs(coarse - stored / 4095 * 255).max() < 17  # 16 levels
    (path / "0.png").write_bytes(deep_png(stored * 16))
    assert np.array_equal(opened(path).samples[0], stored * 16 >> 8)


def test_values_are_refused_of_images_that_have_none_of_their_own(opened, tmp_path):
    path = folder(tmp_path / "it", ["0.png"], [PICTURES[0]])
    Image.fromarray(PICTURES[0, ..., 0], "L").convert("P").save(path / "1.png")
    with pytest.raises(ZooError, match=r"1\.png is neither plain gray nor plain RGB, but P: --values means nothing"):
        opened(path, values="0:1")


def test_a_run_from_before_large_crops_had_to_be_asked_for_reads_its_data_as_then():
    description = {"crop": None, "image_size": 8, "channels": 3}
    before = data_options({"description": description}, "./photos", BARE, "test")
    assert before == DataOptions("test", image_size=8, channels=3, label="none", crop="square")
    now = data_options({"description": {**description, "reading": []}}, "./photos", BARE, "test")
    assert now.crop is None


def test_masks_of_eight_bits_are_called_nearly_black_and_the_option_spreads_them(opened, tmp_path, saved):
    stored = (PICTURES[..., 0] > 127).astype(np.uint8)
    for path in (folder(tmp_path / "masks", [f"{row:02}.png" for row in range(12)], stored), saved(stored)):
        word = "nearly black: no value lies above 1 of 255, unless read with --values 0:1"
        assert opened(path).description["reading"] == [word]
        assert np.array_equal(opened(path, values="0:1").samples[..., 0], stored * 255)


def test_numbers_that_are_no_classes_are_refused(opened, saved):
    path = saved(PICTURES, np.arange(12) * 10**9)
    with pytest.raises(
        ZooError, match=r"labels go up to 11,000,000,000 in 12 samples: these are no numbers of classes"
    ):
        opened(path)
    assert opened(path, label="none").labels is None


def test_a_moving_picture_that_is_cut_off_after_its_first_frame_is_read(opened, tmp_path):
    frames = [Image.fromarray(each) for each in PICTURES[:6, ..., 0]]
    (tmp_path / "it").mkdir()
    for row in range(10):
        frames[0].save(tmp_path / "it" / f"{row}.gif", save_all=True, append_images=frames[1:])
    content = (tmp_path / "it" / "3.gif").read_bytes()
    (tmp_path / "it" / "3.gif").write_bytes(content[: len(content) * 2 // 3])
    assert opened(tmp_path / "it", channels=1).count == 10


# --- Further fields ---


def test_arrays_of_as_many_rows_become_fields_and_travel_with_the_data(opened, tmp_path, saved):
    source, vectors = PICTURES[..., :1] / 255, DRAW.normal(size=(12, 5))
    named = {"samples": PICTURES, "source": source, "style": vectors, "ids": np.arange(12)}
    path = saved(**named, labels=np.arange(12) % 2)
    whole = opened(path)
    assert np.array_equal(whole.arrays["source"], PICTURES[..., :1])
    assert np.array_equal(whole.arrays["style"], vectors.astype(np.float32))
    assert (whole.fields["source"].kind, whole.fields["source"].shape) == ("image", (8, 8, 1))
    assert (whole.fields["style"].kind, whole.fields["style"].shape) == ("vector", (5,))
    assert "further field source: value 0 is black, 1 white (--values 0:1); further field style" in whole.account
    assert "left out: arrays: 1 (ids)" in whole.account
    train = opened(path, "train")
    assert np.array_equal(train.rows(np.array([2]))["source"], train.samples[[2], ..., :1])  # aligned

    sets = prepared_sets(tmp_path / "data")
    assert [transfer.verified(each, lambda *_: None) for each in sets] == [None, None]
    transfer.export(sets, tmp_path / "it.zoo", lambda *_: None)
    (moved, _), _ = transfer.import_sets(tmp_path / "it.zoo", None, tmp_path / "there", lambda *_: None)
    assert sorted(each.name for each in moved.iterdir()) == [
        *("field-source.npy", "field-style.npy", "labels.npy", "meta.json", "samples.npy"),
    ]
    content = bytearray((moved / "field-source.npy").read_bytes())
    content[-1] ^= 1
    (moved / "field-source.npy").write_bytes(content)
    damaged = [transfer.verified(each, lambda *_: None) for each in prepared_sets(tmp_path / "there")]
    assert sum("its sha256 is" in str(each) for each in damaged) == 1


def test_the_fingerprint_counts_fields_and_is_as_before_without_them(opened, saved):
    found = [
        opened(saved(samples=PICTURES, **more)).fingerprint
        for more in ({}, {"source": PICTURES}, {"source": 255 - PICTURES}, {"other": PICTURES}, {"ids": np.arange(12)})
    ]
    assert len(set(found)) == 4
    assert found[0] == found[4]


def test_each_split_has_its_own_rows_of_a_field(opened, saved):
    path = saved(samples=PICTURES[:8], source=PICTURES[:8], test_samples=PICTURES[8:], test_source=PICTURES[8:])
    for split in ("train", "test", "all"):
        dataset = opened(path, split)
        assert np.array_equal(dataset.arrays["source"], dataset.samples)


def test_images_of_another_number_have_an_order_of_their_own(opened, saved):
    dataset = opened(saved(samples=PICTURES, source=PICTURES[:7]), "all")
    assert not dataset.fields["source"].aligned
    assert np.array_equal(dataset.arrays["source"], PICTURES[:7])
    assert "further field source: 7 rows in an order of their own" in dataset.account
    train = opened(saved(samples=PICTURES, source=PICTURES[:11]), "train")
    assert (train.count, len(train.arrays["source"])) == (10, 9)  # a tenth of each, rounded up, is held out


def test_a_data_set_prepared_before_there_were_fields_opens(opened, saved, tmp_path):
    from zoo.data.prepared import cache, writer

    opened(saved(samples=PICTURES))
    (prepared,) = prepared_sets(tmp_path / "data")
    older = {key: value for key, value in prepared.meta.items() if key not in ("fields", "left_out")}
    older["description"] = {key: value for key, value in older["description"].items() if key != "reading"}
    writer.write_meta(prepared.folder, older)
    dataset = cache.read(prepared.folder, "it")
    assert np.array_equal(dataset.samples, PICTURES)
    assert dataset.account == dataset.summary
    assert transfer.verified(prepared_sets(tmp_path / "data")[0], lambda *_: None) is None


def test_an_imported_field_can_t_have_the_name_of_a_file_elsewhere(opened, saved, tmp_path):
    from zoo.data.prepared import writer

    opened(saved(samples=PICTURES, source=PICTURES))
    (prepared,) = prepared_sets(tmp_path / "data")
    fields = {"x/../../../secret": prepared.meta["fields"]["source"]}
    writer.write_meta(prepared.folder, {**prepared.meta, "fields": fields})
    transfer.export(prepared_sets(tmp_path / "data"), tmp_path / "it.zoo", lambda *_: None)
    with pytest.raises(ZooError, match=r"is damaged \(its fields are called x/\.\./"):
        transfer.import_sets(tmp_path / "it.zoo", None, tmp_path / "there", lambda *_: None)


# --- Two domains in files ---

BOTH_HALVES = DRAW.integers(0, 256, (12, 8, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("side", "source", "samples"), [("left", slice(8), slice(8, 16)), ("right", slice(8, 16), slice(8))]
)
def test_pairs_side_by_side_become_samples_and_source(opened, tmp_path, side, source, samples):
    path = folder(tmp_path / "it", [f"{row:02}.png" for row in range(12)], BOTH_HALVES)
    with pytest.raises(ZooError, match="--source-from left or right says which half is the source"):
        opened(path)
    (path / "05.png").write_bytes(b"no image")
    rows = [row for row in range(12) if row != 5]
    dataset = open_dataset(
        str(path), BARE, data_dir=tmp_path / "data", options=DataOptions("all", source_from=side),
        provided=ProvidedFiles(unreadable=0.5),
    )  # fmt: skip
    assert np.array_equal(dataset.samples, BOTH_HALVES[rows, :, samples])
    assert np.array_equal(dataset.arrays["source"], BOTH_HALVES[rows, :, source])
    assert dataset.fields["source"].aligned
    assert dataset.description["reading"][1] == "left out: unreadable images: 1 (05.png)"
    small = open_dataset(
        str(path), BARE, data_dir=tmp_path / "data", options=DataOptions("all", source_from=side, source_size=2),
        provided=ProvidedFiles(unreadable=0.5),
    )  # fmt: skip
    assert np.array_equal(small.samples, dataset.samples)
    assert small.fields["source"].shape == (2, 2, 3)
    with pytest.raises(ZooError, match=r"--source-size is that of the field source, which .* has not"):
        opened(folder(tmp_path / "other", ["a.png", "b.png"]), source_size=2)


@pytest.mark.parametrize(
    "folders",
    [
        *(("A", "B"), ("trainA", "testA", "trainB", "testB"), ("A/train", "A/test", "B/train", "B/test")),
        *(("train/A", "train/B", "test/A", "test/B"), ("train_a", "train_b", "val_a", "val_b")),
    ],
)
def test_images_of_one_name_in_two_domains_are_pairs(opened, tmp_path, folders):
    in_source = [each for each in folders if each[-1:] in "Aa" or each.startswith("A/")]
    names = [(f"{each}/{row}.png", each in in_source) for each in folders for row in range(12 // len(folders))]
    path = folder(tmp_path / "it", [name for name, _ in names])
    source = {name.replace("A", "").replace("_a", ""): row for row, (name, is_source) in enumerate(names) if is_source}
    samples = {
        name.replace("B", "").replace("_b", ""): row for row, (name, is_source) in enumerate(names) if not is_source
    }
    assert source.keys() == samples.keys()
    dataset = opened(path, source_from="a")
    found = [next(row for row in range(12) if np.array_equal(PICTURES[row], each)) for each in dataset.samples]
    assert sorted(found) == sorted(samples.values())
    by_row = {row: source[name] for name, row in samples.items()}
    assert np.array_equal(dataset.arrays["source"], PICTURES[[by_row[row] for row in found]])
    assert dataset.fields["source"].aligned
    if len(folders) == 4:
        assert opened(path, "test", source_from="A").count == 3
    train = opened(path, "train", source_from="A")
    assert len(train.arrays["source"]) == train.count


def test_domains_of_other_names_have_orders_of_their_own(opened, tmp_path):
    path = folder(tmp_path / "it", [f"{'horse' if row < 7 else 'zebra'}/{row}.png" for row in range(12)])
    dataset = opened(path, source_from="horse")
    assert np.array_equal(dataset.samples, PICTURES[[10, 11, 7, 8, 9]])
    assert np.array_equal(dataset.arrays["source"], PICTURES[:7])
    assert not dataset.fields["source"].aligned
    assert dataset.labels is None
    assert dataset.description["reading"] == ["the field source is horse: 7 images in an order of their own"]
    train = opened(path, "train", source_from="horse")
    assert (train.count, len(train.arrays["source"])) == (4, 6)


def test_folders_that_are_mostly_pairs_are_refused_unless_their_order_is_said(opened, tmp_path):
    names = [*(f"A/{row}.png" for row in range(5)), *(f"B/{row}.png" for row in (0, 1, 2, 7, 8, 9, 10))]
    path = folder(tmp_path / "it", names)
    odd = r"A/3\.png, A/4\.png, B/10\.png, B/7\.png, B/8\.png"
    with pytest.raises(
        ZooError,
        match=rf"3 images of either folder have one of their name in the other, and 6 have none, or several: {odd}.*"
        r"Of pairs, move or rename those; of two sets without pairs, say --source-order own\.",
    ):
        opened(path, source_from="A")
    dataset = opened(path, source_from="A", source_order="own")
    assert (dataset.count, len(dataset.arrays["source"])) == (7, 5)
    assert not dataset.fields["source"].aligned
    (path / "A" / "2.png").unlink()  # two of four: no more than chance
    assert not opened(path, source_from="A").fields["source"].aligned
    with pytest.raises(ZooError, match="2 images of either folder have one of their name"):
        opened(path, source_from="A", source_order="pairs")


def test_pairs_of_two_endings_are_refused_and_pairs_can_be_read_without(opened, tmp_path):
    path = folder(tmp_path / "it", [f"{'AB'[row % 2]}/{row // 2}.png" for row in range(12)])
    assert not opened(path, source_from="A", source_order="own").fields["source"].aligned
    assert opened(path, source_from="A", source_order="pairs").fields["source"].aligned
    folder(path, ["A/0.jpg"])
    with pytest.raises(ZooError, match=r"3 have none, or several: A/0\.jpg, A/0\.png, B/0\.png\."):
        opened(path, source_from="A")
    with pytest.raises(
        ZooError, match=r"--source-order is for two folders of images, and .* has none: say --source-fr"
    ):
        opened(path, label="none", folders="none", source_order="own")


def test_domains_that_are_not_there_and_broken_pairs_are_refused(opened, tmp_path):
    path = folder(tmp_path / "it", [f"{'AB'[row % 2]}/{row // 2}.png" for row in range(12)])
    with pytest.raises(ZooError, match=r"Unknown folder in .*: 'C'\. Available: A, B"):
        opened(path, source_from="C")
    (path / "A" / "3.png").write_bytes(b"no image")
    with pytest.raises(ZooError, match=r"images of pairs are unreadable or cut off: A/3\.png\. Remove both"):
        open_dataset(
            str(path), BARE, data_dir=tmp_path / "data", options=DataOptions("all", source_from="A"),
            provided=ProvidedFiles(unreadable=0.5),
        )  # fmt: skip
    folder(path, ["C/0.png"])
    with pytest.raises(ZooError, match=r"must hold a folder of samples beside 'A'.*Found: b, c"):
        opened(path, source_from="A")
