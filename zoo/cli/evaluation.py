"""`zoo evaluate` and `zoo scores`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo import backend
from zoo.backend import SUPPORTED
from zoo.cli.command_options import (
    DATA_NAMES,
    channels_option,
    complete_datasets,
    data_dir_option,
    data_of,
    data_options,
    direction_option,
    examples,
    image_size_option,
    json_option,
    plugin_option,
    reading_options,
)
from zoo.cli.commands import command
from zoo.data.options import DataOptions
from zoo.errors import ZooError
from zoo.evaluation.options import CHECKPOINTS, LAST, SAMPLES, TEST, EvaluationOptions

OPTION_NAMES = (
    "samples",
    "real_samples",
    "seed",
    "extractor",
    "resize",
    "weights",
    "split",
    "raw",
    "allow_training",
    "data_dir",
    "to",
)


def names_of(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """`("kid", "fd")` of `kid,fd`; click's callback of --metrics."""
    return tuple(each.strip() for each in value.split(",") if each.strip()) if value else ()


metrics_option = click.option(
    "--metrics", callback=names_of, metavar="NAMES", help="Which, separated by commas [all that the data allow]."
)


@command(
    "evaluate",
    epilog=examples(
        "zoo evaluate runs/dcgan/fashion_mini/0",
        "zoo evaluate runs/*/fashion_mnist/0 --metrics kid,fd --samples 2000",
        "zoo evaluate runs/dcgan/celeba/0 --checkpoint all --extractor inception --resize clean",
        "zoo evaluate runs/cyclegan/emoji_unpaired/0 --to source",
        "zoo evaluate ./generated --dataset fashion_mnist",
        "zoo evaluate samples.npz --against ./photos --image-size 64",
        "zoo evaluate samples.npz --against fid_stats_celeba.npz --resize pytorch",
    ),
)
@click.argument("scored", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN_OR_IMAGES...")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Real images in files, or their statistics: an .npz with mu and sigma.",
)
@click.option(
    "--dataset",
    metavar="NAME_OR_PATH",
    shell_complete=complete_datasets,
    help="Real images of a dataset [a run's own].",
)
@click.option("--split", default=TEST, show_default=True, metavar="SPLIT", help="Of the dataset.")
@click.option("--checkpoint", type=click.Choice(CHECKPOINTS), default=LAST, show_default=True)
@metrics_option
@click.option("--samples", type=click.IntRange(min=1), default=SAMPLES, show_default=True, help="Generated ones.")
@click.option("--real-samples", type=click.IntRange(min=1), help="Real ones [as many, or all there are].")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of latents and subsets.")
@click.option(
    "--extractor",
    metavar="NAME",
    help="Of zoo list extractors [inception where its weights are here, else efficientnet-lite0].",
)
@click.option("--resize", metavar="NAME", help="How images reach inception: tf1, pytorch or clean [tf1].")
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights.")
@direction_option
@click.option("--raw", is_flag=True, help="The weights that training ended with, where an average is kept too.")
@click.option("--allow-training", is_flag=True, help="Score against images that the run was trained on.")
@image_size_option
@channels_option
@reading_options
@click.option("--backend", type=click.Choice(SUPPORTED), help="[KERAS_BACKEND, else tensorflow]")
@plugin_option
@data_dir_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A .json [a run's evaluation.json].")
@json_option
def evaluate_command(scored: Sequence[Path], as_json: bool, out: Path | None, **options: Any) -> None:
    """Score runs, or images in folders, zips and arrays, against real images.

    Every score is printed and kept with its protocol; `zoo scores` puts those of several runs side by side.
    """
    import zoo
    from zoo.cli.evaluation_printing import evaluated

    backend.choose(options["backend"])
    requested = EvaluationOptions(options["metrics"], **{name: options[name] for name in OPTION_NAMES})
    read = DataOptions(**{name: options[name] for name in DATA_NAMES if name not in ("split", "label")})
    if out is not None and out.suffix != ".json":
        raise ZooError(f"--out {out}: expected a file that ends in .json.")
    found = []
    for each in scored:
        evaluations = zoo.evaluate(
            each,
            **{name: options[name] for name in ("against", "dataset", "checkpoint", "plugins")},
            options=requested,
            data=read,
            out=out,
        )
        found += evaluations
        if not as_json:
            click.echo(evaluated(evaluations))
    if as_json:
        click.echo(json.dumps(found))


@command(
    "statistics",
    epilog=examples(
        "zoo statistics fashion_mnist --out fashion.npz",
        "zoo statistics ./photos --image-size 64 --out photos.npz --extractor inception --resize pytorch",
        "zoo evaluate runs/dcgan/fashion_mnist/0 --against fashion.npz",
    ),
)
@click.argument("name", metavar="NAME_OR_PATH", shell_complete=complete_datasets)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="An .npz.")
@click.option("--count", type=click.IntRange(min=10), help="Images that are measured [all].")
@click.option("--extractor", metavar="NAME", help="Of zoo list extractors.")
@click.option("--resize", metavar="NAME", help="How images reach inception: tf1, pytorch or clean [tf1].")
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights.")
@data_options
@click.option("--backend", type=click.Choice(SUPPORTED), help="[KERAS_BACKEND, else tensorflow]")
@plugin_option
@data_dir_option
@json_option
def statistics_command(name: str, out: Path, as_json: bool, **options: Any) -> None:
    """Write mean and covariance of a dataset's features: mu and sigma, as pytorch-fid and TTUR read them.

    How they were measured is kept in the file too, so that `zoo evaluate --against` can say it.
    """
    from zoo.evaluation.scoring import statistics_of

    backend.choose(options["backend"])
    chosen = {each: options[each] for each in ("extractor", "resize", "weights", "data_dir")}
    given = {each: options[each] for each in ("count", "plugins")}
    protocol = statistics_of(name, out, options=EvaluationOptions(**chosen), data=data_of(options), **given)
    extractor, real = protocol["extractor"], protocol["real"]
    text = (
        f"{out}: {real['count']:,} images in {extractor['name']} {extractor['sha256'][:8]}, {extractor['preparation']}"
    )
    click.echo(json.dumps({"file": str(out), **protocol}) if as_json else text)


@command("scores", epilog=examples("zoo scores runs/*/fashion_mnist/0", "zoo scores runs/dcgan/celeba/0 --json"))
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@metrics_option
@json_option
def scores_command(runs: Sequence[Path], metrics: Sequence[str], as_json: bool) -> None:
    """Put the kept scores of runs side by side, if they were measured alike; differing protocols are refused."""
    from zoo.cli.evaluation_printing import side_by_side
    from zoo.evaluation.scoring import score_table

    rows = score_table(runs, metrics)
    click.echo(json.dumps(rows) if as_json else side_by_side(rows))
