"""Any source of samples, to an array on disk, to batches that are a pure function of (seed, step)."""

from typing import TYPE_CHECKING, Any

from zoo.data.directory import data_directory, prepared_datasets

if TYPE_CHECKING:
    from zoo.data.dataset import Dataset
    from zoo.data.opening import expected_shape, open_dataset
    from zoo.data.order import SampleOrder

__all__ = ["Dataset", "SampleOrder", "data_directory", "expected_shape", "open_dataset", "prepared_datasets"]

# Loaded on first use: the command line lists prepared data without paying for NumPy.
_HOMES = {
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
