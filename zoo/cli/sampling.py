"""The commands `zoo sample`, `zoo project` and `zoo export`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo.base.conditions import parsed_condition
from zoo.base.progress import as_progress
from zoo.cli.command_options import (
    Grid,
    Numbers,
    data_dir_option,
    data_of_run_option,
    direction_option,
    examples,
    json_option,
)
from zoo.cli.commands import command, option_group
from zoo.cli.data import IMAGE_FORMATS

EXPORTS = ("saved_model", "onnx", "litert", "keras", "html")
FILE = click.Path(dir_okay=False, path_type=Path)


@command(
    "sample",
    epilog=examples(
        "zoo sample dcgan@fashion_mini",
        "zoo sample runs/dcgan/fashion_mini/0",
        "zoo sample runs/dcgan/fashion_mini/0 --seeds 0-35,99 --out ./chosen",
        "zoo sample runs/dcgan/fashion_mini/0 --count 50000 --out samples.npz --format adm",
        "zoo sample runs/dcgan/fashion_mini/0 --interpolate --seed 7",
        "zoo sample runs/dcgan/fashion_mini/0 --interpolate --seeds 3,8,21 --loop --seconds 6 --out walk.mp4",
        "zoo sample runs/cgan-projection/fashion_mini/0 --class Bag --class Sneaker --grid 2x8",
        "zoo sample runs/dcgan/fashion_mini/0 --truncation 0.7",
        "zoo sample runs/stylegan2/fashion_mini/0 --seeds 0-3 --mix 10-15 --styles 0-2",
        "zoo sample runs/dcgan/fashion_mini/0 --latents a.npz --plus b.npz --minus c.npz",
        "zoo sample runs/cyclegan/emoji_unpaired/0 --to source",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@option_group(
    "Which samples",
    (
        click.option("--count", type=click.IntRange(min=1), help="How many [64; points of each walk of a film: 4]."),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True),
        click.option(
            "--seeds",
            type=Numbers(),
            default=(),
            metavar="0-35,99",
            help="A sample of each, the same whatever stands beside it.",
        ),
        click.option(
            "--class",
            "classes",
            multiple=True,
            metavar="NAME_OR_NUMBER",
            help="Of a conditional run; several make rows [all].",
        ),
        click.option(
            "--condition",
            "conditions",
            multiple=True,
            metavar="INPUT=VALUES",
            help="Any other input of the generator, such as code=0,1,0, for all samples.",
        ),
        click.option("--truncation", type=float, metavar="PSI", help="In (0, 1]: less is more typical, less varied."),
        direction_option,
        data_of_run_option,
        data_dir_option,
    ),
)
@option_group(
    "Latents",
    (
        click.option("--latents", type=FILE, metavar="FILE", help="Of zoo project or --save-latents, in their place."),
        click.option("--plus", type=FILE, multiple=True, metavar="FILE", help="Add the mean of its latents."),
        click.option("--minus", type=FILE, multiple=True, metavar="FILE", help="Subtract the mean of its latents."),
        click.option("--mix", type=Numbers(), default=(), metavar="SEEDS", help="Mix in styles of these seeds."),
        click.option("--styles", type=Numbers(), default=(), metavar="LAYERS", help="Which styles, 0 the coarsest."),
        click.option("--save-latents", type=FILE, metavar="FILE", help="Write them as an .npz, too."),
    ),
)
@option_group(
    "Walks",
    (
        click.option("--interpolate", is_flag=True, help="Walk between samples, a row for each pair, or as a film."),
        click.option("--loop", is_flag=True, help="Return to the first point."),
        click.option("--seconds", type=float, help="Of a film [4]; a .webp without them is a picture."),
        click.option("--fps", type=float, default=24, show_default=True, help="Pictures a second of a film."),
    ),
)
@option_group(
    "Files",
    (
        click.option("--grid", type=Grid(), metavar="8x8", help="Rows and columns of a picture, or walks of a film."),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="A .png, .npy, .npz, a .zip of images, a folder of PNGs; a .gif, .webp, .mp4 of a walk "
            "[in the run directory].",
        ),
        click.option(
            "--format",
            "kind",
            type=click.Choice(IMAGE_FORMATS),
            help="For another tool: StyleGAN's folder or .zip, ADM's .npz (arr_0), a .tfrecord.",
        ),
    ),
)
@json_option
def sample_command(
    run: Path,
    dataset: str | None,
    data_dir: Path | None,
    to: str,
    out: Path | None,
    as_json: bool,
    conditions: Sequence[str],
    **options: Any,
) -> None:
    """Draw new samples from the generator of RUN: a folder, a name of `zoo list pretrained`, or hf://owner/name."""
    import zoo
    from zoo import backend

    opened = zoo.load(run, dataset, data_dir)
    backend.prepare()  # or Keras would import TensorFlow, loudly
    from zoo.training.sample_files import Wanted, write_samples

    opened = opened.toward(to)
    wanted = Wanted(**options, conditions=dict(map(parsed_condition, conditions)))
    path = write_samples(opened, wanted, out)
    made_of = {} if opened.made_of is None else {"made_of": opened.made_of}  # the split of the data
    click.echo(json.dumps({"samples": str(path), **made_of}) if as_json else str(path))


