"""From a name or a path to a dataset: what is prepared is opened, what is not is prepared first."""

from pathlib import Path

from zoo.base.progress import Silent
from zoo.catalogue import Catalogue, DatasetEntry
from zoo.catalogue.entries import match
from zoo.data.dataset import Dataset
from zoo.data.options import DataOptions
from zoo.data.prepared import cache
from zoo.data.prepared.directory import data_directory, prepared_root
from zoo.data.prepared.finding import Wanted, check_tensorflow
from zoo.data.preparing import NO_SUPPLY, Preparation, Supply
from zoo.data.sources.arrays import ARRAYS
from zoo.data.sources.contract import Reporter
from zoo.data.sources.trees import ZIP

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
    found = None if supply.files or wanted.entry.kind == "files" else wanted.found(data_dir)
    if found is None:
        if wanted.entry.kind == "tfds" and not supply.files:
            check_tensorflow(wanted.entry, prepared_root(data_dir))
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
    """The catalogue's entry, or one made up for a path or a dataset of TFDS."""
    if entry := catalogue.datasets.get(match(name, catalogue.datasets) or name):
        return entry
    if is_path(name):
        return DatasetEntry(name=name, kind="files", path=Path(name).expanduser().resolve())
    return DatasetEntry(name=name, kind="tfds", tfds=name)


def is_path(name: str) -> bool:
    """Whether the name reads as a path: `mnist` and `cifar10/plain` are TFDS names, `./mnist` and `a.npy` are paths."""
    if name.startswith(PATH_STARTS) or name.lower().endswith(ARRAYS):
        return True
    return ("/" in name or name.lower().endswith(ZIP)) and Path(name).exists()
