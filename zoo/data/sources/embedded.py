"""The small datasets that the package itself brings: garments in MNIST's format, and pairs of emoji."""

import importlib.util
from pathlib import Path

from zoo.catalogue import DatasetEntry
from zoo.data.options import DataOptions
from zoo.data.sources.contract import Source
from zoo.data.sources.emoji import EmojiSource
from zoo.data.sources.idx import IdxSource
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl

FOLDERS = {"fashion_mini": "fashion_mini", "emoji": "emoji", "emoji_unpaired": "emoji"}


@hookimpl
def source(dataset: DatasetEntry, options: DataOptions) -> Source:
    """Raises ZooError for a name that the package does not bring."""
    name = dataset.reference
    found = importlib.util.find_spec(f"zoo.data.{FOLDERS[name]}") if name in FOLDERS else None
    if found is None or not found.submodule_search_locations:
        raise ZooError(f"The package brings no data set '{name}'. Available: {', '.join(FOLDERS)}.")
    folder = Path(found.submodule_search_locations[0])
    if FOLDERS[name] == "emoji":
        return EmojiSource(folder, options, embedded=name, paired=name == "emoji")
    return IdxSource(folder, options, embedded=name)
