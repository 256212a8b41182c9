"""The small datasets that the package itself brings, in MNIST's format."""

import importlib.util
from pathlib import Path

from zoo.catalogue import DatasetEntry
from zoo.data.options import DataOptions
from zoo.data.sources.contract import Source
from zoo.data.sources.idx import IdxSource
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl

EMBEDDED = ("fashion_mini",)


@hookimpl
def source(dataset: DatasetEntry, options: DataOptions) -> Source:
    """Raises ZooError for a name that the package does not bring."""
    name = dataset.reference
    found = importlib.util.find_spec(f"zoo.data.{name}") if name in EMBEDDED else None
    if found is None or not found.submodule_search_locations:
        raise ZooError(f"The package brings no data set '{name}'. Available: {', '.join(EMBEDDED)}.")
    return IdxSource(Path(found.submodule_search_locations[0]), options, embedded=name)
