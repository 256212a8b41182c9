import gzip
import io
import os
import pickle
import re
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from bare import BARE
from PIL import Image

from zoo import ZooError
from zoo.data import DataOptions, open_dataset
from zoo.data.sources import trees

SMALL = 2**24  # bytes: what refusing a file may allocate
CENTRAL = b"PK\x01\x02"  # begins an entry of a zip's directory
LOCAL = b"PK\x03\x04"  # begins the entry itself
OBJECTS = "arrays of Python objects are refused: reading them could run any program"


def files_below(folder):
    return {path.relative_to(folder): path.lstat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def refused(tmp_path):
    """Asserts that a file or folder is refused with a reason, costs no memory, and leaves nothing behind."""
    data = tmp_path / "elsewhere" / "data"

    def refused(path, why):
        before = files_below(tmp_path)
        tracemalloc.start()
        try:
            with pytest.raises(ZooError, match=why) as error:
                open_dataset(str(path), BARE, data_dir=data, options=DataOptions(split="all", image_size=8))
            assert tracemalloc.get_traced_memory()[1] < SMALL
        finally:
            tracemalloc.stop()
        assert path.name in str(error.value)
        after = {name: time for name, time in files_below(tmp_path).items() if name.parts[0] != "elsewhere"}
        assert after == {name: time for name, time in before.items() if name.parts[0] != "elsewhere"}
        prepared = files_below(data / "zoo") if data.exists() else {}
        assert all(name.suffix == ".lock" for name in prepared), prepared

    return refused


def png(side=8):
    encoded = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(encoded, "png")
    return encoded.getvalue()


def png_of_size(width, height):
    """A small PNG that claims to be of this size, its checksum right."""
    content = bytearray(png())
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.fixture
def packed(tmp_path):
    """Writes a zip of the given entries, each a name or a ZipInfo with its bytes."""

    def packed(*entries, method=zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / "images.zip", "w", method) as archive:
            for name, content in entries:
                archive.writestr(name, content)
        return tmp_path / "images.zip"

    return packed


def patched(path, record, offset, form, value):
    """Puts a number into the last record of a kind in a zip."""
    content = bytearray(path.read_bytes())
    start = content.rindex(record) + offset
    content[start : start + struct.calcsize(form)] = struct.pack(form, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../evil.png",
            "a/../../evil.png",
            "/evil.png",
            "..\\evil.png",
            "a\\..\\..\\evil.png",
            "C:evil.png",
            "C:/evil.png",
        ),
        *("__MACOSX/../../evil.png", "//host/share/evil.png", ".."),
    ],
)
def test_a_zip_with_a_path_that_leads_out_is_refused_and_nothing_is_written(refused, packed, name):
    path = packed(("good.png", png()), (name, png()))
    refused(path, re.escape(f"is refused because of its entry '{name}': a path that leads out of the archive"))


def test_a_colon_or_two_dots_within_a_name_are_no_reason_to_refuse(packed, tmp_path):
    path = packed(("at 12:30.png", png()), ("a..b.png", png()), ("...and more/c..png", png()))
    assert trees.ZipTree(path).entries[0].path == "a..b.png"
    assert [entry.path for entry in trees.ZipTree(path).entries] == ["a..b.png", "at 12:30.png"]  # one is hidden


def test_a_zip_with_a_link_is_refused(refused, packed):
    link = zipfile.ZipInfo("link.png")
    link.create_system = 3  # Unix
    link.external_attr = 0o120777 << 16
    refused(packed(("good.png", png()), (link, "/etc/passwd")), "its entry 'link.png': a link")


def test_an_encrypted_zip_is_refused(refused, packed):
    path = packed(("good.png", png()), ("secret.png", png()))
    patched(patched(path, CENTRAL, 8, "<H", 1), LOCAL, 6, "<H", 1)
    refused(path, r"its entry 'secret.png': encrypted\. Pack its images anew")


def test_a_zip_that_declares_an_enormous_file_is_refused(refused, packed):
    path = patched(packed(("good.png", png()), ("huge.png", png())), CENTRAL, 24, "<I", 2**32 - 2)
    refused(path, r"its entry 'huge.png': 4,294,967,294 bytes unpacked, above the limit of 268,435,456")


