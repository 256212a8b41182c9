import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from zoo.data.tfds_quiet import imported_tfds

# .invalid is reserved: no name server knows it.
NOWHERE = "http://fashion.invalid/"


def idx(array: np.ndarray) -> bytes:
    """A gzipped IDX file of uint8 values, the format of MNIST's files."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def url_infos(files: dict[str, tuple[str, bytes]]):
    """What TFDS would have recorded for these files, given as name: (address, bytes)."""
    from tensorflow_datasets.core.download.checksums import UrlInfo

    return {
        url: UrlInfo(size=len(content), checksum=hashlib.sha256(content).hexdigest(), filename=name)
        for name, (url, content) in files.items()
    }


class SmallFashion:
    """A small imitation of Fashion-MNIST's four files, with their checksums put in place of the originals'."""

    def __init__(self, builder_class, monkeypatch):
        generator = np.random.default_rng(0)
        self.images = {"train": generator.integers(0, 256, (20, 28, 28), dtype=np.uint8)}
        self.images["t10k"] = generator.integers(0, 256, (10, 28, 28), dtype=np.uint8)
        self.files = {}
        for prefix, images in self.images.items():
            labels = np.arange(len(images), dtype=np.uint8) % 10
            self.files[f"{prefix}-images-idx3-ubyte.gz"] = idx(images)
            self.files[f"{prefix}-labels-idx1-ubyte.gz"] = idx(labels)
        self._class, self._monkeypatch = builder_class, monkeypatch
        self.serve_from(NOWHERE)

    def serve_from(self, address: str) -> None:
        """Makes TFDS expect the files at `address`."""
        infos = url_infos({name: (address + name, content) for name, content in self.files.items()})
        self._monkeypatch.setattr(self._class, "URL", address)
        self._monkeypatch.setattr(self._class, "url_infos", infos)

    def put_into(self, data_dir: Path, leave_out: str = "") -> Path:
        """Puts the files where the user would; returns the folder."""
        manual = data_dir / "downloads" / "manual"
        manual.mkdir(parents=True)
        for name, content in self.files.items():
            if name != leave_out:
                (manual / name).write_bytes(content)
        return manual


@pytest.fixture
def small_fashion(monkeypatch):
    from tensorflow_datasets.image_classification import mnist

    builder_class = imported_tfds().builder_cls("fashion_mnist")
    monkeypatch.setattr(mnist, "_TRAIN_EXAMPLES", 20)
    monkeypatch.setattr(mnist, "_TEST_EXAMPLES", 10)
    return SmallFashion(builder_class, monkeypatch)
