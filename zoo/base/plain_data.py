"""Values as JSON and YAML give them back, so that what is compared before writing equals what is read."""

import json
import math
import os
from collections.abc import Mapping
from typing import Any

from zoo.errors import ZooError

SCALARS = (str, int, float)


def plain(value: Any, where: str = "the record") -> Any:
    """The value in lists, dicts by text, text, numbers, booleans and None.

    NumPy's numbers and arrays and paths are converted. Raises ZooError, with the value's place, for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    if kind := next((each for each in SCALARS if isinstance(value, each)), None):
        return kind(value)  # of a subclass, such as an enumeration or NumPy's float64, the value alone
    if isinstance(value, Mapping):
        return plain_mapping(value, where)
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(each, f"{where}[{index}]") for index, each in enumerate(value)]
        return sorted(items) if isinstance(value, set | frozenset) else items
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if hasattr(value, "tolist"):  # NumPy's
        return plain(value.tolist(), where)
    raise ZooError(
        f"{where} can't be written: it is a {type(value).__name__}. Give text, numbers, true, false, lists or mappings."
    )


def plain_mapping(mapping: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """The mapping by text, as JSON writes keys; raises ZooError where two of them read alike."""
    found = {}
    for key, value in mapping.items():
        text = str(key) if isinstance(key, str) else json.dumps(plain(key, where))
        found[text] = plain(value, f"{where}.{text}")
    if len(found) < len(mapping):
        raise ZooError(f"{where} can't be written: two of its keys read alike.")
    return found


def plain_json(value: Any) -> Any:
    """The value with None in place of NaN and infinities, which JSON can't hold."""
    if isinstance(value, Mapping):
        return {key: plain_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
