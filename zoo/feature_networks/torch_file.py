"""The tensors of a PyTorch file (`.pth`) without PyTorch, in both of its formats; nothing in the file is executed.

The older format is five pickles (a magic number, the protocol, facts about the machine, the object, the keys of the
storages) and the storages, each behind its number of elements. The newer one is a zip file with `data.pkl` and a file
for each storage in `data/`. Both are described by torch/serialization.py.
"""

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo.errors import ZooError
from zoo.feature_networks.torch_pickle import Machine, Storage, Stored

Weights = dict[str, np.ndarray]  # a state dict: tensors by name
MAGIC = 0x1950A86A20F9469CFC6C  # begins the older format
PROTOCOL = 1001  # of the older format
ZIP = b"PK\x03\x04"
MOST_SHARED = 16  # times a file's size: its tensors may share storages, but what claims more is damaged
MOST_AXES = 32
ADVICE = "Give a file that torch.save wrote from a state dict, whole as it was published."


def read_tensors(path: Path) -> Weights:
    """The tensors of a state dict by name, in memory of their own, in the order of the file.

    Raises ZooError where the file is damaged, none of PyTorch's, or holds anything but tensors by name.
    """
    with described(path):
        data = path.read_bytes()
        found, storages = (newer if data.startswith(ZIP) else older)(data)
        return tensors(found, storages, MOST_SHARED * len(data))


@contextmanager
def described(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside becomes a ZooError that names the file."""
    try:
        yield
    except ZooError as error:
        raise ZooError(f"{path} can't be read as tensors of PyTorch: it holds {error}. {ADVICE}") from error
    except OSError as error:
        raise ZooError(f"{path} can't be read: {error.strerror or error}.") from error
    except Exception as error:  # garbled bytes fail in a dozen ways
        raise ZooError(
            f"{path} can't be read as tensors of PyTorch: it is damaged, or no such file "
            f"({type(error).__name__}: {error}). {ADVICE}"
        ) from error


class Storages:
    """The numbers of the storages of one file by their keys, and the order of their bytes."""

    def __init__(self, contents: Mapping[str, bytes | memoryview], order: Literal["<", ">"]) -> None:
        self.contents, self.order = contents, order

    def array(self, storage: Storage) -> np.ndarray:
        """All elements of a storage, where they lie in the file; it must have as many as the tensor's pickle says."""
        if storage.key not in self.contents:
            raise ZooError(f"a tensor in a storage '{storage.key}' that is not there")
        array = np.frombuffer(self.contents[storage.key], np.dtype(storage.elements).newbyteorder(self.order))
        if len(array) != storage.length:
            raise ZooError(f"a storage of {len(array)} elements that should have {storage.length}")
        return array


def older(data: bytes) -> tuple[Any, Storages]:
    """What five pickles in a row describe, and the storages behind them."""
    file = BytesIO(data)
    if Machine(file).run() != MAGIC or Machine(file).run() != PROTOCOL:
        raise ZooError("another beginning than PyTorch's")
    machine, found, keys = (Machine(file).run() for _ in range(3))
    sizes = {each.key: np.dtype(each.elements).itemsize for each in storages_of(found)}
    order: Literal["<", ">"] = "<" if machine["little_endian"] else ">"
    contents = {}
    for key in keys:
        count = int(np.frombuffer(read(data, file, 8), f"{order}i8")[0])
        contents[key] = read(data, file, count * sizes[key])
    return found, Storages(contents, order)


def read(data: bytes, file: BytesIO, count: int) -> memoryview:
    """The next `count` bytes of a file that holds `data`, without a copy of them."""
    rest = memoryview(data)[file.tell() :]
    if not 0 <= count <= len(rest):
        raise ZooError(f"{len(rest)} bytes where {count} should follow: it is cut short or damaged")
    file.seek(count, os.SEEK_CUR)
    return rest[:count]


def newer(data: bytes) -> tuple[Any, Storages]:
    """What `data.pkl` describes, and the other files of the archive."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
        for entry in entries:
            # torch.save never compresses, so nothing can grow beyond the size of the file
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise ZooError(f"'{entry.filename}' compressed, as torch.save does not write it")
        if sum(entry.file_size for entry in entries) > len(data):
            raise ZooError("entries larger than itself")
        contents = {entry.filename.partition("/")[2]: archive.read(entry) for entry in entries}
    if "data.pkl" not in contents:
        raise ZooError("no data.pkl: it is a zip file, but not one of PyTorch")
    order: Literal["<", ">"] = ">" if contents.get("byteorder") == b"big" else "<"
    stored = {name.removeprefix("data/"): each for name, each in contents.items() if name.startswith("data/")}
    return Machine(BytesIO(contents["data.pkl"])).run(), Storages(stored, order)


def storages_of(found: Any) -> Iterator[Storage]:
    """The storages of the tensors of a state dict."""
    for tensor in named(found).values():
        yield tensor.storage


def named(found: Any) -> dict[str, Stored]:
    """What was found, where it is tensors by name."""
    if not isinstance(found, dict):
        raise ZooError(f"a {type(found).__name__}, where tensors by name were expected")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Stored):
            raise ZooError(f"under {str(name)[:80]!r} a {type(value).__name__}, where a tensor was expected")
    return found


def tensors(found: Any, storages: Storages, most: int) -> Weights:
    """Every tensor by its name, of together no more than `most` bytes."""
    made: Weights = {}
    for name, stored in named(found).items():
        made[name] = tensor(stored, storages)
        most -= made[name].nbytes
        if most < 0:
            raise ZooError("tensors that share storages so often that they are much larger than itself")
    return made


def tensor(stored: Stored, storages: Storages) -> np.ndarray:
    """A copy of the elements that a tensor has in its storage, in native order of bytes."""
    offset, shape, strides = stored.offset, stored.shape, stored.strides
    array = storages.array(stored.storage)
    if not are_lengths((offset,), shape, strides) or len(shape) != len(strides) or len(shape) > MOST_AXES:
        raise ZooError(f"a tensor of shape {str(shape)[:80]} and strides {str(strides)[:80]}")
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    count = 0 if 0 in shape else last + 1
    if max(count, offset) > len(array) or np.prod([*map(float, shape)]) > len(array):
        raise ZooError(f"a tensor of shape {shape} that reaches beyond its storage of {len(array)} elements")
    steps = [stride * array.itemsize for stride in strides] if count else None
    view = np.lib.stride_tricks.as_strided(array[offset:] if count else array[:0], shape, steps)
    return np.array(view, dtype=array.dtype.newbyteorder("="), order="C")


def are_lengths(*tuples: Any) -> bool:
    """Whether all are tuples of whole numbers that are not negative."""
    return all(isinstance(each, tuple) and all(type(one) is int and one >= 0 for one in each) for each in tuples)
