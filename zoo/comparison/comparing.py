"""`zoo compare` and `zoo report`: plan the grid, have an executor train it, and write the report."""

import contextlib
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.files import read_json, write_json
from zoo.base.names import dataset_folder
from zoo.base.progress import Progress, as_progress
from zoo.catalogue import BenchmarkEntry, Catalogue, read_catalogue
from zoo.catalogue.entries import match
from zoo.comparison.candidates import Candidate, parse_candidate, parse_sweep, swept
from zoo.comparison.executors.choice import ExecutorChoice, check_choice, open_executor
from zoo.comparison.plan import BUDGETS, RUNS, Cell, Plan, Setup, check_same_setup
from zoo.comparison.rehearsal import rehearse
from zoo.comparison.scheduler import Scheduler
from zoo.data.options import DataOptions
from zoo.errors import ZooError, unknown
from zoo.evaluation.options import JUDGED_BY, PERIODIC
from zoo.options import UNLIMITED, Budget
from zoo.recipe import as_text
from zoo.runs.directory import RunDirectory
from zoo.runs.finding import find_runs, folder_of_data

if TYPE_CHECKING:
    from zoo.comparison.found import Found

COMPARISONS = Path("comparisons")
SETUP = "question.json"  # the file of the setup that all runs in a folder share
DEFAULT_BENCHMARK = "fashion-mini"
DEFAULT_SEEDS = 3
DEFAULT_EVALUATIONS = 10
RETRIES = 1
SHOWN = ("budget", "until", "evaluations", "samples", "extractor")  # the fields of the setup that a report shows

Around = Callable[[Path], AbstractContextManager[Any]]


@dataclass(frozen=True)
class ComparisonOptions:
    """The options of a comparison; None and () stand for the benchmark's value, or for a default where it has none."""

    variants: Sequence[str] = ()
    benchmark: str | None = None
    datasets: Sequence[str] = ()
    seeds: int | None = None
    sweeps: Sequence[str] = ()
    settings: Sequence[str] = ()
    budget: Budget = UNLIMITED
    evaluations: int | None = None
    until: float | None = None
    metrics: Sequence[str] = ()
    samples: int | None = None
    extractor: str | None = None
    data: DataOptions = field(default_factory=DataOptions)
    data_dir: Path | None = None
    plugins: Sequence[Path] = ()
    out: Path | None = None
    engine: EngineOptions = DEFAULT_ENGINE


def compare(
    options: ComparisonOptions,
    *,
    executor: ExecutorChoice | None = None,
    retries: int = RETRIES,
    command: str = "",
    progress: Progress | bool = True,
    around: Around | None = None,
) -> "Found":
    """Trains and scores the missing runs of a comparison, writes its report, and returns everything JSON-ready.

    The runs lie in `<out>/runs`; the same call continues what was interrupted. `around(<out>/runs)` is a context that
    is entered while they train, such as a live table. Raises ZooError for a mistake before anything is trained, and
    KeyboardInterrupt after Ctrl-C, when every run is saved.
    """
    progress = as_progress(progress)
    choice, catalogue = executor or ExecutorChoice(), read_catalogue([Path(each) for each in options.plugins])
    check_choice(choice, catalogue)
    plan = planned(options, progress)
    try_out(plan, progress)
    begin(plan)
    cells = plan.cells()
    if around is None:
        progress.note(f"To watch the runs: zoo watch {shlex.quote(str(plan.folder))}")
    with contextlib.closing(open_executor(choice, plan.folder, catalogue)) as opened:
        try:
            with around(plan.folder / RUNS) if around else contextlib.nullcontext():
                Scheduler(opened, cells, plan.job, retries, progress).run()
        finally:
            written = write(plan, command)
    progress.note(f"Report: {plan.folder / 'report.html'}")
    return written


