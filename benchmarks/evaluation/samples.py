"""The real images that the benchmarks of evaluation use, and their features, cached on disk."""

import argparse
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.progress import Lines
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, Dataset, open_dataset
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.lookup import WITHOUT_NETWORK, open_extractor
from zoo.evaluation.features import real_side
from zoo.evaluation.images import selected
from zoo.evaluation.metrics.contract import Side
from zoo.evaluation.task import extractor_record

TITLES = {"fashion_mnist": "Fashion-MNIST"}


@dataclass(frozen=True)
class Splits:
    """Both halves of a dataset under the title that its numbers carry."""

    title: str
    train: Dataset
    test: Dataset

    @property
    def file_name(self) -> str:
        """`cifar-10-jpeg` of CIFAR-10 (JPEG)."""
        letters = "".join(each if each.isalnum() else " " for each in self.title.lower())
        return "-".join(letters.split())

    @property
    def record(self) -> dict[str, Any]:
        """The dataset's data in a report, without its folder."""
        halves = {"train": self.train, "test": self.test}
        counted = {name: {"images": half.count, "fingerprint": half.fingerprint} for name, half in halves.items()}
        return {"title": self.title, "sample_shape": list(self.test.sample_shape), **counted}


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--dataset`, `--data-dir` and `--extractor`."""
    parser.add_argument(
        "--dataset",
        action="append",
        metavar="NAME[=TITLE]",
        help="a dataset or a path; TITLE is what its numbers are called; may be given again [fashion_mnist]",
    )
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--extractor", default=WITHOUT_NETWORK)


def opened(wanted: str, data_dir: Path | None) -> Splits:
    """Both splits of NAME or NAME=TITLE."""
    name, _, title = wanted.partition("=")
    path = Path(name)
    where = str(path.resolve()) if path.exists() else name
    train, test = (
        open_dataset(where, read_catalogue(), data_dir=data_dir, options=DataOptions(split=split), progress=Lines())
        for split in ("train", "test")
    )
    return Splits(title or TITLES.get(name, path.stem), train, test)


def some_of(dataset: Dataset, count: int) -> np.ndarray:
    """The `count` images (N, H, W, C), or all of fewer, that `zoo evaluate` would take, in memory."""
    with tempfile.TemporaryDirectory() as folder:
        return np.array(selected(dataset, count, Path(folder) / "selected.npy"))


@dataclass(frozen=True)
class Measurer:
    """Features of images, from the cache where the same images were measured before."""

    extractor: Extractor
    data_dir: Path | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Measurer":
        """A cache for the requested extractor."""
        extractor = open_extractor(arguments.extractor, read_catalogue(), None, None, Lines())
        return cls(extractor, arguments.data_dir)

    @property
    def record(self) -> dict[str, str]:
        """The extractor's part of a protocol."""
        return extractor_record(self.extractor)

    def side(self, images: np.ndarray) -> Side:
        """The images with their features."""
        key = {"fingerprint": fingerprint(images), "count": len(images), "extractor": self.record}
        return real_side(images, key, self.extractor, self.data_dir, Lines())


def fingerprint(images: np.ndarray) -> str:
    """A sha256 of shape and values."""
    return sha256(str(images.shape).encode() + np.ascontiguousarray(images).tobytes()).hexdigest()


def rows_of(side: Side, rows: np.ndarray) -> Side:
    """A side of some rows, in that order; rows may be repeated."""
    parts = {
        name: np.asarray(array)[rows]
        for name in ("samples", "features", "logits", "modes")
        if (array := getattr(side, name)) is not None
    }
    return Side(**parts)
