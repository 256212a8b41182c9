import json
import os
import zipfile

import numpy as np
import pytest
from bare import BARE
from encoded import png

from zoo import ZooError
from zoo.data import DataOptions, open_dataset
from zoo.data.preparing import ProvidedFiles

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
FLAT = [f"{row:02}.png" for row in range(12)]
CLASSES = [f"{('cat', 'dog', 'eel')[row // 4]}/{row:02}.png" for row in range(12)]
CLASS_LABELS = [0] * 4 + [1] * 4 + [2] * 4
SPLITS = [f"{'train' if row < 8 else 'test'}/{row:02}.png" for row in range(12)]
BOTH = [f"{'train' if row % 4 < 2 else 'test'}/{name}" for row, name in enumerate(CLASSES)]
TRAIN_ROWS, TEST_ROWS = [0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11]  # rows of the splits in BOTH


@pytest.fixture
def opened(tmp_path):
    def opened(path, split="all", provided=ProvidedFiles(), **options):  # noqa: B008  it is frozen
        chosen = DataOptions(split=split, **options)
        return open_dataset(str(path), BARE, data_dir=tmp_path / "data", options=chosen, provided=provided)

    return opened


@pytest.fixture
def meta(tmp_path):
    """The meta.json of the only prepared set."""

    def meta():
        (file,) = (tmp_path / "data" / "zoo").glob("[!.]*/meta.json")
        return json.loads(file.read_text())

    return meta


def as_folder(path, names, pictures=PICTURES):
    for name, pixels in zip(names, pictures, strict=True):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(png(pixels))
    return path


def as_zip(path, names, pictures=PICTURES):
    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in reversed(
            list(zip(names, pictures, strict=True))
        ):  # reversed, since the order in a zip has no meaning
            archive.writestr(name, png(pixels))
    return path


@pytest.mark.parametrize("wrapping", ["", "my images/", "export/2024/images/"])
@pytest.mark.parametrize("kind", [as_folder, as_zip])
def test_images_alone_have_no_labels_whatever_folder_wraps_them(opened, tmp_path, kind, wrapping):
    path = kind(tmp_path / "images.zip", [wrapping + name for name in FLAT])
    dataset = opened(path)
    assert np.array_equal(dataset.samples, PICTURES)
    assert dataset.labels is dataset.classes is None
    assert dataset.class_names == ()


@pytest.mark.parametrize("wrapping", ["", "my images/"])
@pytest.mark.parametrize("kind", [as_folder, as_zip])
def test_subfolders_are_classes_whatever_folder_wraps_them(opened, tmp_path, kind, wrapping):
    path = kind(tmp_path / "pets.zip", [wrapping + name for name in CLASSES])
    dataset = opened(path)
    assert np.array_equal(dataset.samples, PICTURES)
    assert dataset.labels.tolist() == CLASS_LABELS
    assert dataset.class_names == ("cat", "dog", "eel")


@pytest.mark.parametrize("wrapping", ["", "my images/"])
@pytest.mark.parametrize("kind", [as_folder, as_zip])
def test_train_and_test_are_splits_whatever_folder_wraps_them(opened, tmp_path, kind, wrapping):
    path = kind(tmp_path / "images.zip", [wrapping + name for name in SPLITS])
    train, test = opened(path, "train"), opened(path, "test")
    assert np.array_equal(train.samples, PICTURES[:8])
    assert np.array_equal(test.samples, PICTURES[8:])
    assert train.labels is test.labels is None
    assert train.description["division"] is None


@pytest.mark.parametrize("kind", [as_folder, as_zip])
def test_train_and_test_may_both_have_classes(opened, tmp_path, kind):
    path = kind(tmp_path / "pets.zip", ["pets/" + name for name in BOTH])
    for split, rows in (("train", TRAIN_ROWS), ("test", TEST_ROWS), ("all", TEST_ROWS + TRAIN_ROWS)):
        dataset = opened(path, split)
        assert np.array_equal(dataset.samples, PICTURES[rows])
        assert dataset.labels.tolist() == [CLASS_LABELS[row] for row in rows]
        assert dataset.class_names == ("cat", "dog", "eel")


