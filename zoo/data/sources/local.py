"""Chooses the source that reads the files at a path."""

import shlex
from pathlib import Path

from zoo.catalogue import DatasetEntry
from zoo.data.options import UNREADABLE_SHARE, DataOptions
from zoo.data.prepared.directory import prepared_sets
from zoo.data.prepared.transfer import imported_name
from zoo.data.sources.array_file import ARRAYS
from zoo.data.sources.arrays import ArraySource
from zoo.data.sources.celeba import CelebaCopy
from zoo.data.sources.contract import Source
from zoo.data.sources.folder import FolderSource
from zoo.data.sources.idx import IdxSource
from zoo.data.sources.trees import ZIP, tree
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl

KINDS = "a folder or .zip of images, a .npy or .npz file, or a folder with MNIST's four files"


@hookimpl
def source(dataset: DatasetEntry, options: DataOptions, unreadable: float, data_dir: Path) -> Source:
    """What lies at the dataset's path; raises ZooError where that can't be read, or is no path but an imported name."""
    path = dataset.path or Path(dataset.reference)
    try:
        return local_source(path, options, unreadable)
    except ZooError as error:
        imported = [each.meta["name"] for each in prepared_sets(data_dir) if each.meta.get("imported")]
        name = imported_name(path.name)
        if path.exists() or name not in imported:
            raise
        raise ZooError(f"{error} A dataset of that name was imported: --dataset {shlex.quote(name)}") from error


def local_source(path: Path, options: DataOptions, share: float = UNREADABLE_SHARE) -> Source:
    """The source that reads the files at a path; raises ZooError where there are none, or of no known kind."""
    path = path.expanduser().resolve()
    if not path.exists():
        raise ZooError(f"There is no file or folder {path}. A dataset of one's own is {KINDS}.")
    if path.suffix.lower() in ARRAYS:
        return ArraySource(path, options)
    if not path.is_dir() and path.suffix.lower() != ZIP:
        raise ZooError(f"{path} is no dataset: give {KINDS}.")
    if path.is_dir() and IdxSource.recognises(path):
        return IdxSource(path, options)
    files = tree(path)
    if CelebaCopy.recognises(files):
        return CelebaCopy(files, options, share)
    return FolderSource(files, options, share)
