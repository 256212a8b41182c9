"""The options that several commands share, their shell completion, and the examples in their help."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from zoo.backend import SUPPORTED
from zoo.backend.options import PRECISIONS, EngineOptions, Processes
from zoo.cli.commands import option_group
from zoo.data.options import CHANNELS, CROPS, FOLDERS, LAYOUTS, READING, SOURCE_ORDERS, DataOptions
from zoo.options import Budget


def complete_stacks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Variants and plugins (plugins alone after a plus sign) that begin with what is typed."""
    from zoo.catalogue import read_catalogue

    catalogue = read_catalogue()
    below, plus, last = incomplete.rpartition("+")
    names = catalogue.plugins if plus else {**catalogue.variants, **catalogue.plugins}
    return [below + plus + name for name in sorted(names) if name.startswith(last)]


def complete_datasets(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    """The catalogue's datasets that begin with what is typed, else paths."""
    from click.shell_completion import CompletionItem

    from zoo.catalogue import read_catalogue

    names = [CompletionItem(name) for name in sorted(read_catalogue().datasets) if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


dataset_option = click.option(
    "--dataset",
    default="fashion_mini",
    show_default=True,
    metavar="NAME_OR_PATH",
    shell_complete=complete_datasets,
    help="A name of `zoo data list`, any image dataset of TFDS, or a path to images: a folder, .zip, .npy or .npz.",
)
data_dir_option = click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where datasets live [~/tensorflow_datasets]."
)
data_of_run_option = click.option(
    "--dataset", metavar="PATH", help="Where the run's data lies now, of which a translation is made."
)
direction_option = click.option(
    "--to",
    default="samples",
    show_default=True,
    metavar="FIELD",
    help="Or source: the way back, of a translation that has both directions.",
)
DATA_NAMES = ("split", "image_size", "crop", "channels", "label", *READING)


class Crop(click.ParamType):  # type: ignore[type-arg]  # it is generic for type checkers alone
    """A number of pixels, or one of CROPS."""

    name = "crop"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> int | str:
        if isinstance(value, int) or value in CROPS:
            return value
        if not value.isdecimal():
            self.fail(f"'{value}' is neither a number of pixels nor {' nor '.join(CROPS)}.", parameter, context)
        return int(value)


image_size_option = click.option(
    "--image-size", type=int, metavar="PIXELS", help="Side of the images, after a centre crop to a square."
)
channels_option = click.option(
    "--channels",
    type=click.Choice([str(each) for each in CHANNELS]),
    callback=lambda _context, _parameter, value: value and int(value),
    help="1 gray, 3 RGB, 4 RGB with alpha [as the images have; alpha lies over white].",
)
READING_OPTIONS = (  # that decide what is ambiguous
    click.option(
        "--crop",
        type=Crop(),
        metavar="PIXELS|square|none",
        help="Side of the centre square that is kept [the largest]; none: the whole image, squeezed into a square.",
    ),
    click.option("--layout", type=click.Choice(LAYOUTS), help="The order of an array's axes [found]."),
    click.option(
        "--values", metavar="BLACK:WHITE", help="Stored values of black and white, as 0:4095 or -1:1 [found]."
    ),
    click.option("--folders", type=click.Choice(FOLDERS), help="What the subfolders of a folder or zip are [found]."),
    click.option(
        "--source-from",
        metavar="left|right|FOLDER",
        help="The half of each image, or the folder, that samples are translated from: the field source.",
    ),
    click.option("--source-size", type=int, metavar="PIXELS", help="Side of the field source [the samples']."),
    click.option(
        "--source-order",
        type=click.Choice(SOURCE_ORDERS),
        help="Whether images of two folders are pairs by their names, or in orders of their own [found].",
    ),
)
DATA_OPTIONS = (
    click.option(
        "--split",
        default="train",
        show_default=True,
        metavar="SPLIT",
        help="train, test, all, or a part: train[:80%], train+test.",
    ),
    image_size_option,
    channels_option,
    click.option(
        "--label",
        metavar="NAME",
        help="What labels are read from, such as CelebA's Smiling; several attributes, Smiling,Male; or none.",
    ),
    *READING_OPTIONS,
)
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A recipe value, such as --set batch_size=32."
)
plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A plugin's file; its name is the plugin's name.",
)


data_options = option_group("How the data is read", DATA_OPTIONS)
reading_options = option_group("What may be read in two ways", READING_OPTIONS)


BUDGET_NAMES = ("steps", "epochs", "images", "minutes")


def budget_of(options: dict[str, Any]) -> Budget:
    """The budget that the options name, if any."""
    return Budget(**{name: options[name] for name in BUDGET_NAMES})


def data_of(options: dict[str, Any]) -> DataOptions:
    """The DataOptions of a command's options."""
    return DataOptions(**{name: options[name] for name in DATA_NAMES if name in options})


ENGINE_NAMES = ("backend", "precision", "devices", "deterministic", "processes", "process", "coordinator")
ENGINE_OPTIONS = (
    click.option("--backend", type=click.Choice(SUPPORTED), help="[KERAS_BACKEND, else tensorflow]"),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="float32",
        show_default=True,
        help="Of the layers; weights, losses and penalties are float32 in either.",
    ),
    click.option(
        "--devices",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Divide each batch over so many GPUs (or, to rehearse it, parts of the CPU).",
    ),
    click.option(
        "--deterministic", is_flag=True, help="The same bits again on a GPU, at some cost; a CPU does so anyway."
    ),
    click.option("--processes", type=click.IntRange(min=1), default=1, help="Train with so many processes (JAX)."),
    click.option("--process", type=click.IntRange(min=0), default=0, help="The number of this one, from 0."),
    click.option("--coordinator", metavar="HOST:PORT", help="Where process 0 waits for the others."),
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


engine_options = option_group("Engine", ENGINE_OPTIONS)


def engine_of(options: dict[str, Any]) -> EngineOptions:
    """The EngineOptions of a command's options."""
    processes = Processes(options["process"], options["processes"], options["coordinator"])
    chosen = ("backend", "precision", "devices", "deterministic")
    return EngineOptions(**{name: options[name] for name in chosen}, processes=processes)


def examples(*lines: str) -> str:
    """The text of examples at the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def typed_words(command: click.Command, options: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The words that give a command's options of these names their values, those left out that have their defaults."""
    words: list[str] = []
    for name in names:
        option = next(each for each in command.params if each.name == name)
        value = options[name]
        if isinstance(option, click.Option) and option.is_flag:
            words += option.opts[:1] if value else []
            continue
        for each in value if isinstance(value, tuple) else (value,):
            words += [] if each in (None, option.default) else [option.opts[0], str(each)]
    return words


MOST_NUMBERS = 1_000_000  # that one range may hold


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Numbers and ranges of them, separated by commas: 0-35,99."""

    name = "numbers"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        found = list[int]()
        for part in value.split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or not (last.isdecimal() if dash else not last) or int(last or first) < int(first):
                self.fail(f"'{part}' is neither a number nor a range: write 0-35,99.", parameter, context)
            if int(last or first) - int(first) >= MOST_NUMBERS:
                self.fail(f"'{part}' are more than {MOST_NUMBERS:,} numbers.", parameter, context)
            found += range(int(first), int(last or first) + 1)
        return tuple(found)


class Grid(click.ParamType):  # type: ignore[type-arg]
    """Rows and columns: 8x8."""

    name = "grid"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        rows, _, columns = value.partition("x")
        if not (rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
            self.fail(f"'{value}' is no grid of rows and columns: write 8x8.", parameter, context)
        return int(rows), int(columns)