def test_a_class_has_one_number_in_all_splits_even_where_it_is_missing(opened, tmp_path):
    names = ["train/ant/0.png", "train/cat/1.png", "train/cat/2.png", "test/bee/3.png", "test/cat/4.png"]
    path = as_folder(tmp_path / "pets", names, PICTURES[:5])
    assert opened(path, "train").labels.tolist() == [0, 2, 2]
    assert opened(path, "test").labels.tolist() == [1, 2]
    assert opened(path, "train").classes == opened(path, "test").classes == 3


def test_a_flat_test_folder_beside_classes_to_train_on_has_no_labels(opened, tmp_path):
    names = ["train/cat/0.png", "train/dog/1.png", "test/2.png", "test/3.png"]
    path = as_folder(tmp_path / "pets", names, PICTURES[:4])
    assert opened(path, "train").labels.tolist() == [0, 1]
    assert opened(path, "test").labels is None
    together = opened(path, "all")
    assert together.labels is None
    assert np.array_equal(together.samples, PICTURES[[2, 3, 0, 1]])


def test_validation_is_taken_as_test_where_there_is_no_test(opened, tmp_path):
    names = [name.replace("test/", "validation/") for name in SPLITS]
    path = as_folder(tmp_path / "images", names)
    for split in ("test", "validation"):
        assert np.array_equal(opened(path, split).samples, PICTURES[8:])


def test_the_only_split_has_its_folder_s_name(opened, tmp_path):
    path = as_folder(tmp_path / "images", [f"validation/{name}" for name in FLAT])
    assert opened(path, "validation").fingerprint == opened(path, "all").fingerprint
    with pytest.raises(ZooError, match=r"It has validation \(12\)"):
        opened(path, "validation[:0]")


@pytest.mark.parametrize("names", [FLAT, CLASSES, SPLITS, BOTH])
def test_a_zip_and_a_folder_of_the_same_images_are_the_same_data(opened, tmp_path, names):
    folder, packed = as_folder(tmp_path / "images", names), as_zip(tmp_path / "images.zip", names)
    for split in ("train", "test", "all"):
        assert opened(folder, split).fingerprint == opened(packed, split).fingerprint


def test_linked_folders_and_files_are_followed(opened, tmp_path):
    as_folder(tmp_path / "store", CLASSES)
    linked = tmp_path / "linked"
    (linked / "eel").mkdir(parents=True)
    for name in ("cat", "dog"):
        (linked / name).symlink_to(tmp_path / "store" / name, target_is_directory=True)
    for row in range(8, 12):
        (linked / "eel" / f"{row:02}.png").symlink_to(tmp_path / "store" / "eel" / f"{row:02}.png")
    (linked / "eel" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert opened(linked).fingerprint == opened(tmp_path / "store").fingerprint
    (tmp_path / "whole").symlink_to(tmp_path / "store", target_is_directory=True)
    assert opened(tmp_path / "whole").fingerprint == opened(tmp_path / "store").fingerprint


def test_what_archivers_and_systems_leave_behind_is_not_counted(opened, tmp_path):
    junk = ["__MACOSX/cat/._00.png", "cat/._00.png", ".git/x.png", "cat/.DS_Store", "dog/Thumbs.db", "cat/notes.txt"]
    names = CLASSES + junk
    blank = np.zeros((len(junk), 8, 8, 3), np.uint8)
    pictures = np.concatenate([PICTURES, blank])
    for path in (as_folder(tmp_path / "pets", names, pictures), as_zip(tmp_path / "pets.zip", names, pictures)):
        dataset = opened(path)
        assert np.array_equal(dataset.samples, PICTURES)
        assert dataset.class_names == ("cat", "dog", "eel")


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "cat/b.png"],
        ["cat/a.png", "cat/young/b.png"],
        ["train/a.png", "train/cat/b.png"],
        ["cat/1/a.png", "dog/1/b.png"],
        ["train/cat/1/a.png", "test/cat/1/b.png"],
    ],
)
def test_folders_of_no_known_layout_are_refused(opened, tmp_path, names):
    for path in (as_folder(tmp_path / "it", names, PICTURES[:2]), as_zip(tmp_path / "it.zip", names, PICTURES[:2])):
        with pytest.raises(ZooError, match="must hold either images alone or one subfolder for each class"):
            opened(path)


