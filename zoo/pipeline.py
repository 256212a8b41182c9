"""The straight line of a run: stack, data, trainer, checkpoints, samples; and opening a run again."""

import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.progress import Progress, as_progress
from zoo.base.shortages import telling_shortage
from zoo.catalogue import Catalogue, parse_stack, read_catalogue
from zoo.catalogue.entries import match
from zoo.data.options import DataOptions
from zoo.errors import ZooError, ZooWarning
from zoo.options import MONITORING, UNLIMITED, Budget, Monitoring
from zoo.runs.directory import PLACE, RunDirectory
from zoo.runs.finding import run_path
from zoo.tracking.following import find_listeners, following
from zoo.training.run import Run
from zoo.training.run_yaml import changes, copy_plugin_files, describe

if TYPE_CHECKING:  # what imports Keras is imported when it is needed, so that a mistake is told at once
    from zoo.data import Dataset
    from zoo.evaluation.judging import PeriodicJudge
    from zoo.recipe import Recipe
    from zoo.stacks.stack import Stack
    from zoo.training.loop import Schedule, Total
    from zoo.training.players import Generating

DEFAULT_DATASET = "fashion_mini"
DATA_OPTIONS = DataOptions()
DEFAULT_EPOCHS = 25  # where neither the command nor registry.yaml says how long
SEEDS = 2**32  # as many as the generators of NumPy and Keras take


def run(
    stack: str = "dcgan",
    *,
    dataset: str | Path = DEFAULT_DATASET,
    data: DataOptions = DATA_OPTIONS,
    data_dir: Path | str | None = None,
    budget: Budget = UNLIMITED,
    seed: int = 0,
    settings: Sequence[str] | Mapping[str, Any] = (),
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    monitoring: Monitoring = MONITORING,
    engine: EngineOptions = DEFAULT_ENGINE,
    progress: Progress | bool = True,
) -> Run:
    """Train a stack on a dataset until the budget is spent, continuing what is there of the run.

    `data` says how the dataset is read, and `data_dir` where datasets live; `settings` are recipe values, as a mapping
    or as `key=value` texts; `plugins` are files of plugins; `out` replaces the run directory
    runs/<stack>/<dataset>/<seed>; `monitoring` is what is saved, scored and followed meanwhile; `engine` chooses
    backend, precision and devices. Raises ZooError for a mistake and KeyboardInterrupt after Ctrl-C, when everything is
    saved.
    """
    check_seed(seed)
    check_processes(budget, engine)
    backend.choose(engine.backend)
    backend.check_installed()
    progress = as_progress(progress, engine.processes.writes_files)
    catalogue = read_catalogue([Path(each) for each in plugins])
    parse_stack(stack, catalogue)  # a wrong name is an error before data is prepared
    listeners = find_listeners(monitoring.listeners, catalogue)
    dataset = match(str(dataset), catalogue.datasets) or str(dataset)
    rows = open_data(dataset, catalogue, data_dir, data, engine, progress)
    backend.prepare()
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.loop import Training
    from zoo.training.trainer import Trainer

    resolved = resolve_stack(stack, catalogue, dataset, as_texts(settings))
    total = total_of(budget, resolved, rows.count, catalogue, dataset)
    path = Path(out) if out else run_path(resolved.name, rows.name, seed, rows.fingerprint)
    computing = backend.engine(engine)
    for each in backend.advice(computing.kind):
        progress.note(each)
    smaller = partial(smaller_runs, resolved.recipe, rows, engine)
    with (
        telling_shortage(smaller),
        backend.fixed(),
        computing.together(),
        directory_of_process(path, engine) as directory,
        directory.locked(),
    ):
        trainer = Trainer(resolved, rows, seed, computing)
        record = describe(resolved, catalogue, rows, trainer, directory)
        begin_or_continue(directory, record, resolved, catalogue)
        directory.write_goal(total.steps, total.seconds)
        with (
            judge_of(
                directory,
                rows,
                record["dataset"],
                monitoring,
                data_dir,
                catalogue,
                engine,
                progress,
                trainer.players.generating,
            ) as judge,
            following(directory, listeners if engine.processes.writes_files else ()) as followers,
        ):
            training = Training(trainer, directory, progress, schedule_of(total, monitoring), judge, followers)
            training.resume()
            training.train_to(total, monitoring.profile)
    return Run(RunDirectory(path))


