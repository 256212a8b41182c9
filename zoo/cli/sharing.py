"""`zoo pack`, `zoo push` and `zoo pull`."""

import json
from pathlib import Path
from typing import Any

import click

from zoo.cli.command_options import examples, json_option
from zoo.cli.commands import command

license_option = click.option("--license", metavar="SPDX", help="Of the weights, such as apache-2.0, for the card.")
no_discriminator_option = click.option(
    "--no-discriminator", is_flag=True, help="Leave it out: zoo explain and --from need it."
)


@command(
    "pack",
    epilog=examples(
        "zoo pack runs/dcgan/fashion_mini/0 --as dcgan@fashion_mini --evaluate --license apache-2.0",
        "zoo pack runs/dcgan/fashion_mini/0 --as small --float32",
        "zoo sample ./small",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--as", "name", required=True, metavar="NAME", help="The new folder's name.")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder above it [here]."
)
@click.option("--float32", is_flag=True, help="Keep single precision [half].")
@no_discriminator_option
@click.option("--evaluate", is_flag=True, help="Score what was packed [keep the scores of the run].")
@license_option
@json_option
def pack_command(
    run: Path, name: str, into: Path, float32: bool, no_discriminator: bool, evaluate: bool, license: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Write what is shared of RUN into a small folder: weights, run.yaml, scores, samples and a card."""
    from zoo.sharing.packing import HALF, SINGLE, Packing, pack

    packing = Packing(SINGLE if float32 else HALF, not no_discriminator, license=license)
    folder = pack(run, into / name, packing, evaluate)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    click.echo(json.dumps({"folder": str(folder), "bytes": size}) if as_json else f"{folder}: {size:,} bytes")


@command(
    "push",
    epilog=examples(
        "zoo push runs/dcgan/fashion_mini/0 hf://me/dcgan-garments --license apache-2.0",
        "zoo push runs/dcgan/fashion_mini/0 hf://me/dcgan-garments --whole --private",
        "zoo push runs/dcgan/fashion_mini/0 hf://me/explore-garments --space",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("address", metavar="hf://OWNER/NAME")
@click.option("--whole", is_flag=True, help="The last checkpoint as it is, to train on [the weights alone].")
@no_discriminator_option
@click.option("--space", is_flag=True, help="As a Space: the page of zoo explore, with the run in it.")
@click.option(
    "--requirement", metavar="SPEC", help="What pip installs for the Space [this zoo, by its version or repository]."
)
@click.option("--private", is_flag=True, help="Only you see it, where it is made.")
@click.option("--message", metavar="TEXT", help="Of the commit.")
@license_option
@json_option
def push_command(
    run: Path, address: str, whole: bool, no_discriminator: bool, as_json: bool, license: str | None, **options: Any
) -> None:
    """Push RUN with a model card to the Hugging Face hub: by the token of `hf auth login`, or $HF_TOKEN."""
    from zoo.sharing.hub import push
    from zoo.sharing.packing import SINGLE, Packing

    done = push(run, address, packing=Packing(SINGLE, not no_discriminator, whole, license), **options)
    click.echo(json.dumps(done) if as_json else f"{done['address']}, revision {done['revision']}")


@command(
    "pull",
    epilog=examples(
        "zoo pull hf://owner/name",
        "zoo pull https://example.org/dcgan.zip --out runs/theirs",
        "zoo sample hf://owner/name",
        "zoo run dcgan --dataset ./cats --from hf://owner/name",
    ),
)
@click.argument("source", metavar="ADDRESS_OR_PATH")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [runs/pulled/OWNER/NAME].")
@click.option("--trust", is_flag=True, help="Let the code that it brings run here: read it first.")
@json_option
def pull_command(source: str, out: Path | None, trust: bool, as_json: bool) -> None:
    """Fetch a run: from hf://owner/name, an https address of a zip, a zip or a folder; or bring it up to date.

    Code of plugins that it brings is shown with its sha256 and never executed unless --trust says so.
    """
    from zoo.base.files import read_json
    from zoo.runs.pulling import pull
    from zoo.runs.trust import PULLED, listed, trusting

    folder = pull(source, out, trust)
    pulled = read_json(folder / PULLED) or {}
    if as_json:
        click.echo(json.dumps({"run": str(folder), **pulled}))
        return
    click.echo(folder)
    code = pulled["plugins"]
    if code and pulled["trusted"] != code:
        click.echo(f"Its code is not run before you --trust it: {listed(folder, code)}")
        click.echo(f"Next, once you have read its code:\n  {trusting(source, folder)}")
        return
    if code:
        click.echo(f"Its code may run here: {listed(folder, code)}")
    click.echo(f"Next:\n  zoo sample {folder}")