def test_a_zip_without_images_is_refused(opened, tmp_path):
    with pytest.raises(ZooError, match=r"There are no images in .*it\.zip\. Known endings: \.png"):
        opened(as_zip(tmp_path / "it.zip", ["notes.txt"], PICTURES[:1]))


@pytest.fixture(scope="module")
def many():
    """200 pictures of 4 x 4 pixels of one level each, which is its row, in two classes: even rows and odd ones."""
    names = [f"{('even', 'odd')[row % 2]}/{row:03}.png" for row in range(200)]
    return names, np.arange(200, dtype=np.uint8)[:, None, None].repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture(params=["folder", "zip"])
def with_broken(request, tmp_path, many):
    """Makes a folder or zip of many pictures of which those in the given rows are truncated, corrupt or empty."""

    def with_broken(*rows):
        names, pictures = many
        contents = {name: png(picture) for name, picture in zip(names, pictures, strict=True)}
        for row in rows:
            whole = contents[names[row]]
            contents[names[row]] = (whole[:-30], b"no image", b"", whole[:10])[row % 4]
        path = tmp_path / "many"
        if request.param == "zip":
            path = tmp_path / "many.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in contents.items():
                    archive.writestr(name, content)
            return path
        for name, content in contents.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path

    return with_broken


def test_one_unreadable_image_in_a_hundred_is_left_out_and_the_rest_keep_their_labels(opened, with_broken, meta):
    dataset = opened(with_broken(13, 100))
    rows = [row for row in (*range(0, 200, 2), *range(1, 200, 2)) if row not in (13, 100)]
    assert dataset.samples[:, 0, 0, 0].tolist() == rows
    assert dataset.labels.tolist() == [row % 2 for row in rows]
    assert dataset.count == meta()["count"] == 198
    assert meta()["skipped"] == {"count": 2, "first": ["even/100.png", "odd/013.png"]}
    left_out = "left out: unreadable images: 2 (even/100.png, odd/013.png)"
    assert dataset.account.splitlines()[1:] == ["  subfolders are 2 classes: even, odd", f"  {left_out}"]
    assert meta()["description"]["reading"] == ["subfolders are 2 classes: even, odd", left_out]
    assert meta()["left_out"] == {"unreadable images": {"count": 2, "first": ["even/100.png", "odd/013.png"]}}


def test_what_was_left_out_is_not_part_of_the_fingerprint(opened, with_broken, tmp_path, many):
    with_holes = opened(with_broken(13, 100)).fingerprint
    names, pictures = many
    kept = [row for row in range(200) if row not in (13, 100)]
    whole = as_folder(tmp_path / "kept", [names[row] for row in kept], pictures[kept])
    assert opened(whole).fingerprint == with_holes


def test_a_part_is_aligned_too_when_images_before_and_in_it_are_broken(opened, with_broken):
    dataset = opened(with_broken(13, 100), "all[40:]")
    rows = [row for row in (*range(80, 200, 2), *range(1, 200, 2)) if row not in (13, 100)]
    assert dataset.samples[:, 0, 0, 0].tolist() == rows
    assert dataset.labels.tolist() == [row % 2 for row in rows]


def test_the_share_is_of_all_images_and_not_of_the_part_that_is_read(opened, with_broken):
    assert opened(with_broken(13, 100), "all[45:55]").samples[:, 0, 0, 0].tolist() == [
        *range(90, 100, 2),
        *range(102, 110, 2),
    ]


def test_more_unreadable_images_are_refused_with_the_first_few_and_nothing_is_prepared(opened, with_broken, tmp_path):
    path = with_broken(2, 4, 6, 8, 10, 12, 14)
    with pytest.raises(ZooError, match=r"or more of 200 images are unreadable or cut off: even/0.*At most 1% are left"):
        opened(path)
    assert not list((tmp_path / "data" / "zoo").glob("[!.]*"))
    assert not list((tmp_path / "data" / "zoo").glob("*.partial"))


