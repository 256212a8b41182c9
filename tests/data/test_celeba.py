"""CelebA end to end, on a small imitation of its files: originals, copies, labels, crops and errors."""

import http.server
import json
import threading
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from progress_recorder import ProgressRecorder

from zoo import ZooError
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, open_dataset, prepared_sets
from zoo.data.preparing import ProvidedFiles
from zoo.data.sources import celeba as celeba_copy
from zoo.training.trainer import Trainer

TRAIN = (0, 1, 2)  # the faces of the training split


@pytest.fixture
def opened(tmp_path, no_network):
    def opened(files=None, progress=None, **options):
        more = {"progress": progress} if progress else {}
        return open_dataset(
            "celeba",
            read_catalogue(),
            data_dir=tmp_path / "data",
            options=DataOptions(**options),
            provided=ProvidedFiles(files),
            **more,
        )

    return opened


def by_blue(samples):
    """TFDS shuffles when it writes; the faces differ in blue."""
    return sorted(samples, key=lambda image: image[..., 2].mean())


def squares(faces, crop, size):
    """Pillow as the oracle: the centre square of 218 x 178 pixels, resized."""
    top, left = (218 - crop) // 2, (178 - crop) // 2
    boxes = [Image.fromarray(face).crop((left, top, left + crop, top + crop)) for face in faces]
    return [np.asarray(box.resize((size, size), Image.Resampling.BICUBIC)).astype(int) for box in boxes]


def test_the_originals_are_taken_from_wherever_they_are_by_links(opened, small_celeba, tmp_path):
    files = small_celeba.put_into(tmp_path / "downloads")
    dataset = opened(files)
    manual = tmp_path / "data" / "downloads" / "manual"
    assert {path.name for path in manual.iterdir()} == set(small_celeba.files)
    assert all(path.is_symlink() and path.resolve().parent == files for path in manual.iterdir())
    assert dataset.samples.shape == (3, 64, 64, 3)
    assert dataset.labels is None
    expected = squares([small_celeba.pixels()[row] for row in TRAIN], 140, 64)
    for row, face in zip(by_blue(dataset.samples), expected, strict=True):
        assert np.abs(row - face).mean() < 2
    assert dataset.description["source"].startswith("TFDS celeb_a/")


def test_the_crop_is_recorded_and_reported_and_140_by_default(opened, small_celeba, tmp_path):
    files = small_celeba.put_into(tmp_path / "downloads")
    faces = [small_celeba.pixels()[row] for row in TRAIN]
    for crop in (None, 108, 148, 178):
        dataset = opened(files, crop=crop)
        used = crop or 140
        assert dataset.description["crop"] == used
        assert f"centre crop of {used} px" in dataset.summary
        for row, face in zip(by_blue(dataset.samples), squares(faces, used, 64), strict=True):
            assert np.abs(row - face).mean() < 2
    assert len(prepared_sets(tmp_path / "data")) == 4


@pytest.mark.parametrize("copied", [False, True], ids=["TFDS", "a copy"])
def test_a_stack_that_needs_labels_says_which_there_are(opened, small_celeba, tmp_path, make_stack, copied):
    files = small_celeba.put_into(tmp_path / "downloads")
    dataset = open_dataset(str(files), read_catalogue(), data_dir=tmp_path / "data") if copied else opened(files)
    with pytest.raises(ZooError, match=r"'cgan' needs classes.* has labels to choose from: --label .*Smiling"):
        Trainer(make_stack("vanilla+cgan"), dataset)


def test_an_attribute_is_the_label(opened, small_celeba, tmp_path):
    files = small_celeba.put_into(tmp_path / "downloads")
    dataset = opened(files, label="Smiling")
    assert dataset.class_names == ("not Smiling", "Smiling")
    order = np.argsort([image[..., 2].mean() for image in dataset.samples])
    assert dataset.labels[order].tolist() == [small_celeba.SMILING[row] for row in TRAIN]
    assert opened(label="attributes/Smiling").fingerprint == dataset.fingerprint
    with pytest.raises(ZooError, match=r"Unknown feature of celeb_a: 'Smilling'\..*Did you mean 'Smiling'"):
        opened(files, label="Smilling")


def attributes_by_blue(dataset):
    """The field `attributes` in the order of the faces."""
    order = np.argsort([image[..., 2].mean() for image in dataset.samples])
    return dataset.arrays["attributes"][order].tolist()


