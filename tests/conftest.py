"""What all tests share: tiny datasets made in memory, and a folder in which the embedded data is prepared once."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zoo.data import Dataset

SHAPES = {"1 channel": (16, 16, 1), "3 channels": (16, 16, 3), "points": (2,)}


@pytest.fixture
def tiny_dataset() -> Callable[..., Dataset]:
    """Makes a dataset of random samples of a shape: uint8 images or float32 points."""

    def make(shape: tuple[int, ...] = (16, 16, 1), count: int = 40, classes: int | None = None) -> Dataset:
        draw = np.random.default_rng(0)
        is_image = len(shape) == 3
        samples = (
            draw.integers(0, 256, (count, *shape), dtype=np.uint8)
            if is_image
            else draw.normal(size=(count, *shape)).astype("float32")
        )
        labels = draw.integers(0, classes, count) if classes else None
        return Dataset(
            name="tiny",
            split="train",
            samples=samples,
            labels=labels,
            classes=classes,
            class_names=(),
            scale=1.0,
            fingerprint="tiny",
            description={"source": "random numbers"},
        )

    return make


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for all tests of a worker, so that the embedded dataset is prepared once."""
    return tmp_path_factory.mktemp("data")
