"""What every experiment on a stack begins with: the stack with its recipe, the data, and a folder of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.base.names import dataset_folder, folder_name
from zoo.base.progress import Progress
from zoo.base.shortages import telling_shortage
from zoo.catalogue import Catalogue, parse_stack, read_catalogue
from zoo.catalogue.entries import match
from zoo.data.options import DataOptions
from zoo.errors import ZooError
from zoo.pipeline import as_texts, open_data, smaller_runs

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.stacks.stack import Stack

FOLDER = Path("diagnoses")


def folder_of(stack: "Stack", rows: "Dataset", name: str, out: Path | str | None) -> Path:
    """`out`, or diagnoses/<stack>/<dataset>/<name>."""
    return Path(out) if out else FOLDER / folder_name(stack.name) / dataset_folder(rows.name) / name


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Make the folder of an experiment, and keep every other process from writing it."""
    path.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise ZooError(
            f"Another process is writing the experiment {path}. Wait for it, or choose another --out."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def at_work(path: Path, stack: "Stack", rows: "Dataset", engine: EngineOptions) -> Iterator[None]:
    """Lock the folder of an experiment that is carried out, and tell what makes it smaller where memory is short."""
    with locked(path), telling_shortage(lambda: smaller_runs(stack.recipe, rows, engine)):
        yield


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
    """The stack by name, what it trains on, and the catalogue of both, from arguments as `zoo.run` takes them.

    Raises ZooError for several processes: an experiment is one.
    """
    if engine.processes.count > 1:
        raise ZooError("An experiment on gradients is for one process: leave --processes out.")
    backend.choose(engine.backend)
    backend.check_installed()
    catalogue = read_catalogue([Path(each) for each in plugins])
    parse_stack(stack, catalogue)  # a wrong name is an error before data is prepared
    dataset = match(str(dataset), catalogue.datasets) or str(dataset)
    rows = open_data(dataset, catalogue, data_dir, data, engine, progress)
    backend.prepare()
    from zoo.stacks.resolving import resolve_stack

    return resolve_stack(stack, catalogue, dataset, as_texts(settings)), rows, catalogue