def planned(options: ComparisonOptions, progress: Progress) -> Plan:
    """The grid of runs, its data prepared; raises ZooError for every mistake that needs no built model to be found."""
    from zoo.data.opening import entry_of

    catalogue = read_catalogue([Path(each) for each in options.plugins])
    entry = benchmark_of(options, catalogue)
    names = options.datasets or entry.datasets
    datasets = [entry_of(str(each), catalogue).name for each in names]
    candidates = candidates_of(options, entry, catalogue)
    seeds = options.seeds or entry.seeds
    if seeds < 1:
        raise ZooError(f"--seeds must be at least 1; received {seeds}.")
    title = entry.name or "+".join(Path(each).name for each in datasets)
    setup = setup_of(options, entry, datasets, catalogue)
    plan = Plan(
        title=title,
        candidates=candidates,
        datasets=datasets,
        seeds=range(seeds),
        setup=setup,
        folder=options.out or COMPARISONS / title,
        benchmark=entry.name or None,
        summary=entry.summary,
        data_dir=options.data_dir,
        plugins=[Path(each) for each in options.plugins],
        engine=options.engine,
        sweep=dict(map(parse_sweep, options.sweeps)),
    )
    fingerprints = prepare_data(plan, catalogue, progress)
    return replace(plan, folders={each: folder_in(plan, each, fingerprints[each]) for each in datasets})


def folder_in(plan: Plan, dataset: str, fingerprint: str) -> str:
    """The name of a dataset's folders: that of runs which began when its path was another one, if there are any."""
    default = dataset_folder(dataset)
    for candidate in plan.candidates:
        found = folder_of_data(plan.folder_of(candidate), dataset, fingerprint, lambda folder: sorted(folder.glob("*")))
        if found.name != default:
            return found.name
    return default


def benchmark_of(options: ComparisonOptions, catalogue: Catalogue) -> BenchmarkEntry:
    """The named benchmark, or a nameless one of the given datasets; raises ZooError for an unknown name."""
    if options.benchmark is None and options.datasets:
        return BenchmarkEntry(
            "", tuple(options.datasets), seeds=DEFAULT_SEEDS, evaluations=DEFAULT_EVALUATIONS, samples=0
        )
    name = match(options.benchmark or DEFAULT_BENCHMARK, catalogue.benchmarks)
    if name is None:
        raise unknown("benchmark", str(options.benchmark), catalogue.benchmarks)
    return catalogue.benchmarks[name]


def candidates_of(options: ComparisonOptions, entry: BenchmarkEntry, catalogue: Catalogue) -> list[Candidate]:
    """The named variants, or the benchmark's own, with every combination of swept values."""
    texts = options.variants or entry.variants
    if not texts:
        raise ZooError("Name the variants that are to be compared: zoo compare VARIANT VARIANT --dataset NAME.")
    return swept([parse_candidate(each, catalogue) for each in texts], options.sweeps)


def setup_of(options: ComparisonOptions, entry: BenchmarkEntry, datasets: Sequence[str], catalogue: Catalogue) -> Setup:
    """The setup that all runs share; options take precedence over the benchmark."""
    kinds = {"points" if is_of_points(each, catalogue) else "images" for each in datasets}
    if len(kinds) > 1:
        raise ZooError("Points and images have no score in common: compare on one kind of dataset at a time.")
    settings = [f"{name}={as_text(value)}" for name, value in entry.recipe.items()]
    return Setup(
        budget=budget_of(options, entry, datasets, catalogue),
        evaluations=options.evaluations or entry.evaluations,
        metrics=tuple(options.metrics) or entry.metrics or JUDGED_BY[kinds.pop()],
        samples=options.samples or entry.samples or PERIODIC.samples,
        extractor=options.extractor or entry.extractor,
        until=entry.until if options.until is None else options.until,
        settings=(*settings, *options.settings),
        data_options=options.data,
    )


def is_of_points(dataset: str, catalogue: Catalogue) -> bool:
    """Whether a dataset of the catalogue holds points."""
    return dataset in catalogue.datasets and catalogue.datasets[dataset].kind == "points"


