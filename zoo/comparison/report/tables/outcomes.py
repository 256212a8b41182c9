"""Columns on the outcomes of a variant's runs, and on the cost of a run."""

from collections.abc import Iterable, Sequence
from statistics import median

from zoo.comparison.report.reading import OPEN, RunCell, is_unhealthy
from zoo.comparison.report.tables.table import Cell, Column
from zoo.comparison.report.words import count, duration, finite, memory

COSTS = {
    "images": ("images", count),
    "time": ("seconds", duration),
    "images/s": ("images_per_second", count),
    "peak memory": ("peak_memory", memory),
    "device memory": ("peak_device_memory", memory),
    "G weights": ("generator_parameters", count),
    "D weights": ("discriminator_parameters", count),
}
LARGEST = ("peak memory", "device memory")  # costs whose maximum over the runs is shown; others are medians


def outcome_columns(runs: Iterable[Sequence[RunCell]]) -> list[Column]:
    """The columns finished, collapsed and diverged, and failed, unfinished and unhealthy where there are such runs."""
    every = [cell for cells in runs for cell in cells]
    states = {cell["state"] for cell in every}
    titles = ["finished", "collapsed", "diverged"]
    titles += ["failed"] if "failed" in states else []
    titles += ["unfinished"] if states & set(OPEN) else []
    titles += ["unhealthy"] if any(map(is_unhealthy, every)) else []
    return [Column(title, "runs", "runs") for title in titles]


def outcome_cells(cells: Sequence[RunCell], columns: Sequence[Column]) -> list[Cell]:
    """The number of a variant's runs with each outcome."""
    many = {
        "finished": sum(cell["state"] == "done" for cell in cells),
        "collapsed": sum(bool(cell.get("collapsed")) for cell in cells),
        "diverged": sum(cell["state"] == "diverged" for cell in cells),
        "failed": sum(cell["state"] == "failed" for cell in cells),
        "unfinished": sum(cell["state"] in OPEN for cell in cells),
        "unhealthy": sum(map(is_unhealthy, cells)),
    }
    return [
        Cell(
            f"{many[each.title]} of {len(cells)}" if each.title == "finished" else f"{many[each.title]}",
            many[each.title],
        )
        for each in columns
    ]


def cost_columns(runs: Iterable[Sequence[RunCell]]) -> list[Column]:
    """The columns of costs; device memory only where a run has recorded it."""
    has_device_memory = any(cost_of(cell, "peak_device_memory") is not None for cells in runs for cell in cells)
    return [Column(title, "cost", "cost of a run") for title in COSTS if has_device_memory or title != "device memory"]


def cost_cells(cells: Sequence[RunCell], columns: Sequence[Column]) -> list[Cell]:
    """Medians over the finished runs, or over all where none has finished; the largest peak."""
    finished = [cell for cell in cells if cell["state"] == "done"] or [
        cell for cell in cells if cost_of(cell, "images")
    ]
    made = []
    for column in columns:
        key, worded = COSTS[column.title]
        found = [value for cell in finished if (value := cost_of(cell, key)) is not None]
        value = (max if column.title in LARGEST else median)(found) if found else None
        made.append(Cell(worded(value), value))
    return made


def cost_of(cell: RunCell, name: str) -> float | None:
    """One cost of one run by its key; None where it is not known."""
    return finite((cell.get("cost") or {}).get(name))
