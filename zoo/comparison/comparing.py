"""What `zoo compare` and `zoo report` do: plan the grid, have an engine train it, and report."""

import contextlib
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.files import read_json, write_json
from zoo.base.progress import Progress, as_progress
from zoo.catalogue import BenchmarkEntry, Catalogue, read_catalogue
from zoo.catalogue.entries import match
from zoo.comparison.candidates import Candidate, parse_candidate, parse_sweep, swept
from zoo.comparison.executors.choosing import EngineChoice, engine_named
from zoo.comparison.plan import BUDGETS, RUNS, Cell, Plan, Question, check_same_question
from zoo.comparison.rehearsal import rehearse
from zoo.comparison.scheduler import Scheduler
from zoo.data.options import DataOptions
from zoo.errors import ZooError, unknown
from zoo.evaluation.options import JUDGED_BY, PERIODIC
from zoo.pipeline import as_text, check_numbers
from zoo.runs.directory import RunDirectory, find_runs

COMPARISONS = Path("comparisons")
QUESTION = "question.json"  # of a folder: what its runs share
DEFAULT_BENCHMARK = "fashion-mini"
DEFAULT_SEEDS = 3
DEFAULT_EVALUATIONS = 10
RETRIES = 1
SHOWN = ("budget", "evaluations", "samples", "extractor")  # of the question, in a report


Around = Callable[[Path], AbstractContextManager[Any]]


@dataclass(frozen=True)
class ComparisonOptions:
    """What a comparison is asked for; what is left None or empty comes from the benchmark, or from what is usual."""

    variants: Sequence[str] = ()
    benchmark: str | None = None
    datasets: Sequence[str] = ()
    seeds: int | None = None
    sweeps: Sequence[str] = ()
    settings: Sequence[str] = ()
    images: int | None = None
    epochs: float | None = None
    steps: int | None = None
    minutes: float | None = None
    evaluations: int | None = None
    metrics: Sequence[str] = ()
    samples: int | None = None
    extractor: str | None = None
    look: DataOptions = field(default_factory=DataOptions)
    data_dir: Path | None = None
    plugins: Sequence[Path] = ()
    out: Path | None = None
    engine: EngineOptions = DEFAULT_ENGINE


def compare(
    asked: ComparisonOptions,
    *,
    engine: str = "local",
    choice: EngineChoice | None = None,
    retries: int = RETRIES,
    command: str = "",
    progress: Progress | bool = True,
    around: Around | None = None,
) -> dict[str, Any]:
    """Train and score every run that is missing of a comparison, write its report, and return all as plain data.

    The runs lie in `<out>/runs`; the same call continues what was interrupted. `around` is entered with that folder
    while they train, to show them. Raises ZooError for a mistake before anything is trained, and KeyboardInterrupt
    after Ctrl-C, when every run is saved.
    """
    progress = as_progress(progress)
    plan = planned(asked, progress)
    try_out(plan, progress)
    begin(plan)
    cells = plan.cells()
    if around is None:
        progress.note(f"How the runs stand: zoo watch {shlex.quote(str(plan.folder))}")
    made = engine_named(engine, replace(choice or EngineChoice(), folder=plan.folder))
    with contextlib.closing(made):
        try:
            with around(plan.folder / RUNS) if around else contextlib.nullcontext():
                Scheduler(made, cells, plan.job, retries, progress).run()
        finally:
            written = write(plan, command)
    progress.note(f"Report: {plan.folder / 'report.html'}")
    return written


def planned(asked: ComparisonOptions, progress: Progress) -> Plan:
    """The grid, its data prepared; raises ZooError for every mistake that needs no network to be built."""
    catalogue = read_catalogue([Path(each) for each in asked.plugins])
    entry = benchmark_of(asked, catalogue)
    names = asked.datasets or entry.datasets
    datasets = [match(str(each), catalogue.datasets) or str(each) for each in names]
    candidates = candidates_of(asked, entry, catalogue)
    seeds = asked.seeds or entry.seeds
    if seeds < 1:
        raise ZooError(f"--seeds must be at least 1; received {seeds}.")
    title = entry.name or "+".join(Path(each).name for each in datasets)
    question = question_of(asked, entry, datasets, catalogue)
    plan = Plan(
        title=title,
        candidates=candidates,
        datasets=datasets,
        seeds=range(seeds),
        question=question,
        folder=asked.out or COMPARISONS / title,
        benchmark=entry.name or None,
        summary=entry.summary,
        data_dir=asked.data_dir,
        plugins=[Path(each) for each in asked.plugins],
        engine=asked.engine,
        sweep=dict(map(parse_sweep, asked.sweeps)),
    )
    prepare_data(plan, catalogue, progress)
    return plan


def benchmark_of(asked: ComparisonOptions, catalogue: Catalogue) -> BenchmarkEntry:
    """The benchmark that was named, or one without a name made of the datasets that were."""
    if asked.benchmark is None and asked.datasets:
        return BenchmarkEntry(
            "", tuple(asked.datasets), seeds=DEFAULT_SEEDS, evaluations=DEFAULT_EVALUATIONS, samples=0
        )
    name = match(asked.benchmark or DEFAULT_BENCHMARK, catalogue.benchmarks)
    if name is None:
        raise unknown("benchmark", str(asked.benchmark), catalogue.benchmarks)
    return catalogue.benchmarks[name]


