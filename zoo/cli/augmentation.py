"""The command `zoo augment`."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from zoo.base.progress import as_progress
from zoo.catalogue import read_catalogue
from zoo.catalogue.entries import IMAGES
from zoo.cli.command_options import data_dir_option, examples, json_option
from zoo.cli.commands import command
from zoo.errors import ZooError


@command(
    "augment",
    epilog=examples(
        "zoo augment runs/cgan-projection/fashion_mini/0 --count 10000 --out more.npz",
        "zoo augment runs/cgan-projection/fashion_mini/0 --balance --with-real --out ./balanced",
        "zoo augment runs/cgan-projection/fashion_mini/0 --per-class 500 --out more.tfrecord",
        "zoo augment runs/cgan-projection/fashion_mini/0 --class Bag=500 --class Coat=200 --out more.npz",
        "zoo run dcgan --dataset ./balanced",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(min=1), help="Images in all, in the proportions of the training data.")
@click.option("--per-class", type=click.IntRange(min=1), help="Images of each class.")
@click.option(
    "--balance",
    is_flag=False,
    flag_value=0,
    type=click.IntRange(min=0),
    metavar="[N]",
    help="As many as each class lacks to have N [as many as the largest has].",
)
@click.option(
    "--class", "classes", multiple=True, metavar="NAME=N", help="So many of this class, and none of those not named."
)
@click.option("--with-real", is_flag=True, help="Write the training data too, and its test images apart.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder, a .npz or a .tfrecord.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--truncation", type=float, metavar="PSI", help="In (0, 1]: less is more typical and less varied.")
@click.option("--dataset", metavar="PATH", help="Where the run's data lies now.")
@data_dir_option
@json_option
def augment_command(
    run: Path,
    out: Path,
    classes: Sequence[str],
    dataset: str | None,
    data_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a labelled training set of images that the conditional RUN makes, with a manifest."""
    import zoo
    from zoo.training.augmentation import Augmentation, augment

    wanted = Augmentation(classes=tuple(map(counted, classes)), **options)
    progress = as_progress(True)
    try:
        manifest = augment(zoo.load(run, dataset, data_dir), out, wanted, progress, data_dir)
    finally:
        progress.stop()
    real = f" and {manifest['real']:,} real ones" if manifest["real"] else ""
    test = f", {manifest['test']:,} real ones to test with" if manifest["test"] else ""
    text = f"{manifest['generated']:,} images{real}{test}: {out}{following(manifest, out)}"
    click.echo(json.dumps(manifest) if as_json else text)


def counted(text: str) -> tuple[str, int]:
    """("Bag", 500) of `Bag=500`; raises ZooError for anything else."""
    name, equals, count = text.rpartition("=")
    if not (equals and name and count.isdecimal() and int(count)):
        raise ZooError(f"--class {text}: expected a class and how many images of it, as in --class Bag=500.")
    return name, int(count)


def following(manifest: Mapping[str, Any], out: Path) -> str:
    """The commands that use the set, where the zoo reads it; without test images it is read whole."""
    if manifest["format"] == "TFRecord":
        return ""
    name = str(out) if out.is_absolute() or out.suffix else f"./{out}"
    whole = [] if manifest["test"] else ["--split", "all"]
    variant = next(iter(read_catalogue().suggestions(IMAGES)), "VARIANT")
    test = [] if manifest["test"] else ["--test", manifest["trained_on"]["name"]]
    commands = (["zoo", "classify", name, *test], ["zoo", "run", variant, "--dataset", name, *whole])
    return "\n".join(["\nNext:", *(f"  {shlex.join(each)}" for each in commands)])
