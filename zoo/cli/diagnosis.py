"""`zoo diagnose`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo.cli.command_options import (
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
)
from zoo.cli.commands import command


@command(
    "diagnose",
    epilog=examples(
        "zoo diagnose vanilla --dataset ring8",
        "zoo diagnose dcgan --dataset mnist --images 60000 --images 600000 --updates 4000",
        "zoo diagnose wgan-gp --steps 0 --steps 1000 --game own --game cross-entropy",
        "zoo diagnose runs/dcgan/fashion_mini/0",
    ),
)
@click.argument("variant", shell_complete=complete_stacks, metavar="VARIANT_OR_RUN")
@dataset_option
@data_dir_option
@data_options
@click.option(
    "--steps",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N",
    help="Freeze the generator after so many steps of training; several times, one after the other [500].",
)
@click.option(
    "--images", type=click.IntRange(min=0), multiple=True, metavar="N", help="... after so many real images seen."
)
@click.option(
    "--updates",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    metavar="N",
    help="Of each discriminator, in all; with more the same command goes on.",
)
@click.option("--every", type=click.IntRange(min=1), metavar="N", help="Updates between measurements [50 in all].")
@click.option("--batches", type=click.IntRange(min=1), default=4, show_default=True, help="Of each measurement.")
@click.option("--game", "games", multiple=True, metavar="NAME", help="Play these alone, such as cross-entropy or own.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights, order and draws.")
@set_option
@plugin_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [diagnoses/VARIANT/DATASET/SEED]."
)
@engine_options
@json_option
def diagnose_command(variant: str, as_json: bool, steps: Sequence[int], images: Sequence[int], **options: Any) -> None:
    """Say under which losses a VARIANT's gradient vanishes as its discriminator gets good; or how healthy a RUN is.

    The generator is trained for a while and frozen. A discriminator is trained against it from scratch, in six games,
    and the gradient that the generator would receive is followed (Arjovsky and Bottou 2017, figures 2 and 3).

    Of a run's folder it reads what was measured while it trained: options but --out and --data-dir have no effect.
    """
    import zoo
    from zoo.cli.diagnosis_printing import diagnosed, health_of_run

    if Path(variant).is_dir():
        result = zoo.diagnose_run(variant, data_dir=options["data_dir"], out=options["out"])
        click.echo(json.dumps(result) if as_json else health_of_run(result))
        return
    found = zoo.diagnose(
        variant,
        procedure=zoo.Procedure(
            steps, images, **{name: options[name] for name in ("updates", "every", "batches", "games")}
        ),
        **{name: options[name] for name in ("dataset", "data_dir", "seed", "settings", "plugins", "out")},
        data=data_of(options),
        engine=engine_of(options),
    )
    click.echo(json.dumps(found) if as_json else diagnosed(found))


@command(
    "depth",
    epilog=examples(
        "zoo depth vanilla --set critic_steps=5 --steps 2000",
        "zoo depth vanilla --layers 24 --activation sigmoid --normalization layer",
        "zoo depth dcgan --dataset fashion_mini --layers 6 --clip 0.01",
    ),
)
@click.argument("variant", shell_complete=complete_stacks)
@click.option("--dataset", default="swissroll", show_default=True, metavar="NAME_OR_PATH", help="Of `zoo data list`.")
@data_dir_option
@data_options
@click.option(
    "--steps", type=click.IntRange(min=1), default=500, show_default=True, help="Of training, of each critic."
)
@click.option("--layers", type=click.IntRange(min=1), default=12, show_default=True, help="Hidden ones of the critics.")
@click.option("--units", type=click.IntRange(min=1), default=128, show_default=True, help="Of each layer.")
@click.option("--activation", type=click.Choice(["relu", "tanh", "sigmoid"]), default="relu", show_default=True)
@click.option(
    "--normalization",
    type=click.Choice(["none", "batch", "layer", "spectral"]),
    default="none",
    show_default=True,
    help="Of the hidden layers but the first; batch is no one's that is penalized.",
)
@click.option("--clip", "clips", type=float, multiple=True, metavar="LIMIT", help="Several [0.1 0.01 0.001].")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights, order and draws.")
@set_option
@plugin_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [diagnoses/.../SEED-depth].")
@engine_options
@json_option
def depth_command(variant: str, as_json: bool, clips: Sequence[float], **options: Any) -> None:
    """Measure how gradients fare in deep Wasserstein critics: with clipped weights, and with a gradient penalty.

    VARIANT brings the generator (Gulrajani et al. 2017, section 3.2 and figure 1).
    """
    from zoo.cli.diagnosis_printing import depths
    from zoo.diagnosis.depth import CLIPS, Depth, depth

    network = {name: options[name] for name in ("steps", "layers", "units", "activation", "normalization")}
    found = depth(
        variant,
        critics=Depth(**network, clips=clips or CLIPS),
        **{name: options[name] for name in ("dataset", "data_dir", "seed", "settings", "plugins", "out")},
        data=data_of(options),
        engine=engine_of(options),
    )
    click.echo(json.dumps(found) if as_json else depths(found))


@command(
    "explain",
    epilog=examples("zoo explain runs/dcgan/fashion_mini/0", "zoo explain runs/vanilla/mnist/0 --seed 3 --json"),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset", metavar="PATH", help="Where the run's data lies now.")
@data_dir_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the latents.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [RUN/explanation].")
@json_option
def explain_command(run: Path, as_json: bool, **options: Any) -> None:
    """Show where the discriminator of RUN looks, and which latent directions change its samples most.

    Input gradients, integrated gradients and occlusion; singular values of the generator's Jacobian; directions by the
    Jacobian, SeFa, GANSpace and towards classes.
    """
    from zoo.cli.diagnosis_printing import explanation
    from zoo.diagnosis.explaining import explain

    found = explain(run, **options)
    click.echo(json.dumps(found) if as_json else explanation(found))
