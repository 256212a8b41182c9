"""The data directory and the prepared sets in it, found without importing NumPy, TensorFlow or TFDS."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.base.files import modified
from zoo.errors import ZooError

META = "meta.json"
FORMAT = 2
CHECKSUM = "sha256"  # the key of meta.json for the hash of all other keys
PARTIAL = ".partial"  # suffix of a folder that is being written, whose name begins with a dot
SHORT = 12  # characters of a fingerprint that names of folders hold
SPARE = 64 * 2**20  # bytes of the disk that stay free


def data_directory(data_dir: Path | None = None) -> Path:
    """The given folder, else $TFDS_DATA_DIR, else ~/tensorflow_datasets, which is TFDS' default too."""
    chosen = data_dir or os.environ.get("TFDS_DATA_DIR") or Path("~/tensorflow_datasets")
    return Path(chosen).expanduser().absolute()


def prepared_root(data_dir: Path | None = None) -> Path:
    """The folder of prepared arrays: one subfolder for each combination of dataset, version, split, size and crop."""
    return data_directory(data_dir) / "zoo"


def features_root(data_dir: Path | None = None) -> Path:
    """The folder of real samples' features from evaluations, in subfolders named by the fingerprint of the data."""
    return data_directory(data_dir) / "zoo_features"


def feature_folders(fingerprint: str, data_dir: Path | None = None) -> list[Path]:
    """The folders of cached features of the data with that fingerprint."""
    return sorted(features_root(data_dir).glob(f"{fingerprint[:SHORT]}-*"))


@dataclass(frozen=True)
class Prepared:
    """A prepared folder and the content of its meta.json."""

    folder: Path
    meta: Mapping[str, Any]

    @property
    def bytes(self) -> int:
        return folder_bytes(self.folder)

    @property
    def shape(self) -> str:
        """`162,770 x 64 x 64 x 3`."""
        count, *sample = self.meta["shape"]
        return " x ".join([f"{count:,}", *map(str, sample)])

    @property
    def summary(self) -> str:
        """`train, 162,770 x 64 x 64 x 3, crop 140, of TFDS celeb_a/2.1.0`."""
        options, source = self.meta["options"], self.meta["description"]["source"]
        marks = [f"crop {options['crop']}"] if options["crop"] else []
        marks += [f"labels {options['label']}"] if options["label"] != self.meta["defaults"].get("label") else []
        return ", ".join([self.meta["split"], self.shape, *marks, f"of {source}"])


def prepared_sets(data_dir: Path | None = None) -> list[Prepared]:
    """Every prepared set in this version's format, the last prepared first."""
    found = []
    for meta in sorted(prepared_root(data_dir).glob(f"[!.]*/{META}"), key=modified, reverse=True):
        try:
            found.append(Prepared(meta.parent, read_meta(meta.parent)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def unreadable_folders(data_dir: Path | None = None) -> list[Path]:
    """Folders of prepared data that are damaged or in another version's format."""
    root = prepared_root(data_dir)
    readable = {each.folder for each in prepared_sets(data_dir)}
    return sorted(each for each in root.glob("[!.]*") if each.is_dir() and each not in readable)


def interrupted_folders(data_dir: Path | None = None) -> list[Path]:
    """Partial folders, of preparations that were killed or are still running."""
    return sorted(prepared_root(data_dir).glob(f".*{PARTIAL}"))


def read_meta(folder: Path) -> dict[str, Any]:
    """meta.json; raises ValueError, KeyError, TypeError or OSError where it is damaged or of another version."""
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}, this version reads {FORMAT}")
    if meta[CHECKSUM] != meta_checksum(meta):
        raise ValueError(f"{META} was changed")
    return dict(meta)


def meta_checksum(meta: Mapping[str, Any]) -> str:
    """sha256 of all keys of meta.json but CHECKSUM."""
    rest = {key: value for key, value in meta.items() if key != CHECKSUM}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def folder_bytes(folder: Path) -> int:
    """The total size in bytes of the files below a folder; links are not followed, and files may vanish meanwhile."""
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(parent, name))  # noqa: PTH118  faster than Path for many files
            except OSError:
                continue
            yield status.st_size


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raises ZooError where an existing folder's disk has less than `needed` bytes and SPARE free."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise ZooError(
            f"{what} needs {needed / 1e6:,.0f} MB in {folder}, where {free / 1e6:,.0f} MB are free. "
            "Free some space or choose another folder with --data-dir DIR."
        )