def test_a_zip_that_unpacks_to_more_than_it_declares_is_read_no_further(refused, packed):
    content = png() + bytes(2**26)
    path = packed(("bomb.png", content), method=zipfile.ZIP_DEFLATED)
    patched(path, CENTRAL, 24, "<I", len(png()))
    refused(path, r"1 or more of 1 images are unreadable or cut off: bomb\.png")


def test_a_zip_with_two_files_of_one_name_is_refused(refused, packed):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed(("a.png", png()), ("a.png", png(9)))
    refused(path, "holds two files of one name. Pack it anew")


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100, png()])
def test_what_is_no_zip_is_refused(refused, tmp_path, content):
    path = tmp_path / "images.zip"
    path.write_bytes(content)
    refused(path, "It is no zip file, or a part of one")


def test_a_zip_that_is_cut_off_or_garbled_anywhere_is_refused_or_read_but_never_a_traceback(tmp_path):
    whole = tmp_path / "whole.zip"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(whole, "w", method) as archive:
            for number in range(3):
                archive.writestr(f"{number}.png", png())
        content, draw = whole.read_bytes(), np.random.default_rng(method)
        for attempt in range(60):
            garbled = bytearray(content)
            for place in draw.integers(len(content), size=3):
                garbled[place] ^= int(draw.integers(1, 256))
            path = tmp_path / f"{method}-{attempt}.zip"
            path.write_bytes(garbled[: draw.integers(len(content))] if attempt % 3 == 0 else garbled)
            try:
                tree = trees.ZipTree(path)
                contents = [tree.read(entry) for entry in tree.entries]
            except (ZooError, OSError):
                continue
            assert set(contents) <= {png()}  # every file that is read has the right checksum


@pytest.mark.parametrize(
    ("claimed", "said"),
    [((100_000, 100_000), "too many"), ((9000, 9000), "9000 x 9000"), ((12_000, 9000), "12000 x 9000")],
)
def test_an_image_that_claims_to_be_enormous_is_refused_in_a_folder_and_in_a_zip(
    refused, packed, tmp_path, claimed, said
):
    bomb = png_of_size(*claimed)
    why = rf"bomb\.png claims to have {said} pixels; more than 67,108,864 in one image are refused"
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "bomb.png").write_bytes(bomb)
    (folder / "good.png").write_bytes(png())
    refused(folder, why)
    refused(packed(("bomb.png", bomb), ("good.png", png())), why)


def test_images_of_other_kinds_that_claim_to_be_enormous_are_refused_too(refused, tmp_path):
    places = {"gif": (6, "<HH", 65_535), "bmp": (18, "<II", 100_000)}
    for kind, (offset, form, side) in places.items():
        folder = tmp_path / kind
        folder.mkdir()
        Image.new("RGB", (8, 8)).save(folder / f"bomb.{kind}")
        content = bytearray((folder / f"bomb.{kind}").read_bytes())
        content[offset : offset + struct.calcsize(form)] = struct.pack(form, side, side)
        (folder / f"bomb.{kind}").write_bytes(content)
        refused(folder, rf"bomb\.{kind} claims to have too many pixels")


def test_an_image_whose_comment_unpacks_without_end_is_refused(refused, tmp_path):
    comment = b"Comment\0\0" + zlib.compress(bytes(2**27))
    chunk = struct.pack(">I", len(comment)) + b"zTXt" + comment + struct.pack(">I", zlib.crc32(b"zTXt" + comment))
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "bomb.png").write_bytes(png()[:33] + chunk + png()[33:])  # behind the first chunk
    refused(folder, r"1 images are unreadable or cut off: bomb\.png")


def test_a_folder_with_a_link_into_itself_is_refused(refused, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "good.png").write_bytes(png())
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    refused(folder, "more than 6 folders below .*: is a link going in a circle")


