"""A .npy or .npz file, of which an array is read as a stream, packed or not: memory is bounded whatever its size."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np

from zoo.data.sources.idx import check_end, check_length, exactly
from zoo.errors import ZooError

ARRAYS = (".npy", ".npz")
NPY = ".npy"
ALONE = "samples"  # the name that the only array of an .npy file gets
BLOCK = 2**24  # bytes read at once
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the compression methods that NumPy writes
UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class ArrayFile:
    """The arrays of a file by name; any damage becomes a ZooError."""

    path: Path

    @cached_property
    def names(self) -> list[str]:
        """Of every array, in the order of the file."""
        if self.path.suffix.lower() == NPY:
            return [ALONE]
        try:
            with zipfile.ZipFile(self.path) as archive:
                return [name.removesuffix(NPY) for name in archive.namelist() if name.endswith(NPY)]
        except UNREADABLE as error:
            raise self._unreadable(error) from error

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and dtype of an array."""
        with self._opened(name) as (_, shape, dtype):
            return shape, dtype.newbyteorder("=")

    def blocks(self, name: str) -> Iterator[tuple[int, np.ndarray]]:
        """(number of the first row, rows (B, ...)) of an array, BLOCK bytes at a time."""
        with self._opened(name) as (file, (count, *sample), dtype):
            bytes_a_row = math.prod(sample) * dtype.itemsize
            rows = max(1, BLOCK // bytes_a_row)
            for start in range(0, count, rows):
                length = min(rows, count - start)
                block = np.frombuffer(exactly(file, length * bytes_a_row), dtype)
                yield start, block.reshape(length, *sample).astype(dtype.newbyteorder("="), copy=False)
            check_end(file)

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
        """(file positioned behind the header, shape, dtype) of an array; any damage of the file becomes a ZooError."""
        try:
            with self._stream(name) as file:
                shape, fortran, dtype = array_header(file)
                if dtype.hasobject:
                    raise ValueError("arrays of Python objects are refused: reading them could run any program")
                if fortran and len(shape) > 1:
                    raise ValueError("it is in Fortran's order: save it again as np.ascontiguousarray(array)")
                if not shape:
                    raise ValueError("it holds a single number")
                if min(shape) < 0 or not math.prod(shape[1:]) * dtype.itemsize:
                    raise ValueError(f"its samples are empty: {dtype} {shape}")
                check_length(math.prod(shape) * dtype.itemsize, self.path, packed=self.path.suffix.lower() != NPY)
                yield file, shape, dtype
        except UNREADABLE as error:
            raise self._unreadable(error) from error

    @contextmanager
    def _stream(self, name: str) -> Iterator[IO[bytes]]:
        if self.path.suffix.lower() == NPY:
            with self.path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}{NPY}") as member:
            if archive.getinfo(f"{name}{NPY}").compress_type not in METHODS:
                raise ValueError("it is packed by a method that NumPy does not write: save it by np.savez_compressed")
            yield member

    def _unreadable(self, error: Exception) -> ZooError:
        return ZooError(f"Cannot read {self.path}: {error}.")


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether in Fortran's order, dtype) of the .npy that begins here; raises ValueError for anything else."""
    version = np.lib.format.read_magic(file)
    if version not in READERS:
        raise ValueError(f"format {version} of .npy")
    try:
        return READERS[version](file)
    except Exception as error:  # NumPy parses the header as Python, which raises many kinds of errors for what is none
        raise ValueError(f"its header is garbled: {error}") from error
