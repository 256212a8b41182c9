"""`zoo watch`: a live table of runs."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.base.interrupts import until_ctrl_c
from zoo.base.plain_data import plain_json
from zoo.cli.command_options import examples, json_option
from zoo.cli.commands import command
from zoo.errors import ZooError

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_FOLDER = Path("runs")
SECOND = 1.0  # seconds between two updates of the table
TICK = 0.1  # seconds between two checks whether to end, or whether the terminal's size has changed


def never() -> bool:
    """The default of `live`, which Ctrl-C alone ends."""
    return False


@command(
    "watch",
    epilog=examples(
        "zoo watch",
        "zoo watch runs/dcgan --every 5",
        "zoo watch runs /mnt/cluster/runs",
        "zoo watch --once | grep failed",
        "zoo watch --json",
    ),
)
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDER]...")
@click.option("--every", type=click.FloatRange(min=TICK), default=SECOND, show_default=True, metavar="SECONDS")
@click.option("--once", is_flag=True, help="Print one plain table and end, as where the output is no terminal.")
@json_option
def watch_command(folders: Sequence[Path], every: float, once: bool, as_json: bool) -> None:
    """Show how the runs below each FOLDER [runs] stand, again and again until Ctrl-C.

    It reads files alone, so it may start and end at any time, and watch what other machines write.
    """
    from zoo.watching import Watch

    folders = folders or (DEFAULT_FOLDER,)
    check_folders(folders)
    if as_json:
        click.echo(json.dumps(plain_json([run.as_dict() for run in Watch(folders).runs()])))
    elif once:
        click.echo(once_printed(folders))
    else:
        with until_ctrl_c():  # any other signal ends it too, and restores the terminal
            live(folders, every)


def check_folders(folders: Sequence[Path]) -> None:
    """Raises ZooError, with the available folders, where one of these is no folder."""
    for folder in folders:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            here = ", ".join(str(each) for each in folders_with_runs()) or "none; zoo run makes one"
            raise ZooError(f"No folder of runs: '{folder}' {what}. Available here: {here}.")


def folders_with_runs() -> list[Path]:
    """The folders in the working directory that hold runs."""
    from zoo.runs.finding import run_folders
    from zoo.watching.run_files import MARKERS

    folders = (path for path in Path().iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(path for path in folders if any(run_folders(path, MARKERS)))


def live(folders: Sequence[Path], every: float = SECOND, until: Callable[[], bool] = never) -> None:
    """Shows a live table of the runs in some folders until `until()` is true, and leaves the last table.

    It may run in any thread: it changes no signal handlers, and restores the terminal before it raises
    KeyboardInterrupt. Where the output is no terminal, it waits and prints one plain table.
    """
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    if not sys.stdout.isatty() or console.is_dumb_terminal:
        while until is not never and not until():
            time.sleep(TICK)
        click.echo(once_printed(folders))
        return
    view = View(folders, console)
    try:
        with Live(console=console, screen=True, auto_refresh=False) as shown:
            while not until() and console.file.isatty():
                shown.update(view.drawn(), refresh=True)
                view.wait(every, until)
    finally:
        console.print(view.drawn())


class View:
    """Renders the current states of the runs at the terminal's current size."""

    def __init__(self, folders: Sequence[Path], console: "Console") -> None:
        from zoo.watching import Watch

        self.folders = folders
        self.watch = Watch(folders)
        self.console = console

    def drawn(self) -> Any:
        from zoo.cli.watch_printing import Size, screen

        width, height = self.console.size
        return screen(self.watch.runs(), named(self.folders), Size(width, height))

    def wait(self, seconds: float, until: Callable[[], bool]) -> None:
        """Waits that long, or until `until()` is true or the terminal's size changes."""
        end, size = time.monotonic() + seconds, self.console.size
        while time.monotonic() < end and self.console.size == size and not until():
            time.sleep(TICK)


def once_printed(folders: Sequence[Path]) -> str:
    """One plain table: with all columns for files and other programs, with those that fit for a terminal."""
    from rich.console import Console

    from zoo.cli.watch_printing import Size, plain
    from zoo.watching import Watch

    width = Console().width if sys.stdout.isatty() else None
    return plain(Watch(folders).runs(), named(folders), Size(width))


def named(folders: Sequence[Path]) -> str:
    """The folders, separated by spaces."""
    return " ".join(str(folder) for folder in folders)