def test_a_folder_that_may_not_be_read_is_named(refused, tmp_path, monkeypatch):
    folder = tmp_path / "images"
    folder.mkdir()

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(trees.os, "scandir", forbidden)
    with pytest.raises(ZooError, match=r"Cannot read .*images: Permission denied\."):
        _ = trees.FolderTree(folder).entries


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["samples", "labels"])
def test_pickled_objects_in_an_npz_are_refused_and_not_run(refused, tmp_path, name):
    arrays = {"samples": np.zeros((3, 8, 8), np.uint8), "labels": np.arange(3)}
    objects = np.array([Touch(tmp_path / "run")] * 3, dtype=object)
    np.savez(tmp_path / "objects.npz", **{**arrays, name: objects})
    refused(tmp_path / "objects.npz", OBJECTS)
    np.save(tmp_path / "objects.npy", objects)
    refused(tmp_path / "objects.npy", OBJECTS)
    assert not (tmp_path / "run").exists()
    np.load(tmp_path / "objects.npy", allow_pickle=True)
    assert (tmp_path / "run").exists()  # unpickling it does run its program


def test_a_pickle_under_the_name_of_an_array_is_refused_and_not_run(refused, tmp_path):
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Touch(tmp_path / "run")))
    refused(tmp_path / "pickle.npy", "the magic string is not correct")
    assert not (tmp_path / "run").exists()


def npy(header, content=b""):
    """An .npy with any text as its header."""
    text = header if isinstance(header, bytes) else header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def npy_of(shape, dtype="|u1", order=False, content=b""):
    return npy(f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}\n", content)


@pytest.fixture
def both(refused, tmp_path):
    """Asserts that an .npy is refused alone and as an array of an .npz, packed or not."""

    def both(content, why):
        path = tmp_path / "array.npy"
        path.write_bytes(content)
        refused(path, why)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            path = tmp_path / "array.npz"
            with zipfile.ZipFile(path, "w", method) as archive:
                archive.writestr("samples.npy", content)
            refused(path, why)

    return both


@pytest.mark.parametrize(
    "shape", ["(1000000000000, 28, 28)", "(2, 1000000, 1000000)", f"({10**30}, 8, 8)", f"({2**62}, {2**62}, 4, 4)"]
)
def test_an_array_whose_header_claims_an_absurd_shape_is_refused_without_allocating_it(both, shape):
    both(npy_of(shape, content=bytes(784)), r"its header promises [\d,]+ bytes, more than a file of [\d,]+ bytes can")


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [("(1000000000000, 0, 8)", "|u1"), ("(1000000000000,)", "|S0"), ("(-5, 8, 8)", "|u1"), ("(5, -8, -8)", "|u1")],
)
def test_an_array_whose_samples_hold_nothing_is_refused(both, shape, dtype):
    both(npy_of(shape, dtype), "its samples are empty")


@pytest.mark.parametrize(
    "header",
    ["(" * 500, "-" * 9000 + "1", "{[]: 1}", "'''", "__import__('os').mkdir('run')", "1+" * 4000 + "1", "", b"\xff\0"],
)
def test_an_array_with_a_garbled_header_is_refused(both, header):
    both(npy(header), "its header is garbled")


def test_an_array_with_an_enormous_header_is_refused(both):
    both(npy(" " * 60_000), r"its header is garbled: Header info length \(60000\) is large")


