import gzip
import hashlib
import io
import socket
import struct
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from zoo.data.tfds.quiet import imported_tfds

# .invalid is reserved: no name server knows it.
NOWHERE = "http://fashion.invalid/"


def idx(array: np.ndarray) -> bytes:
    """A gzipped IDX file of uint8 values, the format of MNIST's files."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def url_infos(files: dict[str, tuple[str, bytes]]):
    """TFDS' records of these files, given as name: (address, bytes)."""
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
        """Writes the files into TFDS' manual folder, which it returns."""
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


def smooth_faces() -> dict[str, bytes]:
    """Five JPEGs of CelebA's size by name: colour ramps, which survive two different JPEG decoders."""
    rows, columns = np.indices((218, 178))
    encoded = {}
    for number in range(5):
        image = np.stack([rows, columns, np.full_like(rows, 40 * number)], axis=-1).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "jpeg", quality=95)
        encoded[f"{number + 1:06}.jpg"] = buffer.getvalue()
    return encoded


class SmallCeleba:
    """A small imitation of CelebA's five files: five faces, of which the first three are the training split.

    The second and the fourth smile, the first, second and fifth are male.
    The files have the original's formats and, for TFDS, checksums of their own.
    """

    SMILING = (False, True, False, True, False)
    MALE = (True, True, False, False, True)
    PARTITION = "00012"
    CONSTANTS: ClassVar = {  # the constants of TFDS' builder that hold the files' URLs
        "IMG_ALIGNED_DATA": "img_align_celeba.zip",
        "EVAL_LIST": "list_eval_partition.txt",
        "LANDMARKS_DATA": "list_landmarks_align_celeba.txt",
        "ATTR_DATA": "list_attr_celeba.txt",
        "IDENTITY_DATA": "identity_CelebA.txt",
    }

    def __init__(self, monkeypatch):
        from tensorflow_datasets.datasets.celeb_a import celeb_a_dataset_builder as builder

        self.faces = smooth_faces()
        self.attributes = list(builder.ATTR_HEADINGS)
        partition = zip(self.faces, self.PARTITION, strict=True)
        self.files = {
            "img_align_celeba.zip": self.zipped("img_align_celeba/"),
            "list_attr_celeba.txt": self.table(self.attributes, self.values),
            "list_landmarks_align_celeba.txt": self.table(builder.LANDMARK_HEADINGS, lambda _: ["1"] * 10),
            "list_eval_partition.txt": "".join(f"{name} {part}\n" for name, part in partition).encode(),
            "identity_CelebA.txt": "".join(f"{name} 7\n" for name in self.faces).encode(),
        }
        self._module, self._monkeypatch = builder, monkeypatch
        self._class = imported_tfds().builder_cls("celeb_a")
        urls = {name: getattr(builder, constant) for constant, name in self.CONSTANTS.items()}
        monkeypatch.setattr(self._class, "url_infos", url_infos({n: (urls[n], self.files[n]) for n in self.files}))

    def values(self, row: int) -> list[str]:
        """A row of attributes: nothing but `Smiling` and `Male` differ."""
        different = {"Smiling": self.SMILING, "Male": self.MALE}
        return ["-1" if name in different and not different[name][row] else "1" for name in self.attributes]

    def table(self, headings, values) -> bytes:
        """A list in the original's format: the count, the headings, a line for each image."""
        rows = [f"{name} {' '.join(values(row))}" for row, name in enumerate(self.faces)]
        return "\n".join([str(len(self.faces)), " ".join(headings), *rows, ""]).encode()

    def zipped(self, folder: str) -> bytes:
        """The faces as a zip."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            for name, content in self.faces.items():
                zipped.writestr(folder + name, content)
        return archive.getvalue()

    def csv_lists(self) -> dict[str, bytes]:
        """The lists in the format of the most common copy."""
        attributes = [f"{name},{','.join(self.values(row))}" for row, name in enumerate(self.faces)]
        parts = [f"{name},{part}" for name, part in zip(self.faces, self.PARTITION, strict=True)]
        return {
            "list_attr_celeba.csv": "\n".join([f"image_id,{','.join(self.attributes)}", *attributes, ""]).encode(),
            "list_eval_partition.csv": "\n".join(["image_id,partition", *parts, ""]).encode(),
        }

    def put_into(self, folder: Path) -> Path:
        """Writes the five files; returns the folder."""
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder

    def pixels(self) -> list[np.ndarray]:
        """The faces as Pillow decodes them."""
        return [np.asarray(Image.open(io.BytesIO(content))) for content in self.faces.values()]

    def serve_from(self, address: str) -> None:
        """Makes TFDS download the files from `address`."""
        infos = url_infos({name: (address + name, content) for name, content in self.files.items()})
        self._monkeypatch.setattr(self._class, "url_infos", infos)
        for constant, name in self.CONSTANTS.items():
            self._monkeypatch.setattr(self._module, constant, address + name)


@pytest.fixture
def small_celeba(monkeypatch):
    return SmallCeleba(monkeypatch)


@pytest.fixture
def no_network(monkeypatch):
    """Makes every connection fail."""

    def refused(*_, **__):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refused)
