"""What `zoo evaluate` and `zoo scores` do, as plain data: runs, folders and arrays against real images."""

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.progress import Progress, as_progress
from zoo.catalogue import Catalogue, read_catalogue
from zoo.data.options import SOURCE, DataOptions
from zoo.errors import ZooError, ZooWarning
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile, evaluation_record
from zoo.evaluation.names import of_direction
from zoo.evaluation.options import ALL, LAST, TEST, EvaluationOptions
from zoo.evaluation.protocol import check_comparable
from zoo.evaluation.statistics_file import is_statistics
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.runs.directory import RunDirectory
from zoo.runs.finding import is_run
from zoo.training.data_of_run import DataOfRun
from zoo.training.names import SAMPLES
from zoo.training.run import Run, load

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.evaluation.task import EvaluationResult, EvaluationTask

DEFAULT_OPTIONS = EvaluationOptions()
EVERYTHING = "all"  # the split of files that are scored


def evaluate(
    scored: Run | Path | str,
    *,
    against: Path | str | None = None,
    dataset: str | None = None,
    checkpoint: str = LAST,
    options: EvaluationOptions = DEFAULT_OPTIONS,
    data: DataOptions | None = None,
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    progress: Progress | bool = True,
) -> list[dict[str, Any]]:
    """Score a run, or images in a folder, zip or array file, and return the evaluations, one for each checkpoint.

    A run is scored against the test split of its own dataset, files against `dataset` or the files `against`. A run's
    scores go into its evaluation.json, those of files into `out` where it is given; `data` says how files are
    read. Raises ZooError where samples can't be compared, are too few, or were trained on.
    """
    progress = as_progress(progress)
    catalogue = read_catalogue([Path(each) for each in plugins])
    try:
        if isinstance(scored, Run) or is_run(Path(scored)):
            run = scored if isinstance(scored, Run) else load(scored)
            run = run.toward(options.to) if options.to != SAMPLES else run
            options = replace(options, to=run.to, data_dir=options.data_dir or run.data_dir)
            run = run if run.data_dir == options.data_dir else replace(run, data_dir=options.data_dir)
            if options.raw and run.is_packed:
                raise ZooError(f"{run.directory.called} was packed: it holds averaged weights alone. Leave --raw out.")
            if against is not None and is_statistics(Path(against)) and options.to == SAMPLES:
                return run_against_statistics(run, checkpoint, Path(against), options, catalogue, out, progress)
            if against is not None:
                raise ZooError(
                    f"{run.path} is a run: it is scored against a dataset, or, without --to, --against statistics (an "
                    ".npz with mu and sigma), not against other files."
                )
            return evaluate_run(run, checkpoint, dataset, options, catalogue, out, progress)
        if options.to != SAMPLES:
            raise ZooError(f"--to {options.to} is a direction of a run that translates, and {scored} is no run.")
        return evaluate_files(str(scored), against, dataset, options, data or DataOptions(), catalogue, out, progress)
    finally:
        progress.stop()


