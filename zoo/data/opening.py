"""Opens a dataset by its name or path; one that is not prepared yet is prepared first."""

import os
from pathlib import Path

from zoo.base.progress import Silent
from zoo.catalogue import Catalogue, DatasetEntry
from zoo.catalogue.entries import match
from zoo.data import fields
from zoo.data.dataset import LABELS, SAMPLES, Dataset
from zoo.data.fields import Field
from zoo.data.options import DataOptions
from zoo.data.prepared import cache
from zoo.data.prepared.directory import data_directory
from zoo.data.prepared.finding import DatasetRequest
from zoo.data.preparing import NOTHING_PROVIDED, Preparation, ProvidedFiles
from zoo.data.sources.array_file import ARRAYS
from zoo.data.sources.contract import Reporter

PATH_STARTS = (".", "~", "/", "\\")
DEFAULT_OPTIONS = DataOptions()
SILENT = Silent()


def open_dataset(
    name: str,
    catalogue: Catalogue,
    *,
    data_dir: Path | None = None,
    options: DataOptions = DEFAULT_OPTIONS,
    progress: Reporter = SILENT,
    provided: ProvidedFiles = NOTHING_PROVIDED,
) -> Dataset:
    """The dataset of a catalogue's name, a TFDS name as `name/config:version`, or a path.

    It is prepared below `data_dir` on first use, from the `provided` files where there are any.
    """
    request = request_of(name, catalogue, options)
    found = None if provided.files or not request.is_fixed else request.prepared(data_dir)
    if found is None:
        preparation = Preparation(request, catalogue, data_dir, progress, provided, open_dataset)
        return cache.read(preparation.folder(preparation.source()), request.entry.name)
    return cache.read(found.folder, request.entry.name)


def expected_shape(
    name: str, catalogue: Catalogue, *, data_dir: Path | None = None, options: DataOptions = DEFAULT_OPTIONS
) -> tuple[tuple[int, ...], int | None]:
    """A dataset's sample shape and number of classes (None without labels), without a download."""
    found = expected_fields(name, catalogue, data_dir=data_dir, options=options)
    return found[SAMPLES].shape, found[LABELS].classes if LABELS in found else None


def expected_fields(
    name: str, catalogue: Catalogue, *, data_dir: Path | None = None, options: DataOptions = DEFAULT_OPTIONS
) -> dict[str, Field]:
    """A dataset's fields, without a download: as far as its features say where it is not prepared yet."""
    request = request_of(name, catalogue, options)
    if request.entry.kind == "tfds" and request.prepared(data_dir) is None:
        from zoo.data.tfds.source import tfds_source

        source = tfds_source(request.entry, catalogue.datasets, data_directory(data_dir), request.options, None)
        return fields.expected_fields(source.sample_shape, source.classes)
    # The dataset is prepared already, or can be within seconds.
    return open_dataset(name, catalogue, data_dir=data_dir, options=options).fields


def request_of(name: str, catalogue: Catalogue, options: DataOptions) -> DatasetRequest:
    """The entry of a name or path, with the options where they are given and the entry's own elsewhere."""
    entry = entry_of(name, catalogue)
    return DatasetRequest(entry, options.over(entry))


def entry_of(name: str, catalogue: Catalogue) -> DatasetEntry:
    """The catalogue's entry of that name, else a new one for a path, for `source:reference` or a dataset of TFDS.

    A path is called by where it lies, so that every spelling of it is one dataset.
    """
    if entry := catalogue.datasets.get(match(name, catalogue.datasets) or name):
        return entry
    if is_path(name):
        path = Path(os.path.realpath(os.path.expanduser(name)))  # noqa: PTH111  unlike Path, raises for no name
        return DatasetEntry(str(path), "files", str(path), path)
    source, colon, reference = name.partition(":")
    if colon and (found := match(source, catalogue.extensions["sources"])):
        return DatasetEntry(name, found, reference)
    return DatasetEntry(name, "tfds", name)


def is_path(name: str) -> bool:
    """Whether the name reads as a path: `mnist` and `cifar10/plain` are TFDS names, `./mnist` and `a.npy` are paths.

    Any other name with a slash or an ending, such as `points.csv`, is a path where there is such a file or folder, and
    a bare name where there is such a folder.
    """
    if name.startswith(PATH_STARTS) or name.lower().endswith(ARRAYS):
        return True
    return (("/" in name or bool(Path(name).suffix)) and Path(name).exists()) or Path(name).is_dir()
