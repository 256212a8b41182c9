"""The embedded dataset as a TFDS builder: importing this module registers `fashion_mini` with TFDS."""

import gzip
import importlib.resources
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

SIDE = 28  # pixels
FILES = {"train": "train", "test": "t10k"}
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class FashionMini(tfds.core.GeneratorBasedBuilder):
    """The first 10,000 training and the first 2,000 test images of Fashion-MNIST, read from the package's own files."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="The first 10,000 training and the first 2,000 test images of Fashion-MNIST (Zalando SE, MIT).",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIDE, SIDE, 1)),
                    "label": tfds.features.ClassLabel(names=CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://github.com/zalandoresearch/fashion-mnist",
            license="MIT",
            # Keeps the original order, so that row n is image n of Fashion-MNIST.
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        return {split: self._generate_examples(prefix) for split, prefix in FILES.items()}

    def _generate_examples(self, prefix: str) -> Iterator[tuple[int, dict[str, Any]]]:
        images = _idx(f"{prefix}-images-idx3-ubyte.gz", header=16).reshape(-1, SIDE, SIDE, 1)
        labels = _idx(f"{prefix}-labels-idx1-ubyte.gz", header=8)
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield row, {"image": image, "label": int(label)}


def _idx(name: str, header: int) -> np.ndarray:
    """The uint8 values of one IDX file of the package, after its header of `header` bytes."""
    stored = importlib.resources.files("zoo.data.fashion_mini").joinpath(name).read_bytes()
    return np.frombuffer(gzip.decompress(stored), dtype=np.uint8, offset=header)
