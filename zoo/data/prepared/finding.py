"""Finds prepared sets by their meta.json alone, so that neither TFDS nor TensorFlow need be installed."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from zoo.catalogue import DatasetEntry
from zoo.data.options import READING, WITHOUT_LABELS, DataOptions, attributes_in
from zoo.data.prepared.directory import Prepared, prepared_sets
from zoo.errors import ZooError

FIXED = ("tfds", "points", "stacked")  # what the package embeds may change with its version


@dataclass(frozen=True)
class DatasetRequest:
    """A dataset to open: its catalogue's entry and the requested options."""

    entry: DatasetEntry
    options: DataOptions

    @property
    def is_fixed(self) -> bool:
        """Whether its name alone says what its samples are; files may have changed since they were prepared."""
        return self.entry.kind in FIXED

    def prepared(self, data_dir: Path | None) -> Prepared | None:
        """The last prepared set that matches, as far as its meta.json says; None where there is none."""
        return next((each for each in prepared_sets(data_dir) if self.matches(each.meta)), None)

    def matches(self, meta: Mapping[str, Any]) -> bool:
        """Whether a prepared set is of this dataset, this split and these options."""
        return is_of(self.entry, meta) and self._same_split(meta) and self.matches_options(meta)

    def matches_options(self, meta: Mapping[str, Any]) -> bool:
        """Whether size, crop, channels and labels are the requested ones, or the defaults where none are requested."""
        used, defaults = meta["options"], meta["defaults"]
        requested = self.options
        return (
            used["crop"] == requested.crop
            and requested.image_size in (used["image_size"], *default(used, defaults, "image_size"))
            and requested.channels in (used["channels"], *default(used, defaults, "channels"))
            and requested.image_key in (used["image_key"], *default(used, defaults, "image_key"))
            and all(getattr(requested, name) in (used.get(name), *default(used, defaults, name)) for name in READING)
            and self._same_label(used["label"], defaults.get("label"))
        )

    def _same_label(self, used: str | None, default: str | None) -> bool:
        requested = self.options.label
        if requested is None:
            return used == default
        if used is None:
            return requested == WITHOUT_LABELS
        pairs = zip_longest(attributes_in(requested) or (requested,), attributes_in(used) or (used,))
        return all(one in (two, str(two).rpartition("/")[2]) for one, two in pairs)

    def _same_split(self, meta: Mapping[str, Any]) -> bool:
        roles = {"train": self.entry.train, "test": self.entry.test}
        return bool(meta["split"] == self.options.split and meta["roles"] == roles)


def is_of(entry: DatasetEntry, meta: Mapping[str, Any]) -> bool:
    """Whether a prepared set is of the entry's dataset, whatever its split and options."""
    if entry.kind == "tfds":
        of_tfds = meta["kind"] in ("tfds", "copy") and same_builder(entry.reference, meta["reference"])
        return of_tfds or bool(meta.get("imported") and meta["name"] == entry.name)
    return bool(meta["kind"] == entry.kind and meta["reference"] == entry.reference)


def default(used: Mapping[str, Any], defaults: Mapping[str, Any], name: str) -> tuple[None, ...]:
    """(None,) where the used value is the default, so that a request without this option matches it; else ()."""
    return (None,) if used.get(name) == defaults.get(name) else ()


def same_builder(reference: str, full_name: str) -> bool:
    """Whether `name`, `name/config` or either with `:version` refers to the builder `name/config/version`."""
    if reference.startswith("huggingface:"):
        return reference == full_name
    name, _, version = reference.partition(":")
    *prepared, prepared_version = full_name.split("/")
    pattern = re.escape(version).replace(r"\*", r"\d+")
    return name.split("/") == prepared and (not version or re.fullmatch(pattern, prepared_version) is not None)


def check_tensorflow(entry: DatasetEntry, root: Path) -> None:
    """Raises ZooError where TensorFlow or TFDS, which a dataset that is not prepared yet needs, is not installed."""
    missing = [name for name in ("tensorflow", "tensorflow_datasets") if importlib.util.find_spec(name) is None]
    if missing:
        raise ZooError(
            f"'{entry.name}' is not prepared in {root}, and to prepare it TFDS needs TensorFlow: {missing[0]} is not "
            "installed. Install gan-zoo with the extra cpu, or bring it from a machine on which it is prepared: "
            f"zoo data export {entry.name} there, zoo data import here; or train on a file of your own: "
            "--dataset FILE.npz."
        )