def test_several_attributes_are_a_vector_of_zeros_and_ones(opened, small_celeba, tmp_path):
    dataset = opened(small_celeba.put_into(tmp_path / "downloads"), label="Smiling,Male")
    expected = [[small_celeba.SMILING[row], small_celeba.MALE[row]] for row in TRAIN]
    assert attributes_by_blue(dataset) == expected
    field = dataset.fields["attributes"]
    assert (field.kind, field.shape, field.class_names) == ("vector", (2,), ("Smiling", "Male"))
    assert dataset.labels is None
    assert dataset.summary.endswith(", attributes Smiling, Male")
    for same in ("Smiling, Male", "attributes/Smiling,attributes/Male"):
        assert opened(label=same).fingerprint == dataset.fingerprint  # found prepared
    turned = opened(label="Male,Smiling")
    assert attributes_by_blue(turned) == [row[::-1] for row in expected]
    for label, message in {
        "Smiling,Smiling": "expected different names between commas",
        "Smiling,": "expected different names between commas",
        "Smiling,Mael": r"Unknown feature of celeb_a: 'Mael'\..*Did you mean 'Male'",
    }.items():
        with pytest.raises(ZooError, match=message):
            opened(label=label)


def test_several_attributes_of_a_copy_are_the_originals(opened, small_celeba, tmp_path):
    files = copies(small_celeba, tmp_path)["rezipped"]
    dataset = opened(files, label="Smiling,Male")
    assert attributes_by_blue(dataset) == [[small_celeba.SMILING[row], small_celeba.MALE[row]] for row in TRAIN]
    assert dataset.fields["attributes"].class_names == ("Smiling", "Male")
    assert opened(label="attributes/Smiling,Male").fingerprint == dataset.fingerprint
    (files / "list_attr_celeba.csv").write_text("image_id,Smiling\n000001.jpg,1\n")
    with pytest.raises(ZooError, match=r"Unknown attribute of CelebA: 'Male'\. Available: Smiling"):
        opened(files, label="Smiling,Male", image_size=8)


def test_without_its_files_all_five_are_named_with_the_folder_and_the_commands(tmp_path, no_network):
    with pytest.raises(ZooError) as error:
        open_dataset("celeba", read_catalogue(), data_dir=tmp_path)
    message = str(error.value)
    assert "img_align_celeba.zip (1,443,490,838 bytes, sha256 46fb8944" in message
    assert message.count(" bytes, sha256 ") == 5
    assert str(tmp_path / "downloads" / "manual") in message
    assert f"zoo data prepare celeba --data-dir {tmp_path}\n" in message
    assert f"zoo data prepare celeba --data-dir {tmp_path} --from FOLDER" in message


class QuotaPage(http.server.BaseHTTPRequestHandler):
    """Serves the page that Google Drive sends for files over their quota."""

    def do_GET(self):
        page = b"<html><title>Google Drive - Quota exceeded</title></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


@contextmanager
def served(handler):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_quota_page_in_place_of_a_file_is_reported_as_such_with_all_five_files(small_celeba, tmp_path):
    with served(QuotaPage) as address:
        small_celeba.serve_from(address)
        with pytest.raises(ZooError) as error:
            open_dataset("celeba", read_catalogue(), data_dir=tmp_path)
    message = str(error.value)
    assert "over its quota (Google Drive answers with a page instead of the file)" in message
    for name, content in small_celeba.files.items():
        assert f"{name} ({len(content):,} bytes, sha256 " in message
    assert "zoo data prepare celeba" in message
    assert prepared_sets(tmp_path) == []


def test_an_original_with_another_checksum_is_refused_by_name(opened, small_celeba, tmp_path):
    files = small_celeba.put_into(tmp_path / "downloads")
    content = bytearray(small_celeba.files["list_attr_celeba.txt"])
    content[-3] ^= 1  # changes a byte, not the size
    (files / "list_attr_celeba.txt").write_bytes(content)
    with pytest.raises(ZooError) as error:
        opened(files)
    assert "list_attr_celeba.txt (" in str(error.value)
    assert "identity_CelebA.txt (" not in str(error.value)
    assert prepared_sets(tmp_path / "data") == []


