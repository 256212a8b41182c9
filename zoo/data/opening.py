"""From a name or a path to a dataset: what is prepared is opened, what is not is prepared first."""

from pathlib import Path

from zoo.base.progress import Silent
from zoo.catalogue import Catalogue, DatasetEntry
from zoo.catalogue.entries import match
from zoo.data.dataset import Dataset
from zoo.data.options import DataOptions
from zoo.data.prepared import cache
from zoo.data.prepared.directory import data_directory
from zoo.data.prepared.finding import Wanted
from zoo.data.preparing import NO_SUPPLY, Preparation, Supply
from zoo.data.sources.arrays import ARRAYS
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
    supply: Supply = NO_SUPPLY,
) -> Dataset:
    """A catalogue's name, a TFDS name as `name/config:version`, or a path; prepared below `data_dir` on first use."""
    wanted = wanted_of(name, catalogue, options)
    found = None if supply.files or not wanted.is_fixed else wanted.found(data_dir)
    if found is None:
        preparation = Preparation(wanted, catalogue, data_dir, progress, supply, open_dataset)
        return cache.read(preparation.folder(preparation.source()), name)
    return cache.read(found.folder, name)


def expected_shape(
    name: str, catalogue: Catalogue, *, data_dir: Path | None = None, options: DataOptions = DEFAULT_OPTIONS
) -> tuple[tuple[int, ...], int | None]:
    """A dataset's sample shape and count of classes; nothing is downloaded for it."""
    wanted = wanted_of(name, catalogue, options)
    if wanted.entry.kind == "tfds" and wanted.found(data_dir) is None:
        from zoo.data.tfds.source import tfds_source

        source = tfds_source(wanted.entry, catalogue.datasets, data_directory(data_dir), wanted.options, None)
        return source.sample_shape, source.classes
    dataset = open_dataset(name, catalogue, data_dir=data_dir, options=options)  # it is here or quickly made
    return dataset.sample_shape, dataset.classes


def wanted_of(name: str, catalogue: Catalogue, options: DataOptions) -> Wanted:
    """The entry of a name or path, and the options with what the entry itself asks for."""
    entry = entry_of(name, catalogue)
    return Wanted(entry, options.over(entry))


def entry_of(name: str, catalogue: Catalogue) -> DatasetEntry:
    """The catalogue's entry, or one for a path, for `source:reference`, or else for a dataset of TFDS."""
    if entry := catalogue.datasets.get(match(name, catalogue.datasets) or name):
        return entry
    if is_path(name):
        path = Path(name).expanduser().resolve()
        return DatasetEntry(name, "files", str(path), path)
    source, colon, reference = name.partition(":")
    if colon and (found := match(source, catalogue.extensions["sources"])):
        return DatasetEntry(name, found, reference)
    return DatasetEntry(name, "tfds", name)


def is_path(name: str) -> bool:
    """Whether the name reads as a path: `mnist` and `cifar10/plain` are TFDS names, `./mnist` and `a.npy` are paths.

    Any other name with a slash or an ending, such as `points.csv`, is a path where there is such a file or folder.
    """
    if name.startswith(PATH_STARTS) or name.lower().endswith(ARRAYS):
        return True
    return ("/" in name or bool(Path(name).suffix)) and Path(name).exists()
