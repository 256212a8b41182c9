"""`zoo data`: lists, prepares, shows, verifies, exports, imports and removes datasets."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo.cli.command_options import (
    DATA_NAMES,
    DATA_OPTIONS,
    complete_datasets,
    data_dir_option,
    data_of,
    examples,
    json_option,
    typed_words,
)
from zoo.cli.commands import Group
from zoo.data.options import UNREADABLE_SHARE
from zoo.errors import ZooError

OWN_FORMAT, IMAGE_FORMATS = "zoo", ("nvlabs", "adm", "tfrecord")
DAMAGED = 1  # the exit code where a dataset is damaged
name_argument = click.argument("name", metavar="NAME_OR_PATH", shell_complete=complete_datasets)
names_argument = click.argument("names", nargs=-1, metavar="[NAME_OR_PATH]...", shell_complete=complete_datasets)
split_option = click.option(
    "--split", "splits", multiple=True, metavar="SPLIT", help="train, test, all or a part [train and test]."
)
PREPROCESSING_OPTIONS = tuple(option for option in DATA_OPTIONS if option is not DATA_OPTIONS[0])


def preprocessing_options(command: Any) -> Any:
    """Adds the options by which images and labels are read: all data options but the split."""
    for option in reversed(PREPROCESSING_OPTIONS):
        command = option(command)
    return command


@click.group(
    "data",
    cls=Group,
    epilog=examples(
        "zoo data list",
        "zoo data prepare celeba --from ~/Downloads/celeba",
        "zoo data info fashion_mini",
        "zoo data export mnist mnist.zoo",
    ),
)
def data_commands() -> None:
    """Prepare datasets; show, verify, export, import and remove them."""


@data_commands.command("list", epilog=examples("zoo data list", "zoo data list --json"))
@data_dir_option
@json_option
def list_command(data_dir: Path | None, as_json: bool) -> None:
    """List the datasets that are known by name, and those that are prepared with their size and folder."""
    from zoo.catalogue import read_catalogue
    from zoo.cli.data_printing import listed
    from zoo.data.managing import listing

    report = listing(read_catalogue(), data_dir)
    click.echo(json.dumps(report) if as_json else listed(report))


@data_commands.command(
    "prepare",
    epilog=examples(
        "zoo data prepare mnist",
        "zoo data prepare celeba --crop 178 --image-size 128 --label Smiling",
        "zoo data prepare celeba --from ~/Downloads/celeba",
        "zoo data prepare stacked_mnist --from mnist.npz",
        "zoo data prepare ./photos --image-size 64 --allow-unreadable 0.05",
        "zoo data prepare emnist/letters --split 'train[:80%]'",
        "zoo data prepare huggingface:owner/name --image-size 64",
    ),
)
@name_argument
@split_option
@preprocessing_options
@click.option(
    "--from",
    "files",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where the dataset's files are; TFDS' own files are linked, a copy's images are read.",
)
@click.option(
    "--allow-unreadable",
    "unreadable",
    type=click.FloatRange(0, 1),
    default=UNREADABLE_SHARE,
    show_default=True,
    metavar="SHARE",
    help="Of an own folder's images, how many may be left out because they are broken.",
)
@data_dir_option
@json_option
def prepare_command(name: str, as_json: bool, **options: Any) -> None:
    """Prepare a dataset: download it where it is not at hand, and store its images ready for training.

    Without --split both the training and the test split are prepared; what is prepared already is left alone.
    """
    from zoo.cli.data_printing import prepared_lines
    from zoo.data.managing import prepare

    chosen = {each: options[each] for each in ("splits", "files", "unreadable", "data_dir")}
    report = prepare(name, data_of(options), **chosen)
    reading = typed_words(prepare_command, options, [each for each in DATA_NAMES if each != "split"])
    place = typed_words(prepare_command, options, ["data_dir"])
    click.echo(json.dumps(report) if as_json else prepared_lines(report, place, reading))


@data_commands.command(
    "info",
    epilog=examples("zoo data info fashion_mini", "zoo data info celeba --out faces.png", "zoo data info mnist --json"),
)
@name_argument
@data_dir_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the contact sheet goes, a .png or .webp [NAME-SPLIT.png here].",
)
@json_option
def info_command(name: str, data_dir: Path | None, out: Path | None, as_json: bool) -> None:
    """Show a prepared dataset's counts, classes and origin, and draw a contact sheet of it.

    Of a path that is not prepared yet it shows what lies there, and how that would be read.
    """
    from zoo.cli.data_printing import info_lines
    from zoo.data.describing import info

    report = info(name, data_dir, out)
    click.echo(json.dumps(report) if as_json else info_lines(report))


@data_commands.command("verify", epilog=examples("zoo data verify", "zoo data verify mnist", "zoo data verify --json"))
@names_argument
@data_dir_option
@json_option
def verify_command(names: Sequence[str], data_dir: Path | None, as_json: bool) -> None:
    """Hash what is prepared and compare it with what was recorded; all of it where no name is given."""
    from zoo.cli.data_printing import verified_lines
    from zoo.data.managing import verify

    report = verify(names, data_dir)
    click.echo(json.dumps(report) if as_json else verified_lines(report))
    if any(each["problem"] for each in report):
        sys.exit(DAMAGED)


@data_commands.command(
    "remove",
    epilog=examples("zoo data remove mnist", "zoo data remove celeba --tfds --yes", "zoo data remove --interrupted"),
)
@names_argument
@data_dir_option
@click.option("--tfds", is_flag=True, help="TFDS' own records of the dataset too; its downloads stay.")
@click.option("--interrupted", is_flag=True, help="What interrupted preparations left, and what is damaged.")
@click.option("--yes", is_flag=True, help="Remove without confirmation.")
@json_option
def remove_command(
    names: Sequence[str], data_dir: Path | None, tfds: bool, interrupted: bool, yes: bool, as_json: bool
) -> None:
    """Remove prepared datasets; their original files are not touched."""
    from zoo.cli.data_printing import size_text
    from zoo.data.managing import removable, remove

    if not names and not interrupted:
        raise ZooError(
            "Name what to remove, or --interrupted for what killed preparations left; `zoo data list` lists."
        )
    found = removable(names, data_dir, tfds, interrupted)
    if found and not yes:
        for each in found:
            click.echo(f"  {each['folder']}  {size_text(each['bytes'])}", err=True)
        click.confirm("Remove these?", abort=True, err=True)
    removed = remove(found, data_dir)
    total = size_text(sum(each["bytes"] for each in removed))
    click.echo(json.dumps(removed) if as_json else f"Removed {len(removed)} folders, {total}.")


@data_commands.command(
    "export",
    epilog=examples(
        "zoo data export mnist mnist.zoo",
        "zoo data export celeba /media/disk/celeba.zoo --split train",
        "zoo data export celeba celeba.zip --format nvlabs",
        "zoo data export mnist mnist.npz --format adm --split test",
    ),
)
@name_argument
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice([OWN_FORMAT, *IMAGE_FORMATS]),
    default=OWN_FORMAT,
    show_default=True,
    help="zoo: for zoo data import. nvlabs: a folder or .zip for StyleGAN's tools. adm: an .npz with arr_0.",
)
@split_option
@preprocessing_options
@data_dir_option
@json_option
def export_command(name: str, file: Path, kind: str, as_json: bool, **options: Any) -> None:
    """Write what is prepared of a dataset into one file; to train on it, neither TFDS nor TensorFlow is needed.

    Other formats hold the images of one split, and their labels, for other tools.
    """
    from zoo.cli.data_printing import size_text
    from zoo.data.managing import exported, exported_images

    chosen = (name, file, data_of(options), options["splits"], options["data_dir"])
    report = exported(*chosen) if kind == OWN_FORMAT else exported_images(*chosen, kind)
    there = f"\nThere: zoo data import {file.name}" if kind == OWN_FORMAT else ""
    text = f"{report['file']}: {size_text(report['bytes'])}, {', '.join(report['sets'])}{there}"
    click.echo(json.dumps(report) if as_json else text)


@data_commands.command(
    "import", epilog=examples("zoo data import mnist.zoo", "zoo data import faces.zoo --as my_faces")
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "name", metavar="NAME", help="Another name for a dataset of one's own files.")
@data_dir_option
@json_option
def import_command(file: Path, name: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Import a file that `zoo data export` wrote; the data is checked against its hash first."""
    from zoo.cli.data_printing import training
    from zoo.data.managing import imported

    report = imported(file, name, data_dir)
    lines = [f"{each['name']} {each['split']}: {each['shape']}{each['note']}" for each in report]
    read = {**report[0]["options"], "data_dir": data_dir}  # as it must be asked for, but for what preparing found
    names = [each for each in DATA_NAMES if each not in ("split", "layout") and each in read]
    next_command = training(report[0], typed_words(prepare_command, read, ["data_dir", *names]))
    click.echo(json.dumps(report) if as_json else "\n".join([*lines, f"Train: {next_command}"]))
