"""Data of TFDS that is prepared already, found by what its meta.json says: TFDS and TensorFlow need not be there."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.catalogue import DatasetEntry
from zoo.data.directory import META
from zoo.errors import ZooError


def prepared_folder(entry: DatasetEntry, wanted: tuple[str, ...], image_size: int | None, root: Path) -> Path | None:
    """The last prepared folder that holds what TFDS would make of the entry, as far as that is certain without TFDS."""
    metas = sorted(root.glob(f"[!.]*/{META}"), key=lambda path: path.stat().st_mtime, reverse=True)
    fits = (path.parent for path in metas if _fits(path, entry, wanted, image_size or entry.image_size))
    return next(fits, None)


def check_tensorflow(entry: DatasetEntry, root: Path) -> None:
    """Raises ZooError where a dataset is yet to be prepared and TensorFlow, by which TFDS does so, is missing."""
    missing = [name for name in ("tensorflow", "tensorflow_datasets") if importlib.util.find_spec(name) is None]
    if missing:
        raise ZooError(
            f"'{entry.name}' is not prepared in {root}, and to prepare it TFDS needs TensorFlow: {missing[0]} is not "
            "installed. Install gan-zoo with the extra cpu, or copy that folder from a machine on which "
            f"`zoo run dcgan --dataset {entry.name}` has prepared it, or train on a file of your own: "
            "--dataset FILE.npz."
        )


def _fits(path: Path, entry: DatasetEntry, wanted: tuple[str, ...], size: int | None) -> bool:
    """Whether a prepared folder's meta.json describes the entry at that size (None: the images' own)."""
    try:
        meta = json.loads(path.read_text())
        made: Mapping[str, Any] = meta["description"]
        source, separator, full_name = made["source"].partition(" ")
        sizes = (made["image_size"], None) if meta["native_size"] else (made["image_size"],)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # points, files, damaged, or of a version that did not say whose size it is
    return (
        (source, separator) == ("TFDS", " ")
        and _same_builder(entry.tfds or entry.name, full_name)
        and made["split"] in wanted
        and made["crop"] == entry.crop
        and (size or entry.crop) in sizes
        and all(asked in (None, made[key]) for key, asked in _keys(entry).items())
    )


def _keys(entry: DatasetEntry) -> dict[str, str | None]:
    return {"image_key": entry.image_key, "label_key": entry.label_key}


def _same_builder(reference: str, full_name: str) -> bool:
    """Whether `name`, `name/config` or either with `:version` is `name/config/version`, the config always named."""
    name, _, version = reference.partition(":")
    *prepared, prepared_version = full_name.split("/")
    return name.split("/") == prepared and version in ("", prepared_version)
