"""`zoo compare`, `zoo tune` and `zoo report`."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.backend import SUPPORTED
from zoo.backend.options import PRECISIONS, EngineOptions
from zoo.base.threads import in_background
from zoo.cli.command_options import (
    DATA_OPTIONS,
    budget_of,
    complete_datasets,
    complete_stacks,
    data_dir_option,
    data_of,
    dataset_option,
    examples,
    json_option,
    plugin_option,
    set_option,
)
from zoo.cli.commands import command
from zoo.cli.comparison_printing import compared, raced, tuned
from zoo.cli.evaluation import metrics_option

if TYPE_CHECKING:
    from zoo.comparison.comparing import ComparisonOptions
    from zoo.comparison.executors.choice import ExecutorChoice

SPEEDRUN = "speedrun"  # the benchmark that is raced on unless another is named
FAILED = 1  # the exit code where a run failed
COMPARISON_NAMES = (  # the options that are fields of ComparisonOptions
    "variants",
    "benchmark",
    "datasets",
    "seeds",
    "sweeps",
    "settings",
    "evaluations",
    "until",
    "metrics",
    "samples",
    "extractor",
    "data_dir",
    "plugins",
    "out",
)


def complete_benchmarks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The catalogue's benchmarks that begin with what is typed."""
    from zoo.catalogue import read_catalogue

    return [name for name in sorted(read_catalogue().benchmarks) if name.startswith(incomplete)]


