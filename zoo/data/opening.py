"""From a name or a path to a dataset: finds the source, prepares it once, opens what is on disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from zoo.catalogue import Catalogue, DatasetEntry
from zoo.catalogue.entries import match
from zoo.data import cache, writer
from zoo.data.dataset import Dataset
from zoo.data.directory import data_directory, prepared_root
from zoo.errors import ZooError, unknown

SPLITS = ("train", "test")
PATH_STARTS = (".", "~", "/", "\\")
ARRAYS = (".npy", ".npz")


class Source(Protocol):
    """Where samples come from, for one split, size and crop."""

    @property
    def name(self) -> str:
        """The source's own name, whatever alias the user gave."""

    @property
    def slug(self) -> str:
        """The readable part of the prepared folder's name."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that changes what is stored, for JSON."""

    def prepare(self) -> None:
        """Fetches what `contents` reads, once."""

    def contents(self) -> writer.Contents:
        """The samples, to be written."""


def open_dataset(
    name: str,
    catalogue: Catalogue,
    *,
    data_dir: Path | None = None,
    image_size: int | None = None,
    split: str = "train",
    progress: writer.Progress | None = None,
) -> Dataset:
    """A catalogue's name, a TFDS name as `name/config:version`, or a path; prepared below `data_dir` on first use."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if image_size is not None and image_size < 1:
        raise ZooError(f"The image size must be at least 1 pixel, not {image_size}.")
    root = prepared_root(data_dir)
    folder = _prepared_before(name, catalogue, root, image_size, split)
    if folder is None:
        source = _source(name, catalogue, data_directory(data_dir), image_size, split)
        folder = _prepared(source, root, progress)
    return cache.read(folder, name, split)


def expected_shape(
    name: str, catalogue: Catalogue, *, data_dir: Path | None = None, image_size: int | None = None
) -> tuple[tuple[int, ...], int | None]:
    """A dataset's sample shape and count of classes; nothing is downloaded for it."""
    from zoo.data.tfds_source import TfdsSource

    source = _source(name, catalogue, data_directory(data_dir), image_size, "train")
    if isinstance(source, TfdsSource):
        return source.sample_shape, source.classes
    dataset = open_dataset(name, catalogue, data_dir=data_dir, image_size=image_size)  # it is here or quickly made
    return dataset.sample_shape, dataset.classes


def _prepared_before(name: str, catalogue: Catalogue, root: Path, image_size: int | None, split: str) -> Path | None:
    """The folder of a TFDS dataset that is prepared already: to find it, TFDS need not be imported."""
    entry = _tfds_entry(name, catalogue)
    if entry is None:
        return None
    from zoo.data import tfds_prepared
    from zoo.data.tfds_source import wanted_splits

    folder = tfds_prepared.prepared_folder(entry, wanted_splits(entry, split), image_size, root)
    if folder is None:
        tfds_prepared.check_tensorflow(entry, root)
    return folder


def _tfds_entry(name: str, catalogue: Catalogue) -> DatasetEntry | None:
    """The entry of a dataset of TFDS; None for points and paths."""
    entry = catalogue.datasets.get(match(name, catalogue.datasets) or name)
    if entry is None and not _is_path(name):
        return DatasetEntry(name=name, kind="tfds", tfds=name)
    return entry if entry and entry.kind == "tfds" else None


def _prepared(source: Source, root: Path, progress: writer.Progress | None) -> Path:
    """The folder of the source's array, made when it is not there yet."""
    folder = root / cache.folder_name(source.slug, source.identity)
    if folder.is_dir():
        return folder
    with cache.preparing(root, source.name):
        source.prepare()
        # Only now are a TFDS builder's splits known; and another process may have been faster.
        folder = root / cache.folder_name(source.slug, source.identity)
        if not folder.is_dir():
            writer.write(folder, source.name, source.contents(), progress)
    return folder


def _source(name: str, catalogue: Catalogue, directory: Path, image_size: int | None, split: str) -> Source:
    if tfds_entry := _tfds_entry(name, catalogue):
        from zoo.data.tfds_source import tfds_source

        return tfds_source(tfds_entry, catalogue.datasets, directory, image_size, split)
    if entry := catalogue.datasets.get(match(name, catalogue.datasets) or name):
        from zoo.data.point_source import PointSource

        return PointSource(entry.points or entry.name, split)
    from zoo.data.file_source import file_source

    return file_source(Path(name).expanduser(), image_size, split)


def _is_path(name: str) -> bool:
    """Whether the name reads as a path: `mnist` and `cifar10/plain` are TFDS names, `./mnist` and `a.npy` are paths."""
    return name.startswith(PATH_STARTS) or name.endswith(ARRAYS) or ("/" in name and Path(name).exists())