def evaluate_run(
    run: Run,
    checkpoint: str,
    dataset: str | None,
    options: EvaluationOptions,
    catalogue: Catalogue,
    out: Path | str | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Score one or several checkpoints of a run; each is written as soon as it is known."""
    paths = checkpoints_of(run.directory, checkpoint)
    file = EvaluationFile(Path(out) if out else run.directory.outputs / EVALUATION)
    pictures = file.path.parent / "evaluation"
    found = []
    with task_of_run(run, dataset, options, catalogue, progress) as task:
        for path in paths:
            step = step_of_checkpoint(path)
            progress.note(f"{run.directory.called}, step {step}")
            result = task.score_generator(run.sampler_at(path), options)
            found.append(evaluation_record(run.directory.called, step, result))
            with warning_if_not_kept(file.path):
                found[-1]["pictures"] = write_pictures(result, pictures, f"step-{step:08d}{of_direction(options.to)}")
                file.add(found[-1])
    return found


def run_against_statistics(
    run: Run,
    checkpoint: str,
    statistics: Path,
    options: EvaluationOptions,
    catalogue: Catalogue,
    out: Path | str | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Score one or several checkpoints of a run against statistics in a file."""
    from zoo.evaluation.images import generated_images
    from zoo.evaluation.statistics_file import extractor_for, read_statistics, score_against

    reference = read_statistics(statistics)
    extractor = extractor_for(reference, options, catalogue, progress)
    file = EvaluationFile(Path(out) if out else run.directory.outputs / EVALUATION)
    found = []
    for path in checkpoints_of(run.directory, checkpoint):
        with tempfile.TemporaryDirectory() as scratch:
            made = generated_images(run.sampler_at(path), run.rows, options, Path(scratch), progress)
            result = score_against(reference, made, extractor, options.seed, Path(scratch), progress)
        found.append(evaluation_record(run.directory.called, step_of_checkpoint(path), result))
        if run.made_of is not None:
            found[-1]["made_of"] = run.made_of
        with warning_if_not_kept(file.path):
            file.add(found[-1])
    return found


@contextmanager
def warning_if_not_kept(path: Path) -> Iterator[None]:
    """Warns where scores can't be written, as in a run that is read-only: they are printed in any case."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        warnings.warn(
            f"The scores are not kept: {path} can't be written ({error.strerror}). To keep them: --out FILE.json.",
            ZooWarning,
            stacklevel=3,
        )


def checkpoints_of(directory: RunDirectory, wanted: str) -> list[Path]:
    """The checkpoints that `best`, `last` or `all` mean; raises ZooError where there is none."""
    checkpoints = directory.checkpoints
    paths = checkpoints.paths()
    if not paths:
        raise ZooError(f"The run {directory.path} has no checkpoint yet. Continue it with zoo run.")
    best = checkpoints.best()
    if wanted == LAST:
        return paths[-1:]
    if wanted == ALL:
        steps = {step_of_checkpoint(path): path for path in [*([best] if best else []), *paths]}
        return [steps[step] for step in sorted(steps)]
    if best is None:
        raise ZooError(
            f"No checkpoint of {directory.path} was judged best: that is done while it trains, with zoo run "
            "--evaluate-every STEPS. Score those that are kept: --checkpoint all."
        )
    return [best]


@contextmanager
def task_of_run(
    run: Run, dataset: str | None, options: EvaluationOptions, catalogue: Catalogue, progress: Progress
) -> "Iterator[EvaluationTask]":
    """The evaluation of a run against its own dataset, or against another one."""
    from zoo.data import open_dataset
    from zoo.evaluation.setup import evaluation_task, open_training
    from zoo.evaluation.translations import with_samples

    data = DataOfRun(run.record["dataset"], run.path, catalogue, options.data_dir, run.dataset, progress)
    if dataset is not None and data.is_at(dataset):  # the run's own, which lies somewhere else now
        data, dataset = replace(data, named=dataset), None
    training = open_training(data)
    if dataset is None:
        real = data.split(options.split)
    else:
        read = DataOptions(options.split)
        real = open_dataset(dataset, catalogue, data_dir=options.data_dir, options=read, progress=progress)
    progress.note(real.summary)
    with tempfile.TemporaryDirectory() as scratch:
        folder, generating, given = Path(scratch), run.sampler.generating, real
        if options.to != SAMPLES:
            real = with_samples(real, run.sampler, options.seed, folder / "sources.npy")
            if training is not None:
                training = with_samples(training, run.sampler, options.seed, folder / "trained-on.npy")
        yield evaluation_task(real, training, options, catalogue, folder, progress, generating=generating, given=given)


def evaluate_files(
    scored: str,
    against: Path | str | None,
    dataset: str | None,
    options: EvaluationOptions,
    data_options: DataOptions,
    catalogue: Catalogue,
    out: Path | str | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Score images that lie in files against a dataset, or against other files."""
    from zoo.data import open_dataset
    from zoo.evaluation.images import file_images
    from zoo.evaluation.setup import evaluation_task

    if (against is None) == (dataset is None):
        raise ZooError(
            f"{scored} is no run: say what it is scored against, --dataset NAME or --against PATH, one of them."
        )

    def opened(name: str, split: str) -> "Dataset":
        read = replace(data_options, split=split)
        if name == dataset:  # these are of the files that are scored
            others: dict[str, Any] = dict.fromkeys(("layout", "values", "folders", *SOURCE))
            read = replace(read, **others)
        return open_dataset(name, catalogue, data_dir=options.data_dir, options=read, progress=progress)

    images = opened(as_path(scored), EVERYTHING)
    if against is not None and is_statistics(Path(against)):
        return files_against_statistics(scored, images, Path(against), options, catalogue, out, progress)
    real = opened(as_path(str(against)), EVERYTHING) if dataset is None else opened(dataset, options.split)
    training = None if dataset is None or options.split != TEST else opened(dataset, "train")
    for each in (images, real):
        progress.note(each.account)
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as other:
        generated = file_images(images, options.samples, Path(other))
        task = evaluation_task(real, training, options, catalogue, Path(scratch), progress, len(generated.samples))
        result = task.score(generated, Path(other))
    path = Path(out) if out else None
    written = write_pictures(result, path.parent, path.stem) if path else {}
    found = [evaluation_record(scored, None, result, pictures=written)]
    if path:
        EvaluationFile(path).add(found[0])
    return found


def files_against_statistics(
    scored: str,
    images: "Dataset",
    statistics: Path,
    options: EvaluationOptions,
    catalogue: Catalogue,
    out: Path | str | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Score images that lie in files against statistics in a file."""
    from zoo.evaluation.images import file_images
    from zoo.evaluation.statistics_file import extractor_for, read_statistics, score_against

    reference = read_statistics(statistics)
    extractor = extractor_for(reference, options, catalogue, progress)
    progress.note(images.account)
    with tempfile.TemporaryDirectory() as scratch:
        generated = file_images(images, options.samples, Path(scratch))
        result = score_against(reference, generated, extractor, options.seed, Path(scratch), progress)
    found = [evaluation_record(scored, None, result)]
    if out:
        EvaluationFile(Path(out)).add(found[0])
    return found


def statistics_of(
    name: Path | str,
    out: Path | str,
    *,
    options: EvaluationOptions = DEFAULT_OPTIONS,
    data: DataOptions | None = None,
    count: int | None = None,
    plugins: Sequence[Path | str] = (),
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Write `mu` and `sigma` of a dataset's or files' features to an .npz; returns how they were measured.

    pytorch-fid and TTUR read them, and `zoo evaluate --against`.
    """
    from zoo.data import open_dataset
    from zoo.evaluation.statistics_file import write_statistics

    progress, catalogue = as_progress(progress), read_catalogue([Path(each) for each in plugins])
    try:
        read = data or DataOptions()
        dataset = open_dataset(str(name), catalogue, data_dir=options.data_dir, options=read, progress=progress)
        return write_statistics(dataset, Path(out), options, catalogue, progress, count)
    finally:
        progress.stop()


def as_path(text: str) -> str:
    """A file's or folder's name so that it reads as a path, not as a dataset's name."""
    path = Path(text).expanduser()
    if not path.exists():
        raise ZooError(f"There is no {text}: expected a run's folder, a folder or .zip of images, a .npy or a .npz.")
    return str(path.absolute())


def write_pictures(result: "EvaluationResult", folder: Path, name: str) -> dict[str, str]:
    """Writes what metrics have drawn; returns the files by the metrics' names."""
    from zoo.base.pictures import save_picture

    written = {}
    for metric, picture in result.pictures.items():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{metric}-{name}.png"
        save_picture(picture, path)
        written[metric] = str(path)
    return written


def score_table(paths: Sequence[Path], names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The last scores that each run's evaluation.json holds, one row a run; ZooError where protocols differ."""
    rows: list[dict[str, Any]] = []
    for path in paths:
        file = EvaluationFile(path if path.suffix == ".json" else load(path).path / EVALUATION)
        every = file.read()
        evaluations = [each for each in every if not each["periodic"]] or every
        if not evaluations:
            raise ZooError(f"{path} has no evaluation yet: zoo evaluate {path}")
        latest: dict[str, Mapping[str, Any]] = {}
        for each in evaluations:
            latest |= {score["name"]: {**score, "step": each["step"]} for score in each["scores"]}
        wanted = {name: score for name, score in latest.items() if not names or name in names}
        rows.append({"scored": str(path), "scores": list(wanted.values())})
    check_comparable([(row["scored"], score) for row in rows for score in row["scores"]])
    return rows
