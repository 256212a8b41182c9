"""The command `zoo explore`."""

from pathlib import Path

import click

from zoo import backend
from zoo.backend import SUPPORTED
from zoo.base.interrupts import until_ctrl_c
from zoo.cli.command_options import data_dir_option, examples
from zoo.cli.commands import command


@command(
    "explore",
    epilog=examples(
        "zoo explore dcgan@fashion_mini",
        "zoo explore runs/cgan-projection/fashion_mini/0 --open",
        "zoo explore runs/pix2pix-edges/fashion_mini/0 --port 8000",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="[the first free one from 7860 on]")
@click.option("--open", "browser", is_flag=True, help="Open it in your browser, too.")
@click.option("--dataset", metavar="PATH", help="Where the run's data lies now, of which examples are taken.")
@data_dir_option
@click.option("--backend", "backend_name", type=click.Choice(SUPPORTED), help="[KERAS_BACKEND, else tensorflow]")
def explore_command(
    run: Path,
    port: int | None,
    browser: bool,
    dataset: str | None,
    data_dir: Path | None,
    backend_name: str | None,
) -> None:
    """Open a page on this machine to explore the generator of RUN with, until Ctrl-C.

    Sliders along the directions of its latents, seeds, classes, truncation, walks and the projection of an image; of a
    translation a drawing pad and pictures of your own. Nothing leaves this machine.
    """
    import zoo
    from zoo.exploring import serving

    serving.check_installed()
    backend.choose(backend_name)
    found = zoo.load(run, dataset, data_dir)
    backend.prepare()  # or Keras would import TensorFlow, loudly
    with until_ctrl_c(), serving.opened(found, port, browser) as address:
        click.echo(f"{address}\nCtrl-C closes it.")
        serving.wait()
