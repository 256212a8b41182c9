import pickle
import re
import struct
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.feature_networks.torch_file import read_tensors

GOLDEN = Path(__file__).with_name("golden")
FORMATS = ("torch_zip.pth", "torch_legacy.pth")
DAMAGED = 1500  # copies of each file
in_both_formats = pytest.mark.parametrize("name", FORMATS)
Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(data: bytes) -> Path:
        path = tmp_path / "weights.pth"
        path.write_bytes(data)
        return path

    return make


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def whole(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def described(shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0, count: int = 4) -> bytes:
    """The pickle of {"x": a tensor}, written by hand."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + whole(count) + b"tQ"
    sizes = b"".join(b"(" + b"".join(map(whole, each)) + b"t" for each in (shape, strides))
    arguments = b"(" + storage + whole(offset) + sizes + b"\x89)t"
    return b"\x80\x02}" + text("x") + b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Rs."


def archive(described: bytes, storage: bytes = np.arange(4, dtype="<f4").tobytes(), **more: bytes) -> bytes:
    """A file of the newer format."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in {"data.pkl": described, "data/0": storage, **more}.items():
            made.writestr(f"archive/{name}", content)
    return buffer.getvalue()


@in_both_formats
def test_every_tensor_is_what_torch_saved(name: str) -> None:
    found = read_tensors(GOLDEN / name)
    with np.load(GOLDEN / "torch_files.npz") as expected:
        assert list(found) == expected.files
        for each in expected.files:
            np.testing.assert_array_equal(found[each], expected[each], strict=True, err_msg=each)


@in_both_formats
def test_tensors_that_shared_a_storage_have_memory_of_their_own(name: str) -> None:
    found = read_tensors(GOLDEN / name)
    found["whole"][:] = 0
    assert np.abs(found["last"]).min() > 0
    assert all(each.flags.writeable and each.flags.c_contiguous for each in found.values())


@in_both_formats
def test_a_file_that_is_cut_short_anywhere_is_refused(name: str, write: Write) -> None:
    data = (GOLDEN / name).read_bytes()
    for length in range(0, len(data) - 1, 7):
        with pytest.raises(ZooError, match=r"weights\.pth"):
            read_tensors(write(data[:length]))


@in_both_formats
def test_damaged_bytes_give_arrays_or_a_zoo_error_and_never_much_memory(name: str, write: Write) -> None:
    data = np.frombuffer((GOLDEN / name).read_bytes(), np.uint8)
    draw = np.random.default_rng(20)
    refused = 0
    for _ in range(DAMAGED):
        damaged = data.copy()
        places = draw.integers(0, len(data), draw.integers(1, 6))
        damaged[places] = draw.integers(0, 256, len(places))
        try:
            found = read_tensors(write(damaged.tobytes()))
        except ZooError:
            refused += 1
        else:
            assert sum(each.nbytes for each in found.values()) <= 16 * len(data)
    assert 0 < refused <= DAMAGED


@pytest.mark.parametrize("seed", range(5))
def test_damaged_descriptions_in_a_whole_archive_are_never_fatal(seed: int, write: Write) -> None:
    """The checksums of the zip format would catch them before."""
    with zipfile.ZipFile(GOLDEN / "torch_zip.pth") as whole_archive:
        pickled = whole_archive.read("torch_zip/data.pkl")
    draw = np.random.default_rng(seed)
    for _ in range(300):
        damaged = np.frombuffer(pickled, np.uint8).copy()
        places = draw.integers(0, len(damaged), draw.integers(1, 4))
        damaged[places] = draw.integers(0, 256, len(places))
        try:
            found = read_tensors(write(archive(damaged.tobytes())))
        except ZooError:
            continue
        assert all(isinstance(each, np.ndarray) for each in found.values())


class Touching:
    """What an unpickler would write a file for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_code_in_a_file_is_named_and_not_executed(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "touched"
    harmful = pickle.dumps({"x": Touching(path)}, protocol=2)
    module = re.escape(Path.__module__)
    with pytest.raises(ZooError, match=rf"the class '(builtins.getattr|__builtin__.getattr|{module}.*)'"):
        read_tensors(write(archive(harmful)))
    assert not path.exists()
    pickle.loads(harmful)
    assert path.exists()


def test_a_whole_module_is_refused_by_the_name_of_its_class() -> None:
    with pytest.raises(ZooError, match=r"the class 'torch\.nn\.modules\.linear\.Linear'"):
        read_tensors(GOLDEN / "torch_module.pth")


def test_a_checkpoint_with_more_than_tensors_is_refused_by_the_name_of_the_entry() -> None:
    with pytest.raises(ZooError, match="under 'state_dict' a dict, where a tensor was expected"):
        read_tensors(GOLDEN / "torch_nested.pth")


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x80\x02K\x01.", pickle.dumps([1]), b"\x89PNG\r\n"])
def test_what_is_no_file_of_torch_is_refused(data: bytes, write: Write) -> None:
    with pytest.raises(ZooError, match="can't be read as tensors of PyTorch"):
        read_tensors(write(data))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"nowhere\.pth can't be read: No such file"):
        read_tensors(tmp_path / "nowhere.pth")


def test_a_tensor_described_by_hand_is_read(write: Write) -> None:
    found = read_tensors(write(archive(described((2, 2), (1, 2)))))["x"]
    np.testing.assert_array_equal(found, np.float32([[0, 2], [1, 3]]), strict=True)


def test_numbers_of_a_big_endian_machine_are_read(write: Write) -> None:
    data = archive(described((4,), (1,)), np.arange(4, dtype=">f4").tobytes(), byteorder=b"big")
    np.testing.assert_array_equal(read_tensors(write(data))["x"], np.arange(4, dtype="f4"), strict=True)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((5,), (1,), 0),
        ((2,), (1,), 3),
        ((2, 2), (2, 2), 0),
        ((1000000, 1000000), (0, 0), 0),
        ((2**62, 4), (1, 1), 0),
        ((2,), (-1,), 3),
        ((-1,), (1,), 0),
        ((2,), (1,), -1),
        ((0,), (1,), 5),
        ((2, 2), (1,), 0),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(
    shape: tuple[int, ...], strides: tuple[int, ...], offset: int, write: Write
) -> None:
    with pytest.raises(ZooError, match="a tensor of shape"):
        read_tensors(write(archive(described(shape, strides, offset))))


def test_a_storage_of_another_length_than_described_is_refused(write: Write) -> None:
    with pytest.raises(ZooError, match="a storage of 4 elements that should have 9"):
        read_tensors(write(archive(described((4,), (1,), count=9))))


def test_a_compressed_archive_is_refused_before_it_is_unpacked(write: Write) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("archive/data.pkl", bytes(10**6))
    with pytest.raises(ZooError, match=r"'archive/data\.pkl' compressed"):
        read_tensors(write(buffer.getvalue()))


def test_a_description_that_remembers_under_huge_numbers_needs_no_memory(write: Write) -> None:
    with pytest.raises(ZooError, match="a list, where tensors by name were expected"):
        read_tensors(write(archive(b"\x80\x02]r\xff\xff\xff\xff.")))


def test_deeply_nested_tuples_do_not_overflow_the_stack(write: Write) -> None:
    nested = b"\x80\x02})" + b"\x85" * (20 * sys.getrecursionlimit()) + b"K\x01s."
    with pytest.raises(ZooError, match="a key that is neither a text nor a number"):
        read_tensors(write(archive(nested)))