def complete_executors(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Executors of the catalogue."""
    from zoo.catalogue import read_catalogue

    return [name for name in sorted(read_catalogue().extensions["executors"]) if name.startswith(incomplete)]


EXECUTOR_OPTIONS = (
    click.option(
        "--executor",
        metavar="NAME",
        default="local",
        show_default=True,
        shell_complete=complete_executors,
        help="Where runs train: one of `zoo list executors`.",
    ),
    click.option("--jobs", type=click.IntRange(min=1), help="Runs at once [one a GPU, else half the cores]."),
    click.option("--threads", type=click.IntRange(min=1), help="Of each run [the cores divided by --jobs]."),
    click.option("--address", metavar="HOST:PORT", help="ray: the cluster's [one is started on this machine]."),
    click.option("--cpus", type=float, metavar="N", help="ray, slurm: of each run."),
    click.option("--gpus", type=float, metavar="N", help="ray, slurm: of each run."),
    click.option("--memory-gb", type=float, metavar="N", help="ray, slurm: of each run."),
    click.option("--partition", metavar="NAME", help="slurm: the partition."),
    click.option("--time-limit", type=int, metavar="MINUTES", help="slurm: of each run; it continues after it."),
    click.option("--slurm", multiple=True, metavar="KEY=VALUE", help="slurm: any other parameter."),
    click.option("--executor-option", multiple=True, metavar="KEY=VALUE", help="What an executor of yours takes."),
    click.option(
        "--retries", type=click.IntRange(min=0), default=1, show_default=True, help="Of a run that is killed."
    ),
)


def queue_options(command: Any) -> Any:
    """Adds the options of executors: where runs train, and how many at once."""
    for option in reversed(EXECUTOR_OPTIONS):
        command = option(command)
    return command


SETUP_OPTIONS = (
    set_option,
    click.option("--images", type=int, help="Each run trains until its discriminator has seen so many real images."),
    click.option("--epochs", type=float, help="... has seen the dataset so many times."),
    click.option("--steps", type=int, help="... has trained so many steps of its generator."),
    click.option("--minutes", type=float, help="... has trained for so long."),
    metrics_option,
    click.option("--samples", type=click.IntRange(min=1), metavar="N", help="Generated for each score."),
    click.option("--extractor", metavar="NAME", help="The network that images are measured in."),
    data_dir_option,
    *DATA_OPTIONS,
    plugin_option,
    click.option("--backend", type=click.Choice(SUPPORTED), help="[KERAS_BACKEND, else tensorflow]"),
    click.option("--precision", type=click.Choice(PRECISIONS), default="float32", show_default=True),
    click.option("--deterministic", is_flag=True, help="The same bits again on a GPU, at some cost."),
)


evaluations_option = click.option(
    "--evaluations", type=click.IntRange(min=1), metavar="N", help="Of each run, evenly spread."
)
until_option = click.option(
    "--until", type=float, metavar="SCORE", help="A run ends once the first score is as good as this."
)
seeds_option = click.option(
    "--seeds", type=click.IntRange(min=1), metavar="N", help="Runs of each variant, of seeds 0 to N - 1."
)


def setup_options(command: Any) -> Any:
    """Adds the options that all runs share: recipe values, budget, evaluation, data."""
    for option in reversed(SETUP_OPTIONS):
        command = option(command)
    return command


def comparison_options(options: dict[str, Any]) -> "ComparisonOptions":
    """The ComparisonOptions of a command's options."""
    from zoo.comparison.comparing import ComparisonOptions

    engine = EngineOptions(options["backend"], options["precision"], deterministic=options["deterministic"])
    given = {name: options[name] for name in COMPARISON_NAMES if name in options}
    return ComparisonOptions(**given, budget=budget_of(options), data=data_of(options), engine=engine)


def executor_of(options: dict[str, Any]) -> "ExecutorChoice":
    """The executor that the options name, with its own options."""
    from zoo.comparison.executors.choice import OPTIONS, ExecutorChoice

    return ExecutorChoice(options["executor"], **{name: options[name] for name in OPTIONS})


@contextmanager
def shown_live(folder: Path) -> Iterator[None]:
    """Shows a live table of the runs in a folder while the context lasts."""
    from zoo.cli.watch import live

    with in_background(lambda ended: live([folder], until=ended.is_set)):
        yield


@command(
    "compare",
    epilog=examples(
        "zoo compare vanilla dcgan wgan wgan-gp --benchmark fashion-mini",
        "zoo compare vanilla dcgan wgan wgan-gp --dataset fashion_mnist --seeds 3",
        "zoo compare vanilla vanilla,generator_objective=minimax vanilla+r1,r1_gamma=0.1 --benchmark ring8 --jobs 2",
        "zoo compare dcgan+r1 --dataset mnist --sweep r1_gamma=0.1,1,10 --images 500000",
        "zoo compare wgan wgan-gp --dataset mnist --dataset fashion_mnist --executor ray --address auto --gpus 1",
        "zoo compare dcgan wgan-gp --benchmark cifar10 --executor slurm --partition gpu --gpus 1 --time-limit 120",
    ),
)
@click.argument("variants", nargs=-1, shell_complete=complete_stacks, metavar="[VARIANT]...")
@click.option("--benchmark", metavar="NAME", shell_complete=complete_benchmarks, help="One of `zoo list benchmarks`.")
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME_OR_PATH",
    shell_complete=complete_datasets,
    help="On what to compare, once for each [the benchmark's].",
)
@seeds_option
@click.option("--sweep", "sweeps", multiple=True, metavar="KEY=A,B,C", help="Each value in turn; lists by semicolons.")
@evaluations_option
@until_option
@setup_options
@queue_options
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="The folder of runs and report [comparisons/NAME]."
)
@click.option("--watch", is_flag=True, help="Show the runs as a live table.")
@click.option("--dry-run", is_flag=True, help="Say which runs there would be, and train none.")
@json_option
def compare_command(watch: bool, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Train every VARIANT over several seeds on a benchmark, and say which is best, at what cost, how surely.

    A variant may carry recipe values: dcgan,width=32. The runs are the queue: the same command continues what was
    interrupted, does nothing twice, and with more variants or seeds adds to what is there.
    """
    from zoo.base.progress import as_progress
    from zoo.comparison.comparing import compare, planned, try_out

    requested = comparison_options(options)
    if dry_run:
        progress = as_progress(not as_json)
        plan = planned(requested, progress)
        try_out(plan, progress)
        rows = [{"run": cell.name, "path": str(cell.path)} for cell in plan.cells()]
        click.echo(json.dumps(rows) if as_json else "\n".join(f"{row['run']}: {row['path']}" for row in rows))
        return
    command = shlex.join(["zoo", *sys.argv[1:]])
    found = compare(
        requested,
        executor=executor_of(options),
        retries=options["retries"],
        command=command,
        progress=not watch,
        around=shown_live if watch and not as_json else None,
    )
    click.echo(json.dumps(found) if as_json else compared(found))
    if any(cell["state"] == "failed" for cell in found["cells"]):
        sys.exit(FAILED)


@command(
    "speedrun",
    epilog=examples(
        "zoo speedrun",
        "zoo speedrun dcgan dcgan+r1 dcgan,batch_size=128",
        "zoo speedrun dcgan --seeds 1 --until 0.08",
        "zoo speedrun hinge --benchmark losses --until 0.06 --evaluations 20",
    ),
)
@click.argument("variants", nargs=-1, shell_complete=complete_stacks, metavar="[VARIANT]...")
@click.option("--benchmark", metavar="NAME", default=SPEEDRUN, show_default=True, shell_complete=complete_benchmarks)
@seeds_option
@evaluations_option
@until_option
@setup_options
@queue_options
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder of runs [comparisons/NAME].")
@json_option
def speedrun_command(as_json: bool, **options: Any) -> None:
    """Race VARIANTs to a score: how long each trains until its samples are good enough, over seeds.

    Time is that of training from the first step on, compilation included; scoring is left out. Quick entries are
    ordinary stacks and recipe values: nothing else is allowed. The same command continues what was interrupted.
    """
    from zoo.comparison.comparing import compare
    from zoo.comparison.speedrun import races

    found = compare(
        comparison_options(options),
        executor=executor_of(options),
        retries=options["retries"],
        command=shlex.join(["zoo", *sys.argv[1:]]),
    )
    rows = races(found)
    click.echo(json.dumps(rows) if as_json else raced(rows))
    if any(state == "failed" for row in rows for state in row["states"]):
        sys.exit(FAILED)


@command(
    "tune",
    epilog=examples(
        "zoo tune dcgan --dataset fashion_mini --space space.yaml --trials 20 --images 200000",
        "zoo tune wgan-gp-mlp --dataset grid25 --space space.yaml --steps 20000 --jobs 2",
        "zoo tune dcgan+r1 --dataset mnist --space space.yaml --trials 100 --executor ray --address auto --gpus 1",
    ),
)
@click.argument("variants", nargs=1, shell_complete=complete_stacks, metavar="VARIANT")
@click.option(
    "--space",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Recipe fields and their values, in YAML.",
)
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True, help="In all, earlier ones too.")
@click.option("--rungs", type=click.IntRange(min=1), default=4, show_default=True, help="Parts of each trial's budget.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every run.")
@dataset_option
@setup_options
@queue_options
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [tunings/VARIANT].")
@json_option
def tune_command(variants: str, space: Path, as_json: bool, **options: Any) -> None:
    """Search for the recipe values with which VARIANT scores best, pruning poor ones at a part of their budget.

    \b
    FILE says what is tried:
      generator_learning_rate: {low: 1e-5, high: 1e-2, log: true}
      critic_steps: {low: 1, high: 5}
      generator_units: {choices: [[64, 64], [128, 128]]}

    The same command continues what was interrupted, and with more --trials goes on.
    """
    from zoo.comparison.space import read_space
    from zoo.comparison.tuning import tune

    dataset = options.pop("dataset")
    found = tune(
        comparison_options({**options, "variants": (variants,), "datasets": (dataset,)}),
        read_space(space),
        trials=options["trials"],
        rungs=options["rungs"],
        seed=options["seed"],
        retries=options["retries"],
        executor=executor_of(options),
    )
    click.echo(json.dumps(found) if as_json else tuned(found))


@command(
    "report",
    epilog=examples(
        "zoo report runs",
        "zoo report runs/dcgan/mnist/* runs/wgan-gp/mnist/* --out reports/mnist",
        "zoo report comparisons/fashion-mini/runs --out reports/again --json",
    ),
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    show_default=True,
    help="A folder.",
)
@click.option("--title", default="", help="The report's heading.")
@json_option
def report_command(runs: tuple[Path, ...], out: Path, title: str, as_json: bool) -> None:
    """Compare any runs, or folders of runs, in a report: report.html, report.md, scores.csv, comparison.json.

    Runs with scores of different protocols are refused.
    """
    from zoo.comparison.comparing import report

    found = report(runs, out, title, shlex.join(["zoo", *sys.argv[1:]]))
    click.echo(json.dumps(found) if as_json else compared(found) + f"\n{out / 'report.html'}")
