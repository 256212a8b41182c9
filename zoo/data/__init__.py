"""Any source of samples, to an array on disk, to batches that are a pure function of (seed, step).

opening.py       opens a dataset by its name or path; preparing.py prepares one first where that is needed
options.py       the requested split, size, crop, channels and labels
splits.py        the rows that a split's expression selects
sources/         reads folders, zips, arrays, MNIST's files, points, stacked digits, copies of CelebA
tfds/            reads any image dataset of TFDS
images.py        converts a single image to 8 bits, and crops and resizes it
prepared/        the arrays on disk: written atomically, found by name, verified, exported
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

# These names are imported on first use: the command line lists prepared data without waiting for NumPy.
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