def budget_of(
    options: ComparisonOptions, entry: BenchmarkEntry, datasets: Sequence[str], catalogue: Catalogue
) -> dict[str, float]:
    """One of images, epochs, steps and minutes: from the options, the benchmark, or the datasets' usual epochs."""
    if options.budget.given:
        return options.budget.given
    found = {name: getattr(entry, name) for name in BUDGETS if getattr(entry, name) is not None}
    if found:
        return found
    known = {catalogue.datasets[each].epochs for each in datasets if each in catalogue.datasets}
    epochs = known.pop() if len(known) == 1 else None
    if epochs is None:
        raise ZooError("Say for how long each run trains: --images, --epochs, --steps or --minutes.")
    return {"epochs": float(epochs)}


def prepare_data(plan: Plan, catalogue: Catalogue, progress: Progress) -> dict[str, str]:
    """Prepares the data of all runs before the first of them begins; the fingerprints of what is trained on."""
    from zoo.data import open_dataset

    backend.choose(plan.engine.backend)
    backend.check_installed()
    fingerprints: dict[str, str] = {}
    for dataset in plan.datasets:
        for split in (plan.setup.data_options.split, PERIODIC.split):
            options = replace(plan.setup.data_options, split=split)
            opened = open_dataset(dataset, catalogue, data_dir=plan.data_dir, options=options, progress=progress)
            progress.note(opened.account)
            fingerprints.setdefault(dataset, opened.fingerprint)
    return fingerprints


def try_out(plan: Plan, progress: Progress) -> None:
    """Raises ZooError with every mistake that would stop a variant on a dataset, unless a run of it has begun."""
    groups: dict[tuple[Candidate, str], list[Cell]] = {}
    for cell in plan.cells():
        groups.setdefault((cell.candidate, cell.dataset), []).append(cell)
    fresh = [cells[0] for cells in groups.values() if not any(has_begun(cell.path) for cell in cells)]
    rehearse([plan.job(cell) for cell in fresh], progress)


def has_begun(path: Path) -> bool:
    """Whether training of the run in this folder has ever begun."""
    return RunDirectory(path).record_file.exists()


def begin(plan: Plan) -> None:
    """Makes the folder; raises ZooError where it holds runs of another setup."""
    path, now = plan.folder / SETUP, plan.setup.record()
    before = read_json(path)
    if before is not None:
        check_same_setup(plan.folder, before, now)
        return
    try:
        (plan.folder / RUNS).mkdir(parents=True, exist_ok=True)
        write_json(path, now)
    except OSError as error:
        raise ZooError(
            f"Can't write the comparison's folder {plan.folder}: {error.strerror}. Choose another with --out DIR."
        ) from error


def write(plan: Plan, command: str) -> "Found":
    """Writes the report of the runs that are trained so far; returns its data, JSON-ready."""
    from zoo.comparison.found import Found
    from zoo.comparison.report import write_report
    from zoo.comparison.results import comparison

    by_variant = sorted(plan.cells(), key=lambda cell: plan.candidates.index(cell.candidate))
    head = {
        "title": plan.title,
        "command": command,
        "benchmark": {
            "name": plan.benchmark,
            "summary": plan.summary,
            "datasets": list(plan.datasets),
            "seeds": list(plan.seeds),
            **{name: value for name, value in asdict(plan.setup).items() if name in SHOWN},
            "metrics": list(plan.setup.metrics),
            "sweep": {key: list(values) for key, values in plan.sweep.items()},
        },
    }
    found = comparison([cell.path for cell in by_variant], plan.folder, head)
    write_report(found, plan.folder)
    return Found(found, plan.folder)


def report(paths: Sequence[Path], out: Path, title: str = "", command: str = "") -> "Found":
    """Writes the report of any runs, trained by `zoo compare` or one by one; returns its data, JSON-ready."""
    from zoo.comparison.found import Found
    from zoo.comparison.report import write_report
    from zoo.comparison.results import comparison

    runs = list(dict.fromkeys(run for path in paths for run in find_runs(Path(path))))
    out.mkdir(parents=True, exist_ok=True)
    head = {"title": title or f"{len(runs)} runs", "command": command, "benchmark": None}
    found = comparison(runs, out, head)
    write_report(found, out)
    return Found(found, out)
