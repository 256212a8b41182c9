"""The command `zoo translate`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo.base.conditions import parsed_condition
from zoo.base.progress import as_progress
from zoo.cli.command_options import examples, json_option
from zoo.cli.commands import command
from zoo.errors import ZooError


@command(
    "translate",
    epilog=examples(
        "zoo translate runs/pix2pix-edges/fashion_mini/0 drawing.png --out made.png",
        "zoo translate runs/cyclegan/horse2zebra/0 ./horses --out ./zebras --sheet sheet.png",
        "zoo translate runs/cyclegan/horse2zebra/0 ./zebras --out ./horses --to source",
        "zoo translate runs/pix2pix-gray/emoji/0 ./photos --out ./again --from-samples",
        "zoo translate runs/stargan/fashion_mini/0 shirt.png --class Coat --out coat.png",
        "zoo translate runs/stargan/celeba/0 ./faces --condition Smiling=1 --condition Male=0 --out ./smiling",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A .png for an image, else a folder.")
@click.option("--to", default="samples", show_default=True, metavar="FIELD", help="Or source, where it goes back.")
@click.option("--class", "classes", multiple=True, metavar="NAME_OR_NUMBER", help="What images are changed to.")
@click.option(
    "--condition", "conditions", multiple=True, metavar="INPUT=VALUES", help="Such as an attribute, Smiling=1."
)
@click.option("--from-samples", is_flag=True, help="Make the source (edges, gray) of the images first.")
@click.option("--trained-size", is_flag=True, help="Bring all images to the size of training.")
@click.option("--batch", type=click.IntRange(min=1), default=16, show_default=True, help="Images at once, at most.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of noise.")
@click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), help="A picture of the first, before and after."
)
@click.option(
    "--columns", type=click.IntRange(min=1), default=4, show_default=True, help="Pairs in a row of the sheet."
)
@click.option("--overwrite", is_flag=True, help="Replace what the folder has of another run or with other options.")
@json_option
def translate_command(
    run: Path,
    images: Path,
    out: Path,
    sheet: Path | None,
    columns: int,
    as_json: bool,
    conditions: Sequence[str],
    **options: Any,
) -> None:
    """Translate IMAGES, a file, a folder or a .zip, by the generator of RUN, into PNG files.

    Interrupted by Ctrl-C, the same command goes on: what is written and unchanged is not made again.
    """
    import zoo
    from zoo import backend

    if sheet is not None and sheet.suffix not in (".png", ".webp"):
        raise ZooError(f"--sheet {sheet}: expected a file that ends in .png or .webp.")
    opened = zoo.load(run)
    backend.prepare()  # or Keras would import TensorFlow, loudly
    from zoo.training.translation_files import Translation, translate_files

    wanted = Translation(
        own_size=not options.pop("trained_size"), conditions=dict(map(parsed_condition, conditions)), **options
    )
    progress = as_progress(True)
    try:
        done = translate_files(opened, images, out, wanted, sheet, progress, columns)
    finally:
        progress.stop()
    before = f", {done['made_before']:,} more were there before" if done["made_before"] else ""
    text = f"{done['images']:,} images ({done['direction']}): {done['out']}{before}"
    click.echo(json.dumps(done) if as_json else text)