def test_an_array_in_fortran_s_order_is_refused_with_the_remedy(both):
    array = np.asfortranarray(np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    encoded = io.BytesIO()
    np.save(encoded, array)
    both(encoded.getvalue(), r"it is in Fortran's order: save it again as np\.ascontiguousarray\(array\)")


def test_a_single_number_and_another_format_are_refused(both):
    both(npy_of("()", content=b"1"), "it holds a single number")
    both(npy_of("(1, 2, 2)", content=bytes(4)).replace(b"NUMPY\x01", b"NUMPY\x09"), r"only support|format \(9, 0\)")


def test_an_array_that_ends_too_early_is_refused(both):
    both(npy_of("(100, 8, 8)", content=bytes(6390)), r"it ends 10 bytes too early|more than a file of")


def test_an_array_that_is_longer_than_its_header_says_is_refused(both):
    both(npy_of("(3, 8, 8)", content=bytes(256)), "it is longer than its header says")


def test_arrays_that_are_encrypted_or_strangely_packed_are_refused(refused, tmp_path):
    path = tmp_path / "array.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("samples.npy", npy_of("(1, 2, 2)", content=bytes(4)))
    patched(patched(path, CENTRAL, 8, "<H", 1), LOCAL, 6, "<H", 1)
    refused(path, "Cannot read .*encrypted")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("samples.npy", npy_of("(1, 2, 2)", content=bytes(4)))
    refused(path, r"packed by a method that NumPy does not write: save it by np\.savez_compressed")


def test_an_npz_that_is_garbled_anywhere_is_refused_or_read_but_never_a_traceback(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "whole.npz", samples=array, labels=np.arange(40))
        content, draw = (tmp_path / "whole.npz").read_bytes(), np.random.default_rng(1)
        for attempt in range(80):
            garbled = bytearray(content)
            # Half of the changes hit the headers, which are a small part of the file.
            places = draw.integers(len(content), size=3) if attempt % 2 else draw.integers(200, size=2)
            for place in places:
                garbled[place] ^= int(draw.integers(1, 256))
            (tmp_path / "garbled.npz").write_bytes(garbled)
            try:
                dataset = open_dataset(
                    str(tmp_path / "garbled.npz"),
                    BARE,
                    data_dir=tmp_path / "data",
                    options=DataOptions(split="all"),
                )
            except ZooError:
                continue
            assert np.array_equal(dataset.samples[..., 0], array)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(magic, lengths, content):
    return struct.pack(f">{1 + len(lengths)}I", magic, *lengths) + content


GOOD = {IMAGES: idx(0x803, (4, 8, 8), bytes(256)), LABELS: idx(0x801, (4,), bytes(4))}


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (IMAGES, idx(0x803, (2**32 - 1, 28, 28), bytes(784)), "its header promises 3,367,254,359,280 bytes"),
        (IMAGES, idx(0x803, (2, 2**31, 2**31), bytes(784)), "its header promises"),
        (IMAGES, idx(0x803, (0, 28, 28), b""), "it is empty"),
        (IMAGES, idx(0x803, (4, 0, 28), b""), "it is empty"),
        (IMAGES, idx(0x801, (4, 8, 8), bytes(256)), "it begins with 0x801, not 0x803"),
        (IMAGES, idx(0xD03, (4, 8, 8), bytes(1024)), "it begins with 0xd03, not 0x803"),
        (IMAGES, GOOD[IMAGES][:-7], "it ends 7 bytes too early|more than a file"),
        (IMAGES, GOOD[IMAGES][:9], "it ends 7 bytes too early"),
        (IMAGES, GOOD[IMAGES] + b"!", "it is longer than its header says"),
        (LABELS, GOOD[LABELS] + b"!", "it is longer than its header says"),
        (IMAGES, b"", "it ends 4 bytes too early"),
        (LABELS, GOOD[IMAGES], "it begins with 0x803, not 0x801"),
        (LABELS, idx(0x801, (5,), bytes(5)), "4 images and 5 labels of 'train'"),
        (LABELS, idx(0x801, (4,), bytes(2)), "it ends 2 bytes too early|more than a file"),
    ],
)
def test_a_damaged_idx_file_is_refused_by_name(refused, tmp_path, name, content, why, is_packed):
    folder = tmp_path / "digits"
    folder.mkdir()
    for each, good in GOOD.items():
        chosen = content if each == name else good
        path = folder / (each + ".gz" if is_packed else each)
        path.write_bytes(gzip.compress(chosen) if is_packed else chosen)
    refused(folder, why)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-12],
        lambda content: content[5:],
        lambda content: content[:10] + b"\xff" + content[11:],  # 0xff is no kind of deflate block
        lambda content: content[:40] + b"\xff" * 20 + content[60:],  # the checksum alone detects this
    ],
    ids=["end", "beginning", "block", "content"],
)
def test_a_damaged_gzip_is_refused_by_name(refused, tmp_path, damage):
    folder = tmp_path / "digits"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, 256, dtype=np.uint8).tobytes()
    (folder / f"{IMAGES}.gz").write_bytes(damage(gzip.compress(idx(0x803, (4, 8, 8), noise))))
    refused(folder, rf"digits.*{IMAGES}\.gz is damaged: .*Replace it by the original")
