"""Arrays on disk that are filled part by part, so that memory does not grow with their length."""

import shutil
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.prepared.directory import SPARE
from zoo.errors import ZooError


def new_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> "np.memmap[Any, Any]":
    """A new .npy file, mapped to be written; raises ZooError where the disk has no room for it.

    A mapped file takes its room when it is written, and a disk that is full then ends the process.
    """
    needed, free = prod(shape) * np.dtype(dtype).itemsize, shutil.disk_usage(path.parent).free
    if free < needed + SPARE:
        raise ZooError(
            f"{path.parent} has {free / 1e6:,.0f} MB free, {needed / 1e6:,.0f} MB are needed for {shape[0]:,} samples. "
            "Free some space, take fewer (--samples, --real-samples), or choose other folders: --data-dir DIR for what "
            "is kept, the environment's TMPDIR for the rest."
        )
    return np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