def candidates_of(asked: ComparisonOptions, entry: BenchmarkEntry, catalogue: Catalogue) -> list[Candidate]:
    """The variants that were named, or the benchmark's own, with every combination of swept values."""
    texts = asked.variants or entry.variants
    if not texts:
        raise ZooError("Name the variants that are to be compared: zoo compare vanilla dcgan --dataset mnist.")
    return swept([parse_candidate(each, catalogue) for each in texts], asked.sweeps)


def question_of(
    asked: ComparisonOptions, entry: BenchmarkEntry, datasets: Sequence[str], catalogue: Catalogue
) -> Question:
    """What all runs share: what was asked for goes before what the benchmark says."""
    kinds = {"points" if is_of_points(each, catalogue) else "images" for each in datasets}
    if len(kinds) > 1:
        raise ZooError("Points and images have no score in common: compare on one kind of dataset at a time.")
    settings = [f"{name}={as_text(value)}" for name, value in entry.recipe.items()]
    return Question(
        budget=budget_of(asked, entry, datasets, catalogue),
        evaluations=asked.evaluations or entry.evaluations,
        metrics=tuple(asked.metrics) or entry.metrics or JUDGED_BY[kinds.pop()],
        samples=asked.samples or entry.samples or PERIODIC.samples,
        extractor=asked.extractor or entry.extractor,
        settings=(*settings, *asked.settings),
        look=asked.look,
    )


def is_of_points(dataset: str, catalogue: Catalogue) -> bool:
    """Whether a dataset's samples are points."""
    return dataset in catalogue.datasets and catalogue.datasets[dataset].kind == "points"


def budget_of(
    asked: ComparisonOptions, entry: BenchmarkEntry, datasets: Sequence[str], catalogue: Catalogue
) -> dict[str, float]:
    """One of images, epochs, steps and minutes."""
    given = {name: getattr(asked, name) for name in BUDGETS if getattr(asked, name) is not None}
    check_numbers(given, 0)
    if given:
        return given
    found = {name: getattr(entry, name) for name in BUDGETS if getattr(entry, name) is not None}
    if found:
        return found
    known = {catalogue.datasets[each].epochs for each in datasets if each in catalogue.datasets}
    epochs = known.pop() if len(known) == 1 else None
    if epochs is None:
        raise ZooError("Say for how long each run trains: --images, --epochs, --steps or --minutes.")
    return {"epochs": float(epochs)}


def prepare_data(plan: Plan, catalogue: Catalogue, progress: Progress) -> None:
    """Have what runs read on disk before the first of them begins."""
    from zoo.data import open_dataset

    backend.choose(plan.engine.backend)
    backend.check_installed()
    for dataset in plan.datasets:
        for split in (plan.question.look.split, PERIODIC.split):
            look = replace(plan.question.look, split=split)
            progress.note(
                open_dataset(dataset, catalogue, data_dir=plan.data_dir, options=look, progress=progress).summary
            )


def try_out(plan: Plan, progress: Progress) -> None:
    """Raises ZooError with all that would stop any variant on any dataset, unless a run of it has begun already."""
    groups: dict[tuple[Candidate, str], list[Cell]] = {}
    for cell in plan.cells():
        groups.setdefault((cell.candidate, cell.dataset), []).append(cell)
    fresh = [cells[0] for cells in groups.values() if not any(has_begun(cell.path) for cell in cells)]
    rehearse([plan.job(cell) for cell in fresh], progress)


def has_begun(path: Path) -> bool:
    """Whether a run was ever trained, so that there is nothing left to try out."""
    return RunDirectory(path).record_file.exists()


def begin(plan: Plan) -> None:
    """Make the folder, or check that its runs were asked the same."""
    path, now = plan.folder / QUESTION, plan.question.record()
    before = read_json(path)
    if before is not None:
        check_same_question(plan.folder, before, now)
        return
    (plan.folder / RUNS).mkdir(parents=True, exist_ok=True)
    write_json(path, now)


def write(plan: Plan, command: str) -> dict[str, Any]:
    """The report of a plan as far as it is trained."""
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
            **{name: value for name, value in asdict(plan.question).items() if name in SHOWN},
            "metrics": list(plan.question.metrics),
            "sweep": {key: list(values) for key, values in plan.sweep.items()},
        },
    }
    found = comparison([cell.path for cell in by_variant], plan.folder, head)
    write_report(found, plan.folder)
    return found


def report(paths: Sequence[Path], out: Path, title: str = "", command: str = "") -> dict[str, Any]:
    """The report of any runs, trained by `zoo compare` or one by one; returns all as plain data."""
    from zoo.comparison.report import write_report
    from zoo.comparison.results import comparison

    runs = list(dict.fromkeys(run for path in paths for run in find_runs(Path(path))))
    out.mkdir(parents=True, exist_ok=True)
    head = {"title": title or f"{len(runs)} runs", "command": command, "benchmark": None}
    found = comparison(runs, out, head)
    write_report(found, out)
    return found
