"""Data that is prepared already, found by what its meta.json says: neither TFDS nor TensorFlow need be there."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.catalogue import DatasetEntry
from zoo.data.options import WITHOUT_LABELS, DataOptions
from zoo.data.prepared.directory import Prepared, prepared_sets
from zoo.errors import ZooError

FIXED = ("tfds", "points", "embedded", "stacked")


@dataclass(frozen=True)
class Wanted:
    """A dataset by its catalogue's entry, with the options that are asked for."""

    entry: DatasetEntry
    options: DataOptions

    @property
    def is_fixed(self) -> bool:
        """Whether its name alone says what its samples are; files may have changed since they were prepared."""
        return self.entry.kind in FIXED

    def found(self, data_dir: Path | None) -> Prepared | None:
        """The last prepared set that is what would be prepared now, as far as that is certain without its source."""
        return next((each for each in prepared_sets(data_dir) if self.fits(each.meta)), None)

    def fits(self, meta: Mapping[str, Any]) -> bool:
        """Whether a prepared set is of this dataset and looks as asked."""
        return is_of(self.entry, meta) and self._same_split(meta) and self.looks_like(meta)

    def looks_like(self, meta: Mapping[str, Any]) -> bool:
        """Whether size, crop, channels and labels are as asked, or as they are where nothing is asked."""
        used, defaults = meta["options"], meta["defaults"]
        asked = self.options
        return (
            used["crop"] == asked.crop
            and asked.image_size in (used["image_size"], *default(used, defaults, "image_size"))
            and asked.channels in (used["channels"], *default(used, defaults, "channels"))
            and asked.image_key in (used["image_key"], *default(used, defaults, "image_key"))
            and self._same_label(used["label"], defaults.get("label"))
        )

    def _same_label(self, used: str | None, unasked: str | None) -> bool:
        asked = self.options.label
        if asked is None:
            return used == unasked
        if used is None:
            return asked == WITHOUT_LABELS
        return asked in (used, used.rpartition("/")[2])

    def _same_split(self, meta: Mapping[str, Any]) -> bool:
        roles = {"train": self.entry.train, "test": self.entry.test}
        return bool(meta["split"] == self.options.split and meta["roles"] == roles)


def is_of(entry: DatasetEntry, meta: Mapping[str, Any]) -> bool:
    """Whether a prepared set is of the entry's dataset, however it looks."""
    if entry.kind == "tfds":
        of_tfds = meta["kind"] in ("tfds", "copy") and same_builder(entry.reference, meta["reference"])
        return of_tfds or bool(meta.get("imported") and meta["name"] == entry.name)
    return bool(meta["kind"] == entry.kind and meta["reference"] == entry.reference)


def default(used: Mapping[str, Any], defaults: Mapping[str, Any], name: str) -> tuple[None, ...]:
    """(None,) where what was used is what is taken unasked, so that asking for nothing means it."""
    return (None,) if used[name] == defaults.get(name) else ()


def same_builder(reference: str, full_name: str) -> bool:
    """Whether `name`, `name/config` or either with `:version` is `name/config/version`, the config always named."""
    if reference.startswith("huggingface:"):
        return reference == full_name
    name, _, version = reference.partition(":")
    *prepared, prepared_version = full_name.split("/")
    pattern = re.escape(version).replace(r"\*", r"\d+")
    return name.split("/") == prepared and (not version or re.fullmatch(pattern, prepared_version) is not None)


def check_tensorflow(entry: DatasetEntry, root: Path) -> None:
    """Raises ZooError where a dataset is yet to be prepared and TensorFlow, by which TFDS does so, is missing."""
    missing = [name for name in ("tensorflow", "tensorflow_datasets") if importlib.util.find_spec(name) is None]
    if missing:
        raise ZooError(
            f"'{entry.name}' is not prepared in {root}, and to prepare it TFDS needs TensorFlow: {missing[0]} is not "
            "installed. Install gan-zoo with the extra cpu, or bring it from a machine on which it is prepared: "
            f"zoo data export {entry.name} there, zoo data import here; or train on a file of your own: "
            "--dataset FILE.npz."
        )
