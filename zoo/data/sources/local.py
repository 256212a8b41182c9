"""Chooses the source that reads the files at a path."""

from pathlib import Path

from zoo.data.options import UNREADABLE_SHARE, DataOptions
from zoo.data.sources.arrays import ARRAYS, ArraySource
from zoo.data.sources.celeba import CelebaCopy
from zoo.data.sources.contract import Source
from zoo.data.sources.folder import FolderSource
from zoo.data.sources.idx import IdxSource
from zoo.data.sources.trees import ZIP, tree
from zoo.errors import ZooError

KINDS = "a folder or .zip of images, a .npy or .npz file, or a folder with MNIST's four files"


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
