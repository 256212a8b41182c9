"""The table of `zoo watch`, cut to the rows and columns that fit into the terminal."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from zoo.base.names import short_name
from zoo.base.progress import SHOWN_LOSSES
from zoo.health import HEALTHY
from zoo.watching import DIVERGED, DONE, FAILED, RUNNING, STATES, STOPPED, WAITING, RunState

STYLES = {RUNNING: "green", WAITING: "dim", STOPPED: "yellow", FAILED: "red", DIVERGED: "red", DONE: "cyan"}
URGENT = (FAILED, DIVERGED, RUNNING, STOPPED, WAITING)  # states by how long their rows stay in a low terminal
GAP, BAR, ENDLESS = 2, 10, 10_000  # characters
NAME = 20  # characters of a run's name below which another column is dropped


@dataclass(frozen=True)
class Column:
    """One column; columns of the highest rank are dropped first where the terminal is too narrow."""

    title: str
    rank: int
    cell: Callable[[RunState], str]
    justify: Literal["left", "right"] = "right"
    style: Callable[[RunState], str] = lambda run: ""


@dataclass(frozen=True)
class Size:
    """The available characters and lines; None is unlimited."""

    width: int | None = None
    height: int | None = None


def screen(runs: Sequence[RunState], folders: str, size: Size, with_bar: bool = True) -> RenderableType:
    """Counts by state, a table with as many rows and columns as fit, the reasons of failures, and a note on scores."""
    notes = [score_note(runs)] if score_names(runs) else []
    shown, hidden = fitting(runs, size.height and size.height - 2 - len(notes))
    reasons = [reason_of(run) for run in shown if run.reason]
    lines = [*([hidden] if hidden else []), *reasons, *notes]
    texts = [Text(line, no_wrap=size.width is not None, overflow="ellipsis") for line in lines]
    return Group(summary(runs, folders), *([table(shown, size.width, with_bar)] if shown else []), *texts)


def plain(runs: Sequence[RunState], folders: str, size: Size) -> str:
    """`screen` as text without colours and bars, for files and other programs."""
    console = Console(width=size.width or ENDLESS, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(screen(runs, folders, size, with_bar=False))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def summary(runs: Sequence[RunState], folders: str) -> Text:
    """`3 running, 12 waiting, 34 done   runs`."""
    counts = Counter(run.state for run in runs)
    parts = [Text(f"{counts[state]} {state}", STYLES[state]) for state in STATES if counts[state]]
    text = Text(", ").join(parts) if parts else Text("No runs yet; zoo run makes one.")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text.append(f"   {folders}", "dim")


def fitting(runs: Sequence[RunState], lines: int | None) -> tuple[Sequence[RunState], str]:
    """(runs whose rows and reasons fit into the lines, note about the others); rows of done runs are dropped first."""
    if lines is None or sum(map(needed, runs)) <= lines:
        return runs, ""
    first = sorted((run for run in runs if run.state != DONE), key=lambda run: URGENT.index(run.state))
    ends = accumulate(map(needed, first))
    chosen = {id(run) for run, end in zip(first, ends, strict=True) if end < lines}
    shown = [run for run in runs if id(run) in chosen]
    hidden = Counter(run.state for run in runs) - Counter(run.state for run in shown)
    counts = ", ".join(f"{hidden[state]} {state}" for state in STATES if hidden[state])
    return shown, f"not shown: {counts} (zoo watch --once prints all)"


def needed(run: RunState) -> int:
    """The lines that a run takes: its row, and its reason below all rows."""
    return 1 + bool(run.reason)


def table(runs: Sequence[RunState], width: int | None, with_bar: bool) -> Table:
    """A row for each run, in the non-empty columns that fit."""
    columns = [each for each in columns_of(runs) if with_bar or each.title != "progress"]
    cells = {each.title: [printable(each.cell(run)) for run in runs] for each in columns}
    columns = [each for each in columns if any(cells[each.title])]
    widths = {each.title: max(cell_len(text) for text in (each.title, *cells[each.title])) for each in columns}
    columns, widths = fitting_columns(columns, widths, width)
    made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for each in columns:
        made.add_column(each.title, justify=each.justify, no_wrap=True, overflow="ellipsis", width=widths[each.title])
    for index, run in enumerate(runs):
        made.add_row(*(Text(cells[each.title][index], each.style(run)) for each in columns))
    return made


def fitting_columns(
    columns: Sequence[Column], widths: Mapping[str, int], width: int | None
) -> tuple[list[Column], dict[str, int]]:
    """(columns that fit, their widths); long names of runs are shortened before a column is dropped."""
    if width is None:
        return list(columns), dict(widths)
    kept, name = list(columns), min(widths["run"], NAME)

    def left() -> int:
        """The characters that the other columns leave to the names of runs."""
        return width - sum(widths[each.title] + GAP for each in kept if each.title != "run")

    while left() < name and len(kept) > 1:
        kept.remove(max(kept, key=lambda each: each.rank))
    return kept, {**widths, "run": min(widths["run"], left())}


def columns_of(runs: Sequence[RunState]) -> list[Column]:
    """All columns in their order."""
    names = Counter(called(run) for run in runs)
    several = len(score_names(runs)) > 1

    def score(run: RunState, which: str) -> str:
        name = f"{run.scores.name} " if run.scores and several else ""
        return f"{name}{getattr(run.scores, which):.4g}" if run.scores else ""

    return [
        Column("run", 0, lambda run: run.label if names[called(run)] == 1 else f"{run.label} ({run.path})", "left"),
        Column("dataset", 4, lambda run: short_name(run.dataset), "left"),
        Column("seed", 3, lambda run: "" if run.seed is None else str(run.seed)),
        Column("state", 1, lambda run: run.state, "left", lambda run: STYLES[run.state]),
        Column("health", 5, lambda run: run.health, "left", lambda run: "" if run.health == HEALTHY else "yellow"),
        Column("progress", 7, bar, "left", lambda run: STYLES[run.state]),
        Column("step", 2, steps),
        Column("left", 6, lambda run: "" if run.seconds_left is None else tqdm.format_interval(run.seconds_left)),
        Column("best", 8, lambda run: score(run, "best")),
        Column("last", 9, lambda run: score(run, "last")),
        Column("images/s", 10, lambda run: "" if run.images_per_second is None else f"{run.images_per_second:,.0f}"),
        Column("D / G loss", 11, losses),
    ]


def called(run: RunState) -> tuple[str, str, int | None]:
    """Label, dataset and seed, which usually identify a run."""
    return run.label, run.dataset, run.seed


def bar(run: RunState) -> str:
    """A progress bar of the used budget; "" where that is unknown."""
    if run.share is None:
        return ""
    whole, half = divmod(int(run.share * 2 * BAR), 2)
    return ("━" * whole + "╸" * half).ljust(BAR, "─")


def steps(run: RunState) -> str:
    """`1,200/5,000`, or `1,200` where the total isn't known."""
    return f"{run.step:,}/{run.total:,}" if run.total else f"{run.step:,}"


def losses(run: RunState) -> str:
    """`1.281 / 0.777`."""
    return " / ".join(f"{run.losses[name]:.3f}" for name in SHOWN_LOSSES if name in run.losses)


def reason_of(run: RunState) -> str:
    """`dcgan mnist 1 failed: ...`."""
    words = (run.label, run.dataset, "" if run.seed is None else str(run.seed), f"{run.state}: {run.reason}")
    return printable(" ".join(word for word in words if word))


def score_names(runs: Sequence[RunState]) -> list[str]:
    """The sorted names of the scores that the runs have."""
    return sorted({run.scores.name for run in runs if run.scores})


def score_note(runs: Sequence[RunState]) -> str:
    """`best, last: swd, lower is better`."""
    better = {run.scores.name: run.scores.better for run in runs if run.scores}
    return "best, last: " + "; ".join(f"{name}, {better[name]} is better" for name in score_names(runs))


def printable(text: str) -> str:
    """A text from a file in one line, without control characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
