"""The second contract: how metrics, extractors, dataset sources, executors and listeners get into the zoo.

An extension is a module with a function, marked `@hookimpl`, that answers one of the hooks below. It is used by name:

    hook         brings                                          is used by
    metric       a score                                         zoo evaluate RUN --metrics NAME
    extractor    a network whose features are compared           zoo evaluate RUN --extractor NAME
    source       where samples come from                         zoo run STACK --dataset NAME:REFERENCE, or a path
    executor     where `zoo compare` and `zoo tune` run jobs     zoo compare ... --executor NAME
    listener     what follows a run, such as a tracker           zoo run STACK --listener NAME

The name is that of the file in `--plugin NAME.py`, of an installed package's entry point in the group `zoo`, or of the
entry in a registry.yaml. What the zoo itself brings stands in its own registry.yaml and goes the same way.

A hook names those of its arguments that it needs, and gets nothing else. It raises `zoo.ZooError` where it can't do
what it is asked for. What it returns is described here, each where it is defined:

    metric       Metric, Score, Compared, Side, Mixture             zoo/evaluation/metrics/contract.py
    extractor    Extractor, Features                                zoo/evaluation/extractors/contract.py
    source       Source, Contents, Splits, Selection, DataOptions   zoo/data/sources/contract.py
    executor     Executor, Ended, job_command, start_job            zoo/comparison/executors/contract.py
    listener     Listener, RunDirectory                             zoo/training/listeners.py

All of these are imported from here: `from zoo.extensions import Metric, Score, hookimpl`. They are loaded when they
are first used, so that importing this module needs neither NumPy nor Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, ZooWarning
from zoo.hookspecs import hookimpl, hookspec

if TYPE_CHECKING:
    from pathlib import Path

    from zoo.base.progress import Progress
    from zoo.catalogue import DatasetEntry
    from zoo.comparison.executors.contract import Ended, Executor, job_command
    from zoo.comparison.executors.local import JobProcess, start_job
    from zoo.data import DataOptions, Dataset
    from zoo.data.sources.contract import Contents, Reporter, Skipped, Source
    from zoo.data.splits import Selection, Splits
    from zoo.evaluation.extractors.contract import Extractor, Features
    from zoo.evaluation.metrics.contract import Compared, Metric, Mixture, Score, Side
    from zoo.runs.directory import RunDirectory
    from zoo.training.listeners import Listener


@hookspec(firstresult=True)
def metric() -> Metric:
    """Return what is measured and how; it is called before anything is.

    A metric that is found by its plugin is measured wherever none is named, unless it says `default=False`.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def extractor(preparation: str | None, weights: Path | None, progress: Progress) -> Extractor:
    """Return the network that evaluation measures in.

    `preparation` is what `--resize` asks for, `weights` the file of `--weights`; each is None where it is not given.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def source(
    dataset: DatasetEntry,
    options: DataOptions,
    files: Path | None,
    unreadable: float,
    data_dir: Path,
    known_datasets: Sequence[str],
    open_dataset: Callable[[str, str, Reporter | None], Dataset],
    progress: Reporter,
) -> Source | None:
    """Return the source of a dataset's samples, or None for one that this module does not read.

    Asked for `--dataset NAME:REFERENCE`, and for a dataset of registry.yaml with `source: NAME`; then
    `dataset.reference` says which one is meant. Also asked for each path, whose `dataset.path` is absolute.

    `options` are crop, size, channels and labels as they are wanted; the split is selected later. `files` is where
    `zoo data prepare --from` says that the originals are, `unreadable` the share of samples that may be left out.
    `data_dir` is the folder of all data. `open_dataset(name, split, progress)` opens another dataset, for a source
    that is made of one; `known_datasets` are the names that there are, for the sentence about an unknown one.
    """


@hookspec(firstresult=True)
def executor(
    jobs: int | None,
    threads: int | None,
    address: str | None,
    cpus: float | None,
    gpus: float | None,
    memory_gb: float | None,
    partition: str | None,
    time_limit: int | None,
    slurm: Sequence[str],
    executor_option: Mapping[str, str],
    folder: Path,
) -> Executor:
    """Return what runs the jobs of a comparison.

    Each argument but `folder` is the option of the same name, None or empty where it is not given. A command line with
    an option that the hook does not name is refused. `jobs` is how many run at once; cores, GPUs, GiB of memory and
    minutes are those of each job. `executor_option` holds every `--executor-option KEY=VALUE`. `folder` is the
    comparison's, below which run directories lie.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def listener() -> Callable[[RunDirectory], Listener]:
    """Return what makes the listener of a run from its directory, such as the listener's class.

    The hook is called before data is read: raise `zoo.ZooError` in it where a package is missing. What it returns is
    called when run.yaml is written, before the first step.
    """
    raise NotImplementedError


__all__ = [
    "Compared",
    "Contents",
    "DataOptions",
    "Dataset",
    "DatasetEntry",
    "Ended",
    "Executor",
    "Extractor",
    "Features",
    "JobProcess",
    "Listener",
    "Metric",
    "Mixture",
    "Progress",
    "Reporter",
    "RunDirectory",
    "Score",
    "Selection",
    "Side",
    "Skipped",
    "Source",
    "Splits",
    "ZooError",
    "ZooWarning",
    "hookimpl",
    "job_command",
    "start_job",
]

HOMES = {  # where each name is defined that is imported when it is first used
    "zoo.base.progress": ("Progress",),
    "zoo.catalogue": ("DatasetEntry",),
    "zoo.comparison.executors.contract": ("Ended", "Executor", "job_command"),
    "zoo.comparison.executors.local": ("JobProcess", "start_job"),
    "zoo.data": ("DataOptions", "Dataset"),
    "zoo.data.sources.contract": ("Contents", "Reporter", "Skipped", "Source"),
    "zoo.data.splits": ("Selection", "Splits"),
    "zoo.evaluation.extractors.contract": ("Extractor", "Features"),
    "zoo.evaluation.metrics.contract": ("Compared", "Metric", "Mixture", "Score", "Side"),
    "zoo.runs.directory": ("RunDirectory",),
    "zoo.training.listeners": ("Listener",),
}


def __getattr__(name: str) -> Any:
    home = next((home for home, names in HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'zoo.extensions' has no attribute '{name}'")
    return getattr(import_module(home), name)
