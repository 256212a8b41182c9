"""The command `zoo`. Modules that are slow to import are imported inside the commands that need them."""

import json
import shlex
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import cloup
from click.core import ParameterSource

from zoo import __version__, backend
from zoo.base.interrupts import signals_interrupting
from zoo.base.output import steady_output
from zoo.base.shortages import described as shortage
from zoo.base.shortages import full_disk, is_shortage
from zoo.catalogue import HOOKS
from zoo.cli.augmentation import augment_command
from zoo.cli.classification import classify_command
from zoo.cli.command_options import (
    BUDGET_NAMES,
    DATA_NAMES,
    ENGINE_NAMES,
    budget_of,
    complete_stacks,
    data_dir_option,
    data_of,
    data_options,
    dataset_option,
    engine_of,
    engine_options,
    examples,
    json_option,
    plugin_option,
    set_option,
    typed_words,
)
from zoo.cli.commands import Group, command, option_group
from zoo.cli.comparison import compare_command, report_command, speedrun_command, tune_command
from zoo.cli.data import data_commands
from zoo.cli.diagnosis import depth_command, diagnose_command, explain_command
from zoo.cli.evaluation import evaluate_command, metrics_option, scores_command, statistics_command
from zoo.cli.exploring import explore_command
from zoo.cli.printing import diagnosed, grouped, run_report, run_summary, shown
from zoo.cli.sampling import export_command, project_command, sample_command
from zoo.cli.sharing import pack_command, pull_command, push_command
from zoo.cli.translation import translate_command
from zoo.cli.watch import watch_command
from zoo.errors import ZooError, ZooWarning

USER_ERROR, OTHER_ERROR, CTRL_C = 2, 1, 130  # exit codes
TRACEBACK = "--traceback"


@cloup.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("zoo run dcgan", "zoo list", "zoo show wgan-gp", "zoo sample runs/dcgan/fashion_mini/0"),
)
@click.version_option(__version__, prog_name="zoo")
@click.option(TRACEBACK, is_flag=True, help="Show the traceback of an error, for developers.")
def cli(traceback: bool) -> None:
    """A zoo of generative adversarial networks on Keras 3."""