def test_five_are_named_and_the_others_counted(opened, with_broken):
    path = with_broken(*range(1, 29, 4))  # no images at all, so that they are met by their headers: all at once
    named = ", ".join(f"odd/{row:03}.png" for row in range(1, 21, 4))
    with pytest.raises(ZooError, match=rf"7 or more of 200 .*: {named} and 2 more\. At most 1%"):
        opened(path)


def test_more_unreadable_images_may_be_allowed(opened, with_broken, meta):
    rows = range(60)
    dataset = opened(with_broken(*rows), provided=ProvidedFiles(unreadable=0.5))
    kept = [*range(60, 200, 2), *range(61, 200, 2)]
    assert dataset.samples[:, 0, 0, 0].tolist() == kept
    assert dataset.labels.tolist() == [row % 2 for row in kept]
    assert meta()["skipped"]["count"] == 60
    assert len(meta()["skipped"]["first"]) == 5


@pytest.mark.parametrize("content", [b"no image", "cut off"])
def test_a_folder_in_which_nothing_is_readable_is_refused_however_much_is_allowed(opened, tmp_path, content):
    path = as_folder(tmp_path / "images", FLAT)
    for name in FLAT:
        whole = (path / name).read_bytes()
        (path / name).write_bytes(content if isinstance(content, bytes) else whole[:-30])
    with pytest.raises(ZooError, match="12 or more of 12 images are unreadable"):
        opened(path, provided=ProvidedFiles(unreadable=1))


def test_slices_of_a_folder_are_of_its_images_in_the_order_of_their_names(opened, tmp_path):
    path = as_folder(tmp_path / "images", SPLITS)
    assert np.array_equal(opened(path, "all").samples, PICTURES[[8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]])
    assert np.array_equal(opened(path, "train[:50%]").samples, PICTURES[:4])
    assert np.array_equal(opened(path, "train[-3:]+test[1:2]").samples, PICTURES[[5, 6, 7, 9]])


def test_labels_that_are_not_wanted_are_left_out(opened, tmp_path, meta):
    path = as_folder(tmp_path / "pets", CLASSES)
    dataset = opened(path, label="none")
    assert np.array_equal(dataset.samples, PICTURES)
    assert dataset.labels is None
    assert dataset.class_names == ()
    assert (meta()["options"]["label"], meta()["defaults"]["label"]) == (None, "subfolder")
    assert opened(path, label="subfolder").labels.tolist() == CLASS_LABELS
    with pytest.raises(ZooError, match=r"The labels of .*pets are its subfolders. Leave out --label, or --label none"):
        opened(path, label="colour")


def test_a_changed_folder_is_prepared_anew(opened, tmp_path):
    path = as_folder(tmp_path / "images", FLAT)
    first = opened(path).fingerprint
    assert opened(path).fingerprint == first
    content = png(PICTURES[1])
    (path / "00.png").write_bytes(content)
    os.utime(path / "00.png", ns=(0, 0))  # older than before, and other than before
    assert np.array_equal(opened(path).samples[0], PICTURES[1])
    (path / "99.png").write_bytes(content)
    assert opened(path).count == 13
    (path / "00.png").unlink()
    assert np.array_equal(opened(path).samples, [*PICTURES[1:], PICTURES[1]])


def test_a_changed_zip_is_prepared_anew(opened, tmp_path):
    path = tmp_path / "images.zip"
    first = opened(as_zip(path, FLAT)).fingerprint
    status = path.stat()
    as_zip(path, FLAT, PICTURES[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert np.array_equal(opened(path).samples, PICTURES[::-1])
    assert opened(as_zip(path, FLAT)).fingerprint == first


def test_an_unchanged_folder_is_not_decoded_again(opened, tmp_path, monkeypatch):
    path = as_folder(tmp_path / "images", FLAT)
    first = opened(path)
    monkeypatch.setattr("zoo.data.images.decoded", None)
    assert np.array_equal(opened(path).samples, first.samples)
