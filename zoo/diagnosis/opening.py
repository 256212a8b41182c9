"""What every experiment on a stack begins with: the stack with its recipe, and the data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.base.progress import Progress
from zoo.catalogue import Catalogue, parse_stack, read_catalogue
from zoo.catalogue.entries import match
from zoo.data.options import DataOptions
from zoo.pipeline import as_texts, open_data

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.stacks.stack import Stack


def opened(
    stack: str,
    dataset: str | Path,
    data: DataOptions,
    data_dir: Path | str | None,
    settings: Sequence[str] | Mapping[str, Any],
    plugins: Sequence[Path | str],
    engine: EngineOptions,
    progress: Progress,
) -> "tuple[Stack, Dataset, Catalogue]":
    """The stack by name, what it trains on, and the catalogue of both, from arguments as `zoo.run` takes them."""
    backend.choose(engine.backend)
    backend.check_installed()
    catalogue = read_catalogue([Path(each) for each in plugins])
    parse_stack(stack, catalogue)  # a wrong name is an error before data is prepared
    dataset = match(str(dataset), catalogue.datasets) or str(dataset)
    rows = open_data(dataset, catalogue, data_dir, data, engine, progress)
    backend.prepare()
    from zoo.stacks.resolving import resolve_stack

    return resolve_stack(stack, catalogue, dataset, as_texts(settings)), rows, catalogue