@command(
    "run",
    epilog=examples(
        "zoo run dcgan",
        "zoo run wgan-gp --dataset mnist --epochs 20",
        "zoo run dcgan --dataset ./faces --image-size 64",
        "zoo run dcgan --dataset celeba --crop 178 --split 'train[:20%]'",
        "zoo run vanilla+wgan --dataset ring8 --steps 5000",
        "zoo run dcgan+r1 --set r1_gamma=1 --seed 3",
        "zoo run wgan-gp --backend jax --profile",
        "zoo run dcgan --dataset mnist --evaluate-every 1000",
        "zoo run mine --plugin mine.py",
        "zoo run dcgan --dataset ./cats --from runs/dcgan/celeba/0 --set freeze_discriminator=3",
        "zoo run dcgan --dataset mnist --change generator_learning_rate=5e-5",
        "zoo run --config runs/dcgan/mnist/0/run.yaml --seed 1",
    ),
)
@click.argument("stack", required=False, shell_complete=complete_stacks)
@option_group("Data", (dataset_option, data_dir_option))
@data_options
@option_group(
    "Budget, a total over all sittings",
    (
        click.option("--steps", type=int, help="Train until this many steps in all."),
        click.option(
            "--epochs", type=float, help="Train until the discriminator has seen the dataset this many times in all."
        ),
        click.option("--images", type=int, help="Train until the discriminator has seen this many real images in all."),
        click.option("--minutes", type=float, help="Train until this many minutes were spent training in all."),
        click.option(
            "--patience",
            type=click.IntRange(min=1),
            metavar="N",
            help="Stop after N evaluations that were no better.",
        ),
        click.option("--until", type=float, metavar="SCORE", help="Stop once the first score is as good as this."),
    ),
)
@option_group(
    "What is trained",
    (
        set_option,
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights and draws."),
        plugin_option,
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="RUN_YAML",
            help="Make this run again, in place of STACK.",
        ),
        click.option(
            "--from", "origin", metavar="RUN", help="Start from the weights of this run, as far as layers agree."
        ),
        click.option(
            "--change",
            "changes",
            multiple=True,
            metavar="KEY=VALUE",
            help="Let the run go on with another recipe value.",
        ),
    ),
)
@option_group(
    "What is written and scored meanwhile",
    (
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            help="The run directory [runs/STACK/DATASET/SEED].",
        ),
        click.option("--checkpoint-every", type=click.IntRange(min=1), metavar="STEPS", help="Else once a minute."),
        click.option(
            "--evaluate-every", type=click.IntRange(min=1), metavar="STEPS", help="Score it, and keep the best."
        ),
        click.option("--evaluate-samples", type=click.IntRange(min=1), default=2000, show_default=True, metavar="N"),
        metrics_option,
        click.option("--extractor", metavar="NAME", help="The network that --evaluate-every measures in."),
        click.option(
            "--health",
            "health_every",
            type=click.IntRange(min=0),
            default=500,
            show_default=True,
            metavar="STEPS",
            help="Measure gradients, weights and variety, and warn of what is wrong; 0 for never.",
        ),
        click.option("--tensorboard", is_flag=True, help="Write events for TensorBoard into the run directory."),
        click.option(
            "--listener", "listeners", multiple=True, metavar="NAME", help="Another one of `zoo list listeners`."
        ),
        click.option(
            "--profile", is_flag=True, help="Trace some steps (for TensorBoard, Perfetto) and say where time goes."
        ),
    ),
)
@engine_options
@json_option
@click.pass_context
def run_command(context: click.Context, /, stack: str | None, as_json: bool, **options: Any) -> None:
    """Train STACK: a variant, a plugin, or several joined as in dcgan+r1.

    The budget is a total: the same command continues a run that was interrupted, and with a larger budget it goes on.
    """
    import zoo

    if (stack is None) == (options["config"] is None):
        raise click.UsageError(
            "Missing argument 'STACK'." if stack is None else "STACK and --config are two runs. Keep one.", context
        )

    engine = engine_of(options)
    measured = zoo.EvaluationOptions(options["metrics"], options["evaluate_samples"], extractor=options["extractor"])
    listeners = (*(["tensorboard"] if options["tensorboard"] else []), *options["listeners"])
    others = ("checkpoint_every", "evaluate_every", "patience", "until", "health_every", "profile")
    monitoring = zoo.Monitoring(evaluation=measured, listeners=listeners, **{name: options[name] for name in others})
    names = ("dataset", "data_dir", "seed", "settings", "plugins", "out", "origin", "changes")
    given = {name: options[name] for name in names}
    given |= {"data": data_of(options), "budget": budget_of(options), "engine": engine}
    if stack is None:
        run = zoo.repeat(options["config"], monitoring=monitoring, **typed_alone(context, given))
    else:
        run = zoo.run(stack, monitoring=monitoring, **given)
    if not engine.processes.writes_files:  # process 0 writes the files, perhaps on another machine
        return
    summary = run_summary(run)
    place = shlex.join(["", *typed_words(run_command, options, ["data_dir"])]).removeprefix("''")
    click.echo(json.dumps(summary) if as_json else run_report(summary, longer(run, stack, options), place))


