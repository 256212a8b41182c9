"""`zoo diagnose`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo.base.plain_data import plain_json
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
from zoo.errors import ZooError


@command(
    "diagnose",
    epilog=examples(
        "zoo diagnose vanilla --dataset ring8",
        "zoo diagnose dcgan --dataset mnist --images 60000 --images 600000 --updates 4000",
        "zoo diagnose wgan-gp --steps 0 --steps 1000 --game own --game cross-entropy",
        "zoo diagnose runs/dcgan/fashion_mini/0",
        "zoo diagnose dcgan@fashion_mini",
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

    A run is a folder, a name of `zoo list pretrained` or hf://owner/name. Of it is read what was measured while it
    trained: options but --out and --data-dir have no effect.
    """
    import zoo
    from zoo.cli.diagnosis_printing import diagnosed, health_of_run
    from zoo.runs.finding import is_run

    if Path(variant).is_dir() or is_run(Path(variant)):
        result = zoo.diagnose_run(variant, data_dir=options["data_dir"], out=options["out"])
        click.echo(json.dumps(plain_json(result)) if as_json else health_of_run(result))
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
        "zoo depth dcgan --own --dataset mnist --game cross-entropy --game hinge",
    ),
)
@click.argument("variant", shell_complete=complete_stacks)
@click.option("--own", is_flag=True, help="Measure VARIANT's own networks, as they are and changed, under each loss.")
@click.option("--dataset", metavar="NAME_OR_PATH", help="Of `zoo data list` [swissroll; with --own fashion_mini].")
@data_dir_option
@data_options
@click.option("--steps", type=click.IntRange(min=0), help="Of training before it is measured [500; with --own 0].")
@click.option("--layers", type=click.IntRange(min=1), help="Hidden ones of the critics [12].")
@click.option("--units", type=click.IntRange(min=1), help="Of each layer of the critics [128].")
@click.option("--activation", type=click.Choice(["relu", "tanh", "sigmoid"]), help="Of the critics [relu].")
@click.option(
    "--normalization",
    type=click.Choice(["none", "batch", "layer", "spectral"]),
    help="Of the critics' hidden layers but the first [none]; batch is no one's that is penalized.",
)
@click.option("--clip", "clips", type=float, multiple=True, metavar="LIMIT", help="Several [0.1 0.01 0.001].")
@click.option("--game", "games", multiple=True, metavar="NAME", help="With --own: play these alone, such as hinge.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights, order and draws.")
@set_option
@plugin_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [diagnoses/.../SEED-depth].")
@engine_options
@json_option
def depth_command(variant: str, own: bool, as_json: bool, **options: Any) -> None:
    """Measure how gradients fare in deep Wasserstein critics: with clipped weights, and with a gradient penalty.

    VARIANT brings the generator (Gulrajani et al. 2017, section 3.2 and figure 1).

    With --own both of VARIANT's networks are measured instead, layer by layer under each loss: as they are, with ReLU,
    tanh and sigmoid for their activations, with and without their normalizations.
    """
    from zoo.cli.diagnosis_printing import depths, own_depths
    from zoo.diagnosis.depth import Depth, depth
    from zoo.diagnosis.own_depth import own_depth

    critics = {name: options[name] for name in ("layers", "units", "activation", "normalization", "clips")}
    critics = {name: value for name, value in critics.items() if value not in (None, ())}
    names = ("dataset", "data_dir", "seed", "settings", "plugins", "out")
    given = {name: options[name] for name in names if options[name] is not None}
    common = {**given, "data": data_of(options), "engine": engine_of(options)}
    steps = {} if options["steps"] is None else {"steps": options["steps"]}
    if own and critics:
        name = next(iter(critics)).replace("clips", "clip")
        raise ZooError(f"--{name} is of the deep critics: with --own the networks are VARIANT's. Keep one of both.")
    if own:
        found = own_depth(variant, games=options["games"], **steps, **common)
        click.echo(json.dumps(found) if as_json else own_depths(found))
        return
    if options["games"]:
        raise ZooError("--game chooses losses for VARIANT's own networks: add --own, or leave it out.")
    found = depth(variant, critics=Depth(**steps, **critics), **common)
    click.echo(json.dumps(found) if as_json else depths(found))


@command(
    "explain",
    epilog=examples(
        "zoo explain dcgan@fashion_mini",
        "zoo explain runs/dcgan/fashion_mini/0",
        "zoo explain runs/vanilla/mnist/0 --seed 3 --json",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset", metavar="PATH", help="Where the run's data lies now.")
@data_dir_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the latents.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder [RUN/explanation].")
@json_option
def explain_command(run: Path, as_json: bool, **options: Any) -> None:
    """Show where the discriminator of RUN looks, and which latent directions change its samples most.

    RUN is a folder, a name of `zoo list pretrained`, or hf://owner/name.

    Input gradients, integrated gradients and occlusion; singular values of the generator's Jacobian; directions by the
    Jacobian, SeFa, GANSpace and towards classes.
    """
    from zoo.cli.diagnosis_printing import explanation
    from zoo.diagnosis.explaining import explain

    found = explain(run, **options)
    click.echo(json.dumps(found) if as_json else explanation(found))
