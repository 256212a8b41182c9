"""The straight line of a run: stack, data, trainer, checkpoints, samples; and opening a run again."""

import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from zoo.opened import Run
from zoo.options import MONITORING, UNLIMITED, Budget, Monitoring
from zoo.recipe import as_text, parse_setting
from zoo.runs.directory import PLACE, RunDirectory
from zoo.runs.finding import find_run, run_path
from zoo.tracking.following import find_listeners, following
from zoo.training.changing import CHANGE, CHANGES, Changes
from zoo.training.run_yaml import changes, copy_plugin_files, describe

if TYPE_CHECKING:  # what imports Keras is imported when it is needed, so that a mistake is told at once
    from zoo.data import Dataset
    from zoo.evaluation.judging import PeriodicJudge
    from zoo.recipe import Recipe, Setting
    from zoo.stacks.stack import Stack
    from zoo.training.loop import Schedule, Total
    from zoo.training.players import Generating
    from zoo.training.trainer import Trainer
    from zoo.training.updates import Since

DEFAULT_STACK, DEFAULT_DATASET = "dcgan", "fashion_mini"
DATA_OPTIONS = DataOptions()
DEFAULT_EPOCHS = 25  # where neither the command nor registry.yaml says how long
SEEDS = 2**32  # as many as the generators of NumPy and Keras take


def run(
    stack: str = DEFAULT_STACK,
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
    origin: Path | str | None = None,
    changes: Sequence[str] | Mapping[str, Any] = (),
) -> Run:
    """Train a stack on a dataset until the budget is spent, continuing what is there of the run.

    `data` says how the dataset is read, and `data_dir` where datasets live; `settings` are recipe values, as a mapping
    or as `key=value` texts; `plugins` are files of plugins; `out` replaces the run directory
    runs/<stack>/<dataset>/<seed>; `monitoring` is what is saved, scored and followed meanwhile; `engine` chooses
    backend, precision and devices. `origin` is another run from whose weights a new one starts; `changes` are recipe
    values, like `settings`, with which a run that was begun goes on from where it stands. Raises ZooError for a mistake
    and KeyboardInterrupt after Ctrl-C, when everything is saved.
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

    resolve = partial(resolve_stack, stack, catalogue, dataset, as_texts(settings))
    resolved = resolve()
    path = Path(out) if out else run_path(resolved.name, rows.name, seed, rows.fingerprint)
    wanted = [parse_setting(each, CHANGE) for each in as_texts(changes)]
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
        before = RunDirectory(path).record()  # which every process reads, for all must take the same steps
        changing, resolved = with_changes(Changes.of(before, wanted), resolved, resolve, RunDirectory(path))
        total = total_of(budget, resolved, rows.count, catalogue, dataset, changing.since)
        trainer = Trainer(resolved, rows, seed, computing, changing.since)
        record = {
            **describe(resolved, catalogue, rows, trainer, directory),
            **started_from(origin, before, trainer, RunDirectory(path)),
            **({CHANGES: list(changing.recorded)} if changing.recorded else {}),
        }
        begin_or_continue(directory, record, resolved, catalogue, trainer)
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
    return Run(RunDirectory(path), data_dir=None if data_dir is None else Path(data_dir))


def repeat(config: Path | str, **given: Any) -> Run:
    """Make again the run of a run.yaml, or of the folder that holds one, with the arguments of `run` in place of its.

    What it changed on its way it changes at the same steps.
    """
    from zoo.training.repeating import arguments_of

    made = arguments_of(Path(config), given.get("data_dir"))
    arguments = {**made, "budget": Budget(**made["budget"]), **given}
    stages = arguments.pop("changes") if "changes" not in given else []
    texts: Sequence[str] = ()
    for step, changed in stages:
        run(**{**arguments, "budget": Budget(steps=step), "changes": texts})
        texts = changed
    return run(**{**arguments, "changes": given.get("changes", texts)})


def with_changes(
    changing: Changes, began: "Stack", resolve: Callable[["list[Setting]"], "Stack"], directory: RunDirectory
) -> tuple[Changes, "Stack"]:
    """The changes, and the stack with them: `resolve` makes the stack that the run `began` as, values laid over it."""
    if not changing.settings:
        return changing, began
    changing.check_typed(began.recipe)
    earlier, now = resolve(replace(changing, wanted=()).settings), resolve(changing.settings)
    return with_new(changing, earlier.recipe, now.recipe, directory), now


def with_new(changing: Changes, before: "Recipe", now: "Recipe", directory: RunDirectory) -> Changes:
    """The changes with those that are new since the run's last checkpoint; a run without one has nothing to change."""
    if not changing.wanted:
        return changing
    latest = directory.checkpoints.latest()
    if latest is None:
        raise ZooError(f"--change is for a run that goes on, and {directory.path} has no checkpoint yet.")
    entry = changing.entry(before, now, int(latest[0]["steps"]), changing.since)
    return replace(changing, recorded=[*changing.recorded, entry] if entry else changing.recorded, wanted=())