def smaller_runs(recipe: "Recipe", rows: "Dataset", engine: EngineOptions) -> list[str]:
    """The options with which a run needs less memory, in the order in which they are worth trying."""
    smaller = max(engine.devices, recipe.batch_size // 2)
    found = [f"--set batch_size={smaller} (now {recipe.batch_size})"] if smaller < recipe.batch_size else []
    if (width := getattr(recipe, "width", None)) and width > 1:
        found.append(f"--set width={width // 2} (now {width})")
    if len(rows.sample_shape) == 3 and (side := min(rows.sample_shape[:2])) >= 32:
        found.append(f"--image-size {side // 2} (now {side})")
    if engine.precision == "float32":
        found.append("--precision bfloat16")
    return found


@contextmanager
def judge_of(
    directory: RunDirectory,
    rows: "Dataset",
    record: Mapping[str, Any],
    monitoring: Monitoring,
    data_dir: Path | str | None,
    catalogue: Catalogue,
    engine: EngineOptions,
    progress: Progress,
    generating: "Generating",
) -> "Iterator[PeriodicJudge | None]":
    """What scores the run while it trains; None, and nothing imported, where that is not wanted of this process."""
    if not (monitoring.evaluates and engine.processes.writes_files):
        yield None
        return
    from zoo.evaluation.judging import judging

    options = replace(monitoring.evaluation, data_dir=Path(data_dir) if data_dir else None)
    with judging(directory, rows, record, options, catalogue, progress, generating) as judge:
        yield judge


@contextmanager
def directory_of_process(path: Path, options: EngineOptions) -> Iterator[RunDirectory]:
    """The run directory in the process that writes it; in each other one a place for what nobody needs."""
    if options.processes.writes_files:
        yield RunDirectory(path)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield RunDirectory(Path(scratch))


def begin_or_continue(directory: RunDirectory, record: Mapping[str, Any], stack: "Stack", catalogue: Catalogue) -> None:
    """Write down what makes a new run; refuse to continue another one, and warn where versions differ."""
    directory.check_same(record)
    before = directory.record()
    if before is None:
        copy_plugin_files(stack, catalogue, directory)
        directory.write_record(record)
        return
    if any(before["dataset"].get(key) != record["dataset"].get(key) for key in PLACE):  # the data lies elsewhere now
        kept = {key: value for key, value in before["dataset"].items() if key not in PLACE}
        now = {key: value for key, value in record["dataset"].items() if key in PLACE}
        directory.write_record({**before, "dataset": {**now, **kept}})
    if changed := changes(before, record):
        warnings.warn(
            f"{directory.path} continues otherwise than it began, so that it may end with other numbers than an "
            f"uninterrupted run: {', '.join(changed)}.",
            ZooWarning,
            stacklevel=2,
        )


def as_text(value: Any) -> str:
    """A recipe value as `key=value` takes it."""
    return ",".join(str(each) for each in value) if isinstance(value, tuple | list) else str(value)


def as_texts(settings: Sequence[str] | Mapping[str, Any]) -> list[str]:
    """Recipe values as `key=value` texts."""
    if isinstance(settings, Mapping):
        return [f"{name}={as_text(value)}" for name, value in settings.items()]
    return list(settings)


def open_data(
    dataset: str,
    catalogue: Catalogue,
    data_dir: Path | str | None,
    options: DataOptions,
    engine: EngineOptions,
    progress: Progress,
) -> "Dataset":
    """What is trained on, prepared on first use."""
    if engine.devices > 1:  # before TensorFlow reads data, which is to compute
        backend.divide(engine.devices)
    from zoo.data import open_dataset

    folder = Path(data_dir) if data_dir else None
    opened = open_dataset(dataset, catalogue, data_dir=folder, options=options, progress=progress)
    progress.note(opened.account)
    return opened


def check_seed(seed: int) -> None:
    """Refuse a seed that no run can have, before anything is prepared."""
    if not 0 <= seed < SEEDS:
        raise ZooError(f"--seed must be from 0 to {SEEDS - 1}; received {seed}.")


def check_processes(budget: Budget, engine: EngineOptions) -> None:
    """Refuse a budget of time where several processes train one run."""
    if budget.minutes is not None and engine.processes.count > 1:
        raise ZooError("--minutes is for one process: several would not stop at the same step. Give --steps.")


def total_of(budget: Budget, stack: "Stack", count: int, catalogue: Catalogue, dataset: str) -> "Total":
    """The steps, or seconds of training, that a budget comes to."""
    from zoo.training.loop import Total

    if budget.minutes is not None:
        return Total(seconds=60 * budget.minutes)
    if budget.steps is not None:
        return Total(int(budget.steps))
    images: float | None = budget.images
    if images is None:
        entry = catalogue.datasets.get(dataset)
        images = math.ceil((budget.epochs or (entry.epochs if entry else None) or DEFAULT_EPOCHS) * count)
    return Total(math.ceil(images / (stack.recipe.critic_steps * stack.recipe.batch_size)))


def schedule_of(total: "Total", monitoring: Monitoring) -> "Schedule":
    """When a run is saved and scored; `evaluations` are spread evenly over the budget, the last at its end."""
    from zoo.training.loop import Schedule

    every, health = monitoring.checkpoint_every, monitoring.health_every or None
    if monitoring.evaluations is None:
        return Schedule(every, monitoring.evaluate_every, health_every=health)
    if total.steps is not None:
        return Schedule(every, math.ceil(total.steps / monitoring.evaluations), health_every=health)
    return Schedule(every, None, (total.seconds or math.inf) / monitoring.evaluations, health)
