import gzip
import hashlib
import io
import struct
import zipfile
from pathlib import Path

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


def smooth_faces() -> dict[str, bytes]:
    """Five JPEGs of CelebA's size by name: colour ramps, which survive two different JPEG decoders."""
    rows, columns = np.indices((218, 178))
    encoded = {}
    for number in range(5):
        image = np.stack([rows, columns, np.full_like(rows, 40 * number)], axis=-1).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "jpeg", quality=95)
        encoded[f"{number:06}.jpg"] = buffer.getvalue()
    return encoded


def celeba_files(faces: dict[str, bytes]) -> dict[str, bytes]:
    """CelebA's five files for these faces, of which the first three are the training split."""
    from tensorflow_datasets.datasets.celeb_a import celeb_a_dataset_builder as builder

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, content in faces.items():
            zipped.writestr(f"img_align_celeba/{name}", content)

    def table(headings):
        rows = [f"{name} {' '.join(['1'] * len(headings))}" for name in faces]
        return "\n".join([str(len(faces)), " ".join(headings), *rows, ""]).encode()

    return {
        "img_align_celeba.zip": archive.getvalue(),
        "list_attr_celeba.txt": table(builder.ATTR_HEADINGS),
        "list_landmarks_align_celeba.txt": table(builder.LANDMARK_HEADINGS),
        "list_eval_partition.txt": "".join(f"{n} {p}\n" for n, p in zip(faces, "00012", strict=True)).encode(),
        "identity_CelebA.txt": "".join(f"{name} 7\n" for name in faces).encode(),
    }


@pytest.fixture
def small_celeba(tmp_path, monkeypatch):
    """Puts a small CelebA into the manual folder of tmp_path; the decoded faces of its training split."""
    builder_class = imported_tfds().builder_cls("celeb_a")
    urls = {info.filename: url for url, info in builder_class.url_infos.items()}
    faces = smooth_faces()
    files = celeba_files(faces)
    monkeypatch.setattr(builder_class, "url_infos", url_infos({n: (urls[n], files[n]) for n in files}))
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    for name, content in files.items():
        (manual / name).write_bytes(content)
    return [np.asarray(Image.open(io.BytesIO(content))) for content in list(faces.values())[:3]]
