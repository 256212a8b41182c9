"""State dicts as torch.save writes them, without torch."""

import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

TORCH, UTILS = types.ModuleType("torch"), types.ModuleType("torch._utils")


class FloatStorage:
    """Named by pickles as the kind of a storage."""

    __module__ = "torch"


def _rebuild_tensor_v2(*_: Any) -> None:
    """Named by pickles as what makes tensors."""


_rebuild_tensor_v2.__module__ = "torch._utils"
TORCH.FloatStorage, UTILS._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2  # type: ignore[attr-defined]


class Stored:
    """A tensor whose pickle is torch's."""

    def __init__(self, key: str, array: np.ndarray) -> None:
        self.key, self.array = key, array

    def __reduce__(self) -> tuple[Any, ...]:
        array = self.array
        strides = tuple(stride // array.itemsize for stride in array.strides)
        return _rebuild_tensor_v2, (Storage(self.key, array.size), 0, array.shape, strides, False, OrderedDict())


class Storage:
    """The numbers of a tensor, which a pickle names."""

    def __init__(self, key: str, size: int) -> None:
        self.key, self.size = key, size


class Pickler(pickle.Pickler):
    """Names storages instead of writing them."""

    def persistent_id(self, found: Any) -> Any:
        return ("storage", FloatStorage, found.key, "cpu", found.size) if isinstance(found, Storage) else None


def save(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """Writes float32 tensors as a .pth file in the newer format."""
    arrays = {name: np.ascontiguousarray(each, "<f4") for name, each in tensors.items()}
    described = BytesIO()
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": TORCH, "torch._utils": UTILS}
    try:
        state = OrderedDict((name, Stored(str(key), each)) for key, (name, each) in enumerate(arrays.items()))
        Pickler(described, 2).dump(state)
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", described.getvalue())
        for key, each in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{key}", each.tobytes())
    return path
