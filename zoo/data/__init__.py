"""Any source of samples, to an array on disk, to batches that are a pure function of (seed, step).

opening.py       from a name or a path to a dataset; preparing.py what is not prepared yet
options.py       what is asked of it: split, size, crop, channels, labels
splits.py        which rows a split means
sources/         folders, zips, arrays, MNIST's files, points, stacked digits, copies of CelebA
tfds/            whatever TFDS has
images.py        a single image of any kind to 8 bits, a centre crop and a size
prepared/        the arrays on disk: written whole, found by name, verified, exported, removed
dataset.py       a prepared split, read by memory map
order.py         the order in which training sees samples
"""

from typing import TYPE_CHECKING, Any

from zoo.data.prepared.directory import data_directory, prepared_sets

if TYPE_CHECKING:
    from zoo.data.dataset import Dataset
    from zoo.data.opening import expected_shape, open_dataset
    from zoo.data.options import DataOptions
    from zoo.data.order import SampleOrder

__all__ = [
    "DataOptions",
    "Dataset",
    "SampleOrder",
    "data_directory",
    "expected_shape",
    "open_dataset",
    "prepared_sets",
]

# Loaded on first use: the command line lists prepared data without paying for NumPy.
_HOMES = {
    "DataOptions": "zoo.data.options",
    "Dataset": "zoo.data.dataset",
    "SampleOrder": "zoo.data.order",
    "expected_shape": "zoo.data.opening",
    "open_dataset": "zoo.data.opening",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
