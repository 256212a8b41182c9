"""Finds runs: below a folder, links included, and the directory that a run has or will have."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from zoo.base.names import dataset_folder, folder_name, is_data_path
from zoo.errors import ZooError, ZooWarning
from zoo.runs.directory import RECORD, RunDirectory
from zoo.runs.pretrained import is_pretrained_name, pretrained_folder
from zoo.runs.pulling import address_of, pulled_folder

RUNS = Path("runs")
QUOTED = (".%", "..%")  # how folders of earlier runs begin whose dataset was called `./photos` or `../photos`
PATH_STARTS = (".", "~", "/", "\\")  # of a path in the record of an earlier run


def run_folders(folder: Path, markers: Sequence[str] = (RECORD,)) -> Iterator[Path]:
    """The folders below `folder`, itself included, that hold one of the files `markers`, each once and sorted.

    Links to folders are followed. Hidden folders, and those inside of a run, are passed over.
    """
    return _below(folder, markers, set())


def _below(folder: Path, markers: Sequence[str], seen: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        with os.scandir(folder) as entries:
            found = {entry.name: entry.is_dir() for entry in entries}
    except OSError:  # no folder, deleted meanwhile, or not to be read
        return
    if (status.st_dev, status.st_ino) in seen:  # a link that leads back
        return
    seen.add((status.st_dev, status.st_ino))
    if any(each in found for each in markers):
        yield folder
        return
    for name in sorted(found):
        if found[name] and (not name.startswith(".") or name.startswith(QUOTED)):
            yield from _below(folder / name, markers, seen)


def is_of_zoo(path: Path) -> bool:
    """Whether run.yaml in the folder is the zoo's; another program's is passed over with a warning."""
    try:
        RunDirectory(path).record()
    except ZooError as error:
        warnings.warn(f"Passed over: {error}", ZooWarning, stacklevel=2)
        return False
    return True


def find_run(path: Path) -> RunDirectory:
    """The run in a folder, or the only run below it, of a pretrained name or of an address, which is pulled once.

    Raises ZooError where there is none or more than one.
    """
    if is_pretrained_name(str(path)):
        folder = pretrained_folder(str(path))
        return RunDirectory(folder, folder.name)
    if (address := address_of(str(path))) is not None:
        return RunDirectory(pulled_folder(address))
    if (path / RECORD).is_file():
        return RunDirectory(path)
    below = [each for each in run_folders(path) if is_of_zoo(each)]
    if len(below) == 1:
        return RunDirectory(below[0])
    runs = ", ".join(str(each) for each in (below or run_folders(RUNS)))
    available = runs or "none; zoo run makes one"
    if path.suffix == ".zip" and path.is_file():
        raise ZooError(f"{path} is a file: zoo pull {path} makes a run's folder of it, if it holds one.")
    raise ZooError(f"No run in '{path}': a run's folder holds {RECORD}. Available: {available}.")


def is_run(path: Path) -> bool:
    """Whether a run is meant: by a pretrained name, an address, or a folder that is one or holds one."""
    named = is_pretrained_name(str(path)) or address_of(str(path)) is not None
    return named or next(run_folders(path), None) is not None


def find_runs(path: Path) -> list[Path]:
    """The run in a folder, or all runs below it; raises ZooError where there is none."""
    if (path / RECORD).is_file():
        return [path]
    return [each for each in run_folders(path) if is_of_zoo(each)] or [find_run(path).path]  # which raises the error


def default_path(stack: str, dataset: str, seed: int) -> Path:
    """runs/<stack>/<dataset>/<seed>"""
    return RUNS / folder_name(stack) / dataset_folder(dataset) / str(seed)


def run_path(stack: str, dataset: str, seed: int, fingerprint: str) -> Path:
    """The default path, or that of a run of the same data which began when these lay, or were called, otherwise."""
    default = default_path(stack, dataset, seed)
    folder = folder_of_data(default.parent.parent, dataset, fingerprint, lambda each: [each / str(seed)])
    return folder / str(seed)


def folder_of_data(folder: Path, dataset: str, fingerprint: str, runs_in: Callable[[Path], Sequence[Path]]) -> Path:
    """The subfolder for a dataset's runs: for a path that of earlier runs on data of that fingerprint, if any.

    `runs_in` names the run directories in a subfolder, of which the first with a record counts.
    """
    default = folder / dataset_folder(dataset)
    if not is_data_path(dataset):
        return default
    others = sorted(folder.iterdir()) if folder.is_dir() else []
    for each in dict.fromkeys([default, *others]):
        if is_on_data(next((run for run in runs_in(each) if (run / RECORD).is_file()), None), fingerprint):
            return each
    return default


def is_on_data(run: Path | None, fingerprint: str) -> bool:
    """Whether a run was trained on a user's own data, which had that fingerprint."""
    try:
        record = (RunDirectory(run).record() if run else None) or {}
    except ZooError:  # damaged, or another program's
        return False
    dataset = record.get("dataset", {})
    its_own = "path" in dataset or str(dataset.get("name")).startswith(PATH_STARTS)
    return bool(its_own and dataset.get("fingerprint") == fingerprint)
