"""The command `zoo augment`."""

import json
from pathlib import Path
from typing import Any

import click

from zoo.base.progress import as_progress
from zoo.cli.command_options import data_dir_option, examples, json_option
from zoo.cli.commands import command


@command(
    "augment",
    epilog=examples(
        "zoo augment runs/cgan-projection/fashion_mini/0 --count 10000 --out more.npz",
        "zoo augment runs/cgan-projection/fashion_mini/0 --balance --with-real --out ./balanced",
        "zoo augment runs/cgan-projection/fashion_mini/0 --per-class 500 --out more.tfrecord",
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
@click.option("--with-real", is_flag=True, help="Write the training data too.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder, a .npz or a .tfrecord.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--truncation", type=float, metavar="PSI", help="In (0, 1]: less is more typical and less varied.")
@click.option("--dataset", metavar="PATH", help="Where the run's data lies now.")
@data_dir_option
@json_option
def augment_command(
    run: Path, out: Path, dataset: str | None, data_dir: Path | None, as_json: bool, **options: Any
) -> None:
    """Write a labelled training set of images that the conditional RUN makes, with a manifest."""
    import zoo
    from zoo.training.augmentation import Augmentation, augment

    progress = as_progress(True)
    try:
        manifest = augment(zoo.load(run, dataset, data_dir), out, Augmentation(**options), progress, data_dir)
    finally:
        progress.stop()
    real = f" and {manifest['real']:,} real ones" if manifest["real"] else ""
    click.echo(json.dumps(manifest) if as_json else f"{manifest['generated']:,} images{real}: {out}")