def started_from(
    origin: Path | str | None, before: Mapping[str, Any] | None, trainer: "Trainer", directory: RunDirectory
) -> dict[str, Any]:
    """Give a trainer the weights that it starts from; returns what run.yaml says of it, {} for an own beginning."""
    from zoo.training.origin import Origin, check_recorded

    if before is not None and directory.checkpoints.paths():  # the checkpoint holds all
        if origin is not None:
            check_recorded(zoo_run(origin), before.get("origin"))
        return {"origin": before["origin"]} if "origin" in before else {}
    found = Origin.of(origin, before)
    if found is None:
        if trainer.recipe.freeze_discriminator:
            raise ZooError("freeze_discriminator keeps the weights of another run: --from RUN says of which.")
        return {}
    return {"origin": found.give(trainer)}


def zoo_run(path: Path | str) -> Run:
    """The run in a folder."""
    return Run(find_run(Path(path)))


def smaller_runs(recipe: "Recipe", rows: "Dataset", engine: EngineOptions) -> list[str]:
    """The options with which a run needs less memory, in the order in which they are worth trying."""
    smaller = max(engine.devices, recipe.batch_size // 2)
    found = [f"--set batch_size={smaller} (now {recipe.batch_size})"] if smaller < recipe.batch_size else []
    if smaller < recipe.batch_size and not recipe.batch_size % (parts := 2 * recipe.accumulation):
        found.insert(0, f"--set accumulation={parts} (the same batch, in parts)")
    if (width := getattr(recipe, "width", None)) and width > 1:
        found.append(f"--set width={width // 2} (now {width})")
    if rows.is_image and (side := min(rows.sample_shape[:2])) >= 32:
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
    patience, until = monitoring.patience, monitoring.until
    with judging(directory, rows, record, options, catalogue, progress, generating, patience, until) as judge:
        yield judge


@contextmanager
def directory_of_process(path: Path, options: EngineOptions) -> Iterator[RunDirectory]:
    """The run directory in the process that writes it; in each other one a place for what nobody needs."""
    if options.processes.writes_files:
        yield RunDirectory(path)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield RunDirectory(Path(scratch))


def record_with_changes(before: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """run.yaml of a run that goes on with the changed values of `record`."""
    changed = record[CHANGES][-1]["recipe"]
    values = {name: record["recipe"][name] for name in changed}
    sources = {name: record["recipe_sources"][name] for name in changed}
    return {
        **before,
        CHANGES: record[CHANGES],
        "recipe": {**before["recipe"], **values},
        "recipe_sources": {**before["recipe_sources"], **sources},
    }


def check_changeable(directory: RunDirectory, trainer: "Trainer", record: Mapping[str, Any]) -> None:
    """Raise ZooError where the changed values need other networks than those that the checkpoint holds."""
    latest = directory.checkpoints.latest()
    if latest is not None and (found := trainer.misfit(latest[0])):
        names = ", ".join(record[CHANGES][-1]["recipe"])
        raise ZooError(f"{names} can't change in a run that was begun, since its networks would. {found}")


def begin_or_continue(
    directory: RunDirectory, record: Mapping[str, Any], stack: "Stack", catalogue: Catalogue, trainer: "Trainer"
) -> None:
    """Write down what makes a new run; refuse to continue another one, and warn where versions differ."""
    before = directory.record()
    if before is not None and record.get(CHANGES, []) != before.get(CHANGES, []):
        before = record_with_changes(before, record)
        check_changeable(directory, trainer, record)
        directory.check_same(record, before)
        directory.write_record(before)
    directory.check_same(record)
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


def total_of(budget: Budget, stack: "Stack", count: int, catalogue: Catalogue, dataset: str, since: "Since") -> "Total":
    """The steps, or seconds of training, that a budget comes to; `since` says from where images are counted."""
    from zoo.training.loop import Total

    if budget.minutes is not None:
        return Total(seconds=60 * budget.minutes)
    if budget.steps is not None:
        return Total(int(budget.steps))
    images: float | None = budget.images
    if images is None:
        entry = catalogue.datasets.get(dataset)
        images = math.ceil((budget.epochs or (entry.epochs if entry else None) or DEFAULT_EPOCHS) * count)
    left = images - since.images
    return Total(since.steps + math.ceil(left / (stack.recipe.critic_steps * stack.recipe.batch_size)))


def schedule_of(total: "Total", monitoring: Monitoring) -> "Schedule":
    """When a run is saved and scored; `evaluations` are spread evenly over the budget, the last at its end."""
    from zoo.training.loop import Schedule

    every, health = monitoring.checkpoint_every, monitoring.health_every or None
    common: dict[str, Any] = {
        "health_every": health,
        "stops_early": (monitoring.patience, monitoring.until) != (None, None),
    }
    if monitoring.evaluations is None:
        return Schedule(every, monitoring.evaluate_every, **common)
    if total.steps is not None:
        return Schedule(every, math.ceil(total.steps / monitoring.evaluations), **common)
    return Schedule(every, None, (total.seconds or math.inf) / monitoring.evaluations, **common)
