"""The command `zoo classify`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zoo import backend
from zoo.backend import SUPPORTED
from zoo.base.names import short_name
from zoo.base.progress import as_progress
from zoo.cli.command_options import (
    DATA_NAMES,
    DATA_OPTIONS,
    complete_datasets,
    data_dir_option,
    data_of,
    examples,
    json_option,
)
from zoo.cli.commands import command, option_group

SPLIT = "split"  # which has an option of its own here


@command(
    "classify",
    epilog=examples(
        "zoo classify fashion_mini",
        "zoo classify ./balanced",
        "zoo classify more.npz --test fashion_mini --seeds 5",
        "zoo classify ./balanced --test lungs --json",
    ),
)
@click.argument("train", metavar="TRAIN_SET", shell_complete=complete_datasets)
@click.option(
    "--test",
    metavar="NAME_OR_PATH",
    shell_complete=complete_datasets,
    help="The dataset of the test images [TRAIN_SET's own].",
)
@click.option("--test-split", default="test", show_default=True, metavar="SPLIT", help="Of the dataset of --test.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Classifiers, each with draws of its own; several say how much of a difference is chance.",
)
@option_group("How the data is read", DATA_OPTIONS[1:])
@click.option("--backend", "backend_name", type=click.Choice(SUPPORTED), help="[KERAS_BACKEND, else tensorflow]")
@data_dir_option
@json_option
def classify_command(
    train: str,
    test: str | None,
    test_split: str,
    seeds: int,
    backend_name: str | None,
    data_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train the zoo's small classifier on TRAIN_SET, such as one of zoo augment, and test it on real images.

    All images of TRAIN_SET are trained on where --test names the test images; else its training split is.
    """
    backend.choose(backend_name)
    backend.check_installed()
    backend.prepare()  # or Keras would import TensorFlow, loudly
    from zoo.catalogue import read_catalogue
    from zoo.evaluation.classifying import Classification, classified

    data = data_of({name: options[name] for name in DATA_NAMES if name != SPLIT})
    progress = as_progress(True)
    try:
        wanted = Classification(train, test, test_split, seeds, data, data_dir)
        report = classified(wanted, read_catalogue(), progress)
    finally:
        progress.stop()
    click.echo(json.dumps(report) if as_json else classified_lines(report))


def classified_lines(report: Mapping[str, Any]) -> str:
    """The accuracy with its interval, and a line for each class with its counts."""
    train, test = report["train"], report["test"]
    low, high = report["interval"]
    seeds = len(report["accuracies"])
    over = f"over {seeds} seeds" if seeds > 1 else "of one seed, over draws of test images"
    names = [each["name"] for each in report["classes"]]
    width = max(map(len, [*names, "class"]))
    lines = [
        f"{short_name(train['name'])}: {train['count']:,} images of {train['split']}, tested with {test['count']:,} of "
        f"{test['split']} of {short_name(test['name'])}",
        f"  accuracy {report['accuracy']:.3f}   95% {low:.3f} to {high:.3f}, {over}",
        f"  {'class':<{width}}  {'trained':>8}  {'tested':>8}  accuracy",
    ]
    for each in report["classes"]:
        accuracy = "" if each["accuracy"] is None else f"{each['accuracy']:.3f}"
        lines.append(f"  {each['name']:<{width}}  {each['trained']:>8,}  {each['tested']:>8,}  {accuracy:>8}")
    return "\n".join(lines)