def copies(small_celeba, tmp_path):
    """Copies in all known layouts, by name."""
    lists = small_celeba.csv_lists()
    unpacked = tmp_path / "unpacked"
    (unpacked / "img_align_celeba" / "img_align_celeba").mkdir(parents=True)
    for name, content in small_celeba.faces.items():
        (unpacked / "img_align_celeba" / "img_align_celeba" / name).write_bytes(content)
    rezipped = tmp_path / "rezipped"
    rezipped.mkdir()
    (rezipped / "img_align_celeba.zip").write_bytes(small_celeba.zipped(""))
    for folder in (unpacked, rezipped):
        for name, content in lists.items():
            (folder / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for path in sorted(unpacked.rglob("*")):
            archive.write(path, path.relative_to(unpacked))
    with_texts = small_celeba.put_into(tmp_path / "with_texts")
    (with_texts / "img_align_celeba.zip").write_bytes(small_celeba.zipped("faces/"))
    return {"unpacked": unpacked, "rezipped": rezipped, "archive": tmp_path / "archive.zip", "with_texts": with_texts}


@pytest.mark.parametrize("layout", ["unpacked", "rezipped", "archive", "with_texts"])
def test_a_copy_is_read_in_whatever_form_it_comes(opened, small_celeba, tmp_path, layout):
    train = opened(copies(small_celeba, tmp_path)[layout], label="Smiling")
    expected = squares([small_celeba.pixels()[row] for row in TRAIN], 140, 64)
    assert np.abs(train.samples - np.stack(expected)).max() <= 1
    assert train.labels.tolist() == [small_celeba.SMILING[row] for row in TRAIN]
    test = opened(copies_of := tmp_path / ("archive.zip" if layout == "archive" else layout), split="test")
    assert test.count == 1
    assert np.abs(test.samples[0] - squares(small_celeba.pixels()[4:], 140, 64)[0]).max() <= 1
    assert str(copies_of) in test.description["source"]


def test_a_copy_s_differences_are_recorded_and_reported(opened, small_celeba, tmp_path):
    recorder = ProgressRecorder()
    dataset = opened(copies(small_celeba, tmp_path)["rezipped"], progress=recorder)
    assert any("taken as a copy of celeba" in note for note in recorder.notes)
    (meta,) = [json.loads(path.read_text()) for path in (tmp_path / "data").glob("zoo/*/meta.json")]
    assert meta["kind"] == "copy"
    assert dataset.description["copy_of"].startswith("celeb_a/")
    differences = dataset.description["differences"]
    assert "lists as .csv" in differences
    assert "no list of identities" in differences
    assert "3 images of 'train' instead of 162,770" in differences


def test_a_prepared_copy_is_celeba_from_then_on_without_its_files_or_tfds(opened, small_celeba, tmp_path, monkeypatch):
    files = copies(small_celeba, tmp_path)["rezipped"]
    fingerprint = opened(files).fingerprint
    for path in files.iterdir():
        path.unlink()
    from zoo.data.tfds import builder_features

    monkeypatch.setattr(builder_features, "found_builder", lambda *_: pytest.fail("TFDS was queried"))
    assert opened().fingerprint == fingerprint
    with pytest.raises(pytest.fail.Exception):
        opened(crop=108)  # another crop has to be prepared


def test_a_copy_without_attributes_says_so_when_one_is_wanted(opened, small_celeba, tmp_path):
    files = copies(small_celeba, tmp_path)["rezipped"]
    (files / "list_attr_celeba.csv").unlink()
    assert opened(files).count == 3
    with pytest.raises(ZooError, match=r"has no list of attributes \(list_attr_celeba\.csv or \.txt\)"):
        opened(files, label="Smiling")


def test_a_copy_whose_list_names_other_images_or_splits_is_refused(opened, small_celeba, tmp_path):
    files = copies(small_celeba, tmp_path)["rezipped"]
    (files / "list_eval_partition.csv").write_text("image_id,partition\nother.jpg,0\n")
    with pytest.raises(ZooError, match="none of the images that they name"):
        opened(files)
    (files / "list_eval_partition.csv").write_text("image_id,partition\n000001.jpg,7\n")
    with pytest.raises(ZooError, match=r"has '7' for 000001\.jpg, not 0, 1 or 2"):
        opened(files)


def test_the_recorded_counts_are_those_of_the_paper_s_202599_faces():
    assert sum(celeba_copy.ORIGINAL_COUNTS.values()) == 202_599
