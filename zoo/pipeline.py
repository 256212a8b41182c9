"""The straight line of a run: stack, data, trainer, checkpoints, samples; and opening a run again."""

import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.progress import Progress, as_progress
from zoo.catalogue import Catalogue, parse_stack, read_catalogue
from zoo.catalogue.entries import match
from zoo.data.options import DataOptions
from zoo.errors import ZooError, ZooWarning
from zoo.evaluation.options import PERIODIC, EvaluationOptions
from zoo.runs.directory import RunDirectory, default_path
from zoo.tracking.following import find_listeners, following
from zoo.training.run import Run
from zoo.training.run_yaml import changes, copy_plugin_files, describe

if TYPE_CHECKING:  # what imports Keras is imported when it is needed, so that a mistake is told at once
    from zoo.data import Dataset
    from zoo.evaluation.judging import PeriodicJudge
    from zoo.stacks.stack import Stack
    from zoo.training.loop import Budget, Schedule

DEFAULT_DATASET = "fashion_mini"
DEFAULT_EPOCHS = 25  # where neither the command nor registry.yaml says how long
SEEDS = 2**32  # as many as the generators of NumPy and Keras take


def run(
    stack: str = "dcgan",
    *,
    dataset: str | Path = DEFAULT_DATASET,
    data_dir: Path | str | None = None,
    split: str = "train",
    image_size: int | None = None,
    crop: int | None = None,
    channels: int | None = None,
    label: str | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    images: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    settings: Sequence[str] | Mapping[str, Any] = (),
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    checkpoint_every: int | None = None,
    evaluate_every: int | None = None,
    evaluations: int | None = None,
    evaluation: EvaluationOptions = PERIODIC,
    engine: EngineOptions = DEFAULT_ENGINE,
    profile: bool = False,
    tensorboard: bool = False,
    listeners: Sequence[str] = (),
    progress: Progress | bool = True,
) -> Run:
    """Train a stack on a dataset until a total of steps, epochs, images or minutes, continuing what is there of it.

    `split`, `image_size`, `crop`, `channels` and `label` say how the dataset is read (see `zoo.data.options`);
    `settings` are recipe values, as a mapping or as `key=value` texts; `plugins` are files of plugins; `out` replaces
    the run directory runs/<stack>/<dataset>/<seed>; `evaluate_every` so many steps, or in so many `evaluations` over
    the budget, the generator is scored as `evaluation` says, and the best checkpoint kept; `engine` chooses backend,
    precision and devices; `listeners` follow the run, and `tensorboard` is the one of that name;
    `profile` says where the time of some steps went. Raises ZooError for a mistake and KeyboardInterrupt after Ctrl-C,
    when everything is saved.
    """
    given = {"steps": steps, "epochs": epochs, "images": images, "minutes": minutes}
    check_numbers(given, seed)
    for name, value in (("--evaluate-every", evaluate_every), ("evaluations", evaluations)):
        if value is not None and value < 1:
            raise ZooError(f"{name} must be at least 1; received {value}.")
    if minutes is not None and engine.processes.count > 1:
        raise ZooError("--minutes is for one process: several would not stop at the same step. Give --steps.")
    asked = DataOptions(split, image_size, crop, channels, label)
    backend.choose(engine.backend)
    backend.check_installed()
    progress = as_progress(progress, engine.processes.writes_files)
    texts = [f"{k}={as_text(v)}" for k, v in settings.items()] if isinstance(settings, Mapping) else list(settings)
    catalogue = read_catalogue([Path(each) for each in plugins])
    parse_stack(stack, catalogue)
    followers = find_listeners([*(["tensorboard"] if tensorboard else []), *listeners], catalogue)
    dataset = match(str(dataset), catalogue.datasets) or str(dataset)
    if engine.devices > 1:  # before TensorFlow reads data, which is to compute
        backend.divide(engine.devices)
    data = open_data(dataset, catalogue, data_dir, asked, progress)
    backend.prepare()
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.loop import Training
    from zoo.training.trainer import Trainer

    resolved = resolve_stack(stack, catalogue, dataset, texts)
    total = budget(resolved, data.count, catalogue, dataset, given)
    path = Path(out) if out else default_path(resolved.name, dataset, seed)
    made = backend.engine(engine)
    with made.together(), directory_of_process(path, engine) as directory, directory.locked():
        trainer = Trainer(resolved, data, seed, made)
        record = describe(resolved, catalogue, data, trainer)
        directory.check_same(record)
        begin_or_continue(directory, record, resolved, catalogue)
        asking = replace(evaluation, data_dir=Path(data_dir) if data_dir else None)
        judges = bool(evaluate_every or evaluations) and engine.processes.writes_files
        schedule = schedule_of(total, checkpoint_every, evaluate_every, evaluations)
        directory.write_goal(total.steps, total.seconds)
        followers = followers if engine.processes.writes_files else []
        with (
            judge_of(directory, data, record["dataset"], asking, catalogue, progress, judges) as judge,
            following(directory, followers) as following_now,
        ):
            training = Training(trainer, directory, progress, schedule, judge, following_now)
            training.resume()
            if training.is_finished(total):
                progress.note(f"Nothing to do: {directory.path} has {trainer.steps} steps, the budget is {total}.")
                training.finish()  # which a kill may have cut short
            else:
                training.run_to(total, profile)
    return Run(RunDirectory(path))