def typed_alone(context: click.Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `zoo.run` of which the command line says something; the others are those of --config."""
    groups = {"data": DATA_NAMES, "budget": BUDGET_NAMES, "engine": ENGINE_NAMES}
    typed = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    return {name: each for name, each in given.items() if typed & set(groups.get(name, (name,)))}


def longer(run: Any, stack: str | None, options: dict[str, Any]) -> str:
    """The command that trains a run twice as long, in the unit that was typed; in steps where none was."""
    unit = next((name for name in BUDGET_NAMES if options[name] is not None), "steps")
    amount = options[unit] if options[unit] is not None else int(run.directory.checkpoints.paths()[-1].stem[5:])
    return f"{continuing(stack, options)} --{unit} {2 * amount:g}"


def continuing(stack: str | None, options: dict[str, Any]) -> str:
    """The command that continues the run: the one that was typed, without its budget."""
    words = ["zoo", "run", *([stack] if stack else ["--config", str(options["config"])])]
    training = ("seed", "settings", "plugins", "out", "listeners", "backend", "precision", "devices", "deterministic")
    names = ("dataset", "data_dir", *DATA_NAMES, *training, "tensorboard")
    return shlex.join([*words, *typed_words(run_command, options, names)])


@command("list", epilog=examples("zoo list", "zoo list datasets", "zoo list plugins --check", "zoo list --json"))
@click.argument(
    "kind", type=click.Choice(["variants", "plugins", "datasets", *HOOKS, "benchmarks", "pretrained"]), required=False
)
@plugin_option
@click.option("--check", is_flag=True, help="Import every plugin and say which fail.")
@json_option
def list_command(kind: str | None, plugins: Sequence[Path], check: bool, as_json: bool) -> None:
    """List what there is: variants, plugins, datasets, metrics, extractors, pretrained generators and more.

    What does not come with the zoo is listed with the place that it comes from.
    """
    from zoo.catalogue import read_catalogue
    from zoo.cli.inspection import listing, plugin_problems

    catalogue = read_catalogue(plugins)
    tables = {name: rows for name, rows in listing(catalogue).items() if kind in (None, name)}
    problems = plugin_problems(catalogue) if check else []
    if as_json:
        click.echo(json.dumps({**tables, "problems": problems} if check else tables))
    else:
        click.echo("\n\n".join(grouped(name, rows) for name, rows in tables.items()))
        if check:
            click.echo("\n" + ("\n".join(problems) or "Every plugin loads, and every variant's recipe fits."))
    if problems:
        sys.exit(OTHER_ERROR)


@command("show", epilog=examples("zoo show dcgan", "zoo show vanilla --dataset ring8", "zoo show dcgan+r1 --json"))
@click.argument("name", shell_complete=complete_stacks)
@dataset_option
@data_dir_option
@data_options
@set_option
@plugin_option
@json_option
def show_command(name: str, plugins: Sequence[Path], as_json: bool, **options: Any) -> None:
    """Show a variant or stack: papers, plugins, recipe and where each value comes from, shapes, parameters."""
    from zoo.catalogue import read_catalogue
    from zoo.cli.inspection import stack_description

    requested = data_of(options)
    others = {each: options[each] for each in ("dataset", "data_dir", "settings")}
    description = stack_description(name, read_catalogue(plugins), options=requested, **others)
    click.echo(json.dumps(description) if as_json else shown(description))


@command(
    "new",
    epilog=examples(
        "zoo new my_gan",
        "zoo run my_gan --plugin my_gan.py",
        "zoo new --project lungs --class healthy --class ill --image-size 64",
    ),
)
@click.argument("name")
@click.option("--project", is_flag=True, help="A folder NAME for images of your own, with registry.yaml and commands.")
@click.option("--class", "classes", multiple=True, metavar="NAME", help="Of the project's [negative, positive].")
@click.option("--image-size", type=int, metavar="PIXELS", help="Of the project's images [64].")
@click.option("--channels", type=int, metavar="1|3|4", help="Of the project's images [1].")
def new_command(name: str, project: bool, **wanted: Any) -> None:
    """Write a commented plugin file NAME.py and a test for it into this folder; or a project."""
    given = {key: value for key, value in wanted.items() if value}
    if project:
        from zoo.catalogue.project import write_project

        folder = write_project(name, Path(), **given)
        click.echo(f"{folder}\nNext: put your images where {folder / 'README.md'} says, and follow it.")
        return
    if given:
        raise ZooError("--class, --image-size and --channels are a project's: zoo new --project NAME.")
    from zoo.catalogue.scaffold import write_plugin

    plugin, test = write_plugin(name, Path())
    click.echo(f"{plugin}\n{test}\nNext:\n  zoo run {name} --plugin {plugin}\n  pytest {test}")


@command("doctor", epilog=examples("zoo doctor", "zoo doctor --json"))
@data_dir_option
@json_option
def doctor_command(data_dir: Path | None, as_json: bool) -> None:
    """Say what is installed, on which devices, what is prepared, and what is wrong."""
    from zoo.cli.inspection import health

    report = health(data_dir)
    click.echo(json.dumps(report) if as_json else diagnosed(report))
    if report["problems"]:
        sys.exit(OTHER_ERROR)


@command("completion", epilog=examples("zoo completion bash >> ~/.bashrc", 'eval "$(zoo completion zsh)"'))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the shell's completion script."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:  # click supports all three shells
        raise ZooError(f"No completion for {shell}.")
    click.echo(completion(cli, {}, "zoo", "_ZOO_COMPLETE").source())


SECTIONS: dict[str, tuple[click.Command, ...]] = {  # of the list of commands
    "Train": (run_command, compare_command, tune_command, speedrun_command, watch_command, report_command),
    "Use a run": (sample_command, explore_command, project_command, translate_command, augment_command, export_command),
    "Share a run": (pack_command, push_command, pull_command),
    "Measure": (evaluate_command, classify_command, scores_command, statistics_command),
    "Understand": (diagnose_command, depth_command, explain_command),
    "Data, variants and this machine": (
        data_commands,
        list_command,
        show_command,
        new_command,
        doctor_command,
        completion_command,
    ),
}
for title, commands in SECTIONS.items():
    cli.add_section(cloup.Section(title, commands))


def show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Prints a ZooWarning in one line; other libraries' warnings are dropped."""
    if issubclass(category, ZooWarning):
        click.echo(f"Warning: {message}", err=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and, unless that just ends, exits: 2 a mistake, 1 any other error, 128 + its number a signal.

    A reader of the output that goes away is no error. Output that is lost in another way, on a full disk, is one.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        backend.use_whole_process()
    warnings.showwarning = show_warning
    with steady_output() as stdout:
        code, message = ending(words)
        stdout.flush()
        if not code and stdout.lost is not None:
            code, message = OTHER_ERROR, f"Error: The output can't be written: {stdout.lost.strerror}."
        if message:
            click.echo(message, err=True)
    if code is not None:
        sys.exit(code)


def ending(words: Sequence[str]) -> tuple[int | None, str]:
    """Runs the command; returns (exit code, line to print), None and no line where it just ended."""
    try:
        with signals_interrupting():
            cli.main([word for word in words if word != TRACEBACK], prog_name="zoo", standalone_mode=False)
    except BaseException as error:
        if TRACEBACK in words and isinstance(error, Exception):
            raise
        return exit_of(error)
    return None, ""


def exit_of(error: BaseException) -> tuple[int, str]:
    """(exit code, line to print) for the exception that ended a command."""
    match error:
        case SystemExit():
            return (error.code if isinstance(error.code, int) else OTHER_ERROR), ""
        case ZooError():
            return error.exit_code, f"Error: {error}"
        case click.exceptions.NoArgsIsHelpError():
            return USER_ERROR, error.format_message()
        case click.ClickException():
            usage = f"{error.ctx.get_usage()}\n" if isinstance(error, click.UsageError) and error.ctx else ""
            return USER_ERROR, f"{usage}Error: {error.format_message()}"
        case KeyboardInterrupt() | click.Abort():
            cause = error.__cause__ or error  # click wraps the KeyboardInterrupt of a signal
            return getattr(cause, "exit_code", CTRL_C), str(cause) or "Interrupted."
        case OSError():
            where = f": {error.filename}" if error.filename else ""
            what = full_disk(error) or f"{error.strerror or error}{where}"
            return OTHER_ERROR, f"Error: {what}. Everything saved before is kept."
        case _ if is_shortage(error):
            return OTHER_ERROR, f"Error: {shortage(error)}. Everything saved before is kept."
        case _:
            kind = type(error).__name__
            return (
                OTHER_ERROR,
                f"Error: {kind}: {error}. This is not your mistake; repeat with {TRACEBACK} and report it.",
            )


if __name__ == "__main__":
    main()