@command(
    "project",
    epilog=examples(
        "zoo project runs/dcgan/celeba/0 face.png --out face.npz",
        "zoo sample runs/dcgan/celeba/0 --latents face.npz",
        "zoo project runs/dcgan/celeba/0 ann.png bob.png --out two.npz --steps 500",
        "zoo sample runs/dcgan/celeba/0 --latents two.npz --interpolate --loop --out between.gif",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=FILE, metavar="IMAGE...")
@click.option("--out", type=FILE, help="An .npz [in the run directory]; a picture of the same name lies beside it.")
@click.option("--steps", type=click.IntRange(min=1), default=300, show_default=True, help="For each image.")
@click.option("--rate", type=float, default=0.1, show_default=True, help="The learning rate that it begins with.")
@click.option(
    "--features",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Weight of the distance in EfficientNet-Lite0 beside that in pixels; 0 for pixels alone.",
)
@click.option("--styles", is_flag=True, help="Look for styles, which reach more than latents do, of a style-based run.")
@click.option("--class", "classes", metavar="NAME_OR_NUMBER", help="Of a conditional run [the nearest].")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of where it begins, and noise.")
@json_option
def project_command(run: Path, images: Sequence[Path], out: Path | None, as_json: bool, **options: Any) -> None:
    """Find the latents by which the generator of RUN comes closest to each IMAGE.

    Ctrl-C ends it, and keeps the best so far.
    """
    import zoo
    from zoo import backend

    backend.prepare()  # or Keras would import TensorFlow, loudly
    from zoo.training.projecting import Procedure, project_files

    progress = as_progress(True)
    try:
        done = project_files(zoo.load(run), images, out, Procedure(**options), progress)
    finally:
        progress.stop()
    if as_json:
        click.echo(json.dumps(done))
    else:
        for each in done["images"]:
            click.echo(f"{each['image']}: distance {each['distance']:.4f}, at first {each['first']:.4f}")
        click.echo(f"{done['latents']}\n{done['picture']}")
    if done["interrupted"]:
        sys.exit(128 + done["interrupted"])


@command(
    "export",
    epilog=examples(
        "zoo export runs/dcgan/fashion_mini/0 --format saved_model --out ./dcgan",
        "zoo export runs/dcgan/fashion_mini/0 --format onnx --output uint8 --out dcgan.onnx",
        "zoo export runs/dcgan/fashion_mini/0 --format litert --out dcgan.tflite",
        "zoo export runs/dcgan/fashion_mini/0 --format html --out dcgan.html",
        "zoo export runs/dcgan/fashion_mini/0 --model discriminator --format onnx --out judge.onnx",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", type=click.Choice(EXPORTS), default=EXPORTS[0], show_default=True)
@click.option(
    "--model",
    type=click.Choice(("generator", "discriminator")),
    default="generator",
    show_default=True,
    help="A discriminator's logits are scores of anomalies, the lower the stranger.",
)
@click.option(
    "--output", type=click.Choice(("float", "uint8")), default="float", show_default=True, help="[-1, 1] or 0 to 255."
)
@click.option("--out", type=click.Path(path_type=Path), help="A file, of saved_model a folder [in the run directory].")
@data_of_run_option
@data_dir_option
@json_option
def export_command(
    run: Path,
    out: Path | None,
    output: str,
    dataset: str | None,
    data_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the generator of RUN for another program, with averaged weights, any batch size, and a description.

    As html it is a page to send by mail: it computes in any browser, offline.
    """
    import zoo

    path = zoo.load(run, dataset, data_dir).export(out, uint8=output == "uint8", **options)
    click.echo(json.dumps({"export": str(path)}) if as_json else str(path))