@contextmanager
def judge_of(
    directory: RunDirectory,
    data: "Dataset",
    record: Mapping[str, Any],
    options: EvaluationOptions,
    catalogue: Catalogue,
    progress: Progress,
    wanted: bool,
) -> "Iterator[PeriodicJudge | None]":
    """What scores the run while it trains; None, and nothing imported, where that is not wanted of this process."""
    if not wanted:
        yield None
        return
    from zoo.evaluation.judging import judging

    with judging(directory, data, record, options, catalogue, progress) as judge:
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
    """Write down what makes a new run; warn where an earlier one began with other versions."""
    before = directory.record()
    if before is None:
        copy_plugin_files(stack, catalogue, directory)
        directory.write_record(record)
    elif changed := changes(before, record):
        warnings.warn(
            f"{directory.path} continues otherwise than it began, so that it may end with other numbers than an "
            f"uninterrupted run: {', '.join(changed)}.",
            ZooWarning,
            stacklevel=2,
        )


def as_text(value: Any) -> str:
    """A recipe value as `key=value` takes it."""
    return ",".join(str(each) for each in value) if isinstance(value, tuple | list) else str(value)


def open_data(
    dataset: str, catalogue: Catalogue, data_dir: Path | str | None, options: DataOptions, progress: Progress
) -> "Dataset":
    """What is trained on, prepared on first use."""
    from zoo.data import open_dataset

    folder = Path(data_dir) if data_dir else None
    opened = open_dataset(dataset, catalogue, data_dir=folder, options=options, progress=progress)
    progress.note(opened.summary)
    return opened


def check_numbers(budgets: Mapping[str, float | None], seed: int) -> None:
    """Refuse a budget or a seed that no run can have, before anything is prepared."""
    given = {name: value for name, value in budgets.items() if value is not None}
    if len(given) > 1:
        raise ZooError(f"The budget is given twice: {' and '.join('--' + name for name in given)}. Keep one.")
    for name, value in given.items():
        if not 0 < value < math.inf:
            raise ZooError(f"--{name} must be a number above 0; received {value}.")
    if not 0 <= seed < SEEDS:
        raise ZooError(f"--seed must be from 0 to {SEEDS - 1}; received {seed}.")


def budget(
    stack: "Stack", count: int, catalogue: Catalogue, dataset: str, given: Mapping[str, float | None]
) -> "Budget":
    """What one of steps, epochs, images and minutes asks for, in all."""
    from zoo.training.loop import Budget

    steps, epochs, images, minutes = (given[name] for name in ("steps", "epochs", "images", "minutes"))
    if minutes is not None:
        return Budget(seconds=60 * minutes)
    if steps is not None:
        return Budget(int(steps))
    if images is None:
        entry = catalogue.datasets.get(dataset)
        images = math.ceil((epochs or (entry.epochs if entry else None) or DEFAULT_EPOCHS) * count)
    return Budget(math.ceil(images / (stack.recipe.critic_steps * stack.recipe.batch_size)))


def schedule_of(
    total: "Budget", checkpoint_every: int | None, evaluate_every: int | None, evaluations: int | None
) -> "Schedule":
    """When a run is saved and scored; `evaluations` are spread evenly over the budget, the last at its end."""
    from zoo.training.loop import Schedule

    if evaluations is None:
        return Schedule(checkpoint_every, evaluate_every)
    if total.steps is not None:
        return Schedule(checkpoint_every, math.ceil(total.steps / evaluations))
    return Schedule(checkpoint_every, evaluate_seconds=(total.seconds or math.inf) / evaluations)
