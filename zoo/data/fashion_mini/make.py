"""Makes the four files in this folder from Fashion-MNIST's originals: `python make.py FOLDER_OF_THE_ORIGINALS`."""

import gzip
import struct
import sys
from pathlib import Path

HERE = Path(__file__).parent
COUNTS = {"train": 10_000, "t10k": 2_000}


def first_images(stream: bytes, count: int) -> bytes:
    """An IDX3 stream of the first `count` images: magic, count, rows, columns (big-endian uint32), uint8 pixels."""
    magic, _, rows, columns = struct.unpack(">IIII", stream[:16])
    return struct.pack(">IIII", magic, count, rows, columns) + stream[16 : 16 + count * rows * columns]


def first_labels(stream: bytes, count: int) -> bytes:
    """An IDX1 stream of the first `count` labels: magic, count as big-endian uint32, then uint8 labels."""
    magic, _ = struct.unpack(">II", stream[:8])
    return struct.pack(">II", magic, count) + stream[8 : 8 + count]


def make(originals: Path, target: Path = HERE) -> None:
    """Writes the first images and labels of each split; compressed bytes may differ between versions of zlib."""
    for prefix, count in COUNTS.items():
        for kind, first in (("images-idx3", first_images), ("labels-idx1", first_labels)):
            name = f"{prefix}-{kind}-ubyte.gz"
            stream = gzip.decompress((originals / name).read_bytes())
            # With mtime=0 the bytes do not depend on the time of writing.
            (target / name).write_bytes(gzip.compress(first(stream, count), compresslevel=9, mtime=0))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
