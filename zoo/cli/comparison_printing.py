"""The output of `zoo compare`, `zoo report` and `zoo tune` as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from zoo.health import HEALTHY


def columns(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows with the same keys as aligned columns."""
    widths = {key: max(len(row[key]) for row in rows) for key in rows[0]} if rows else {}
    return "\n".join("  ".join(f"{row[key]:<{width}}" for key, width in widths.items()).rstrip() for row in rows)


def compared(comparison: Mapping[str, Any]) -> str:
    """For each dataset the rankings, each variant's means and costs; then failures and notes."""
    parts = []
    for dataset, scores in comparison["rankings"].items():
        cells = [cell for cell in comparison["cells"] if cell["dataset"] == dataset]
        parts.append("\n".join([dataset, *(ranking_lines(name, each) for name, each in scores.items())]))
        parts.append(columns([cost_row(label, cells) for label in dict.fromkeys(cell["label"] for cell in cells)]))
    ended = [cell for cell in comparison["cells"] if cell["reason"]]
    parts += ["\n".join(f"{cell['state']}: {cell['path']}: {cell['reason']}" for cell in ended)] if ended else []
    parts += ["\n".join(comparison["notes"])] if comparison["notes"] else []
    return "\n\n".join(parts)


def raced(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each stack: seconds to the target, median, worst and of each seed."""
    parts = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        mine = [row for row in rows if row["dataset"] == dataset]
        better = f"{mine[0]['score']} of {mine[0]['until']:g}"
        heading = {"name": "  seconds of training", "median": "median", "worst": "worst", "images": "images",
                   "each": "by seed", "again": "scored again on other latents"}  # fmt: skip
        lines = [
            {
                "name": f"  {row['label']}",
                "median": seconds(row["median"]),
                "worst": seconds(row["worst"]),
                "images": ", ".join("-" if each is None else f"{each:,}" for each in row["images"]),
                "each": ", ".join(map(seconds, row["seconds"])),
                "again": ", ".join("-" if each is None else f"{each:.4g}" for each in row["confirmed"]),
            }
            for row in mine
        ]
        machines = sorted({machine for row in mine for machine in row["machines"]})
        parts.append("\n".join([f"{dataset}, to a {better}", columns([heading, *lines]), *machines]))
    return "\n\n".join(parts)


def seconds(value: float | None) -> str:
    """`61.2`, or "not reached"."""
    return "not reached" if value is None else f"{value:.1f}"


def ranking_lines(name: str, rankings: Mapping[str, Any]) -> str:
    """The ranking by one score at the last checkpoints, and each variant's last and best means."""
    from zoo.comparison.report.tables.rank_ranges import mark

    last, best = rankings["last"], rankings["best"]
    marks = {label: mark(last, label) for label in last["summaries"]}
    rows = [
        {
            "name": f"{'*' if marks[label] else ' '} {label}",
            "last": spread(found),
            "best": spread(best["summaries"][label]),
            "runs": f"{found['finished']}/{found['runs']}",
        }
        for label, found in last["summaries"].items()
    ]
    heading = {"name": "  mean ± deviation [95% of the mean]", "last": "last", "best": "best", "runs": "finished"}
    legend = [f"* {found}" for found in dict.fromkeys(marks.values()) if found]
    return "\n".join(
        ["", f"{name} ({last['better']} is better): {last['sentence']}", columns([heading, *rows]), *legend]
    )


def spread(summary: Mapping[str, Any]) -> str:
    """`0.0189 ± 0.0012 [0.0171, 0.0204]`: mean, deviation over seeds, and the interval of the mean."""
    if summary["mean"] is None:
        return "none finished"
    deviation = "" if summary["deviation"] is None else f" ± {summary['deviation']:.2g}"
    interval = "" if summary["interval"] is None else " [{:.4g}, {:.4g}]".format(*summary["interval"])
    return f"{summary['mean']:.4g}{deviation}{interval}"


def cost_row(label: str, cells: list[dict[str, Any]]) -> dict[str, str]:
    """The median costs of a variant's runs, as in the report."""
    costs = [cell["cost"] for cell in cells if cell["label"] == label and cell["cost"]["steps"]]

    def middle(name: str) -> float | None:
        values = [cost[name] for cost in costs if cost[name] is not None]
        return median(values) if values else None

    speed, memory, seconds = middle("images_per_second"), middle("peak_memory"), middle("seconds")
    return {
        "name": f"  {label}",
        "images": f"{middle('images') or 0:,.0f} images",
        "seconds": "" if seconds is None else f"{seconds:.0f} s",
        "speed": "" if speed is None else f"{speed:,.0f} images/s",
        "memory": "" if memory is None else f"{memory / 2**30:.2f} GiB",
        "collapsed": f"{sum(cell['collapsed'] for cell in cells if cell['label'] == label)} collapsed",
        "health": healths([cell["health"] for cell in cells if cell["label"] == label and cell["health"]]),
    }


def healths(words: Sequence[str]) -> str:
    """`healthy`, or `1 mode collapse, 2 frozen` of those runs that are not."""
    counts = Counter(word for word in words if word != HEALTHY)
    return ", ".join(f"{count} {word}" for word, count in counts.items()) or (HEALTHY if words else "")


def tuned(found: Mapping[str, Any]) -> str:
    """A table of the trials, the best first, and the command that trains with the best values."""
    order = sorted(found["trials"], key=lambda row: (row["minimized"] is None, row["minimized"] or 0.0))
    rows = [
        {
            "trial": str(row["trial"]),
            "state": row["state"],
            "score": f"{row['scores'][-1]:.4g}" if row["scores"] else "none",
            "settings": " ".join(f"{name}={value}" for name, value in row["settings"].items()),
        }
        for row in order
    ]
    best = found["best"]
    again = "No trial was finished."
    if best:
        settings = " ".join(f"--set {name}={value}" for name, value in best["settings"].items())
        again = f"Best: trial {best['trial']}\n  zoo run {found['variant']} --dataset {found['dataset']} {settings}"
    return f"{columns(rows)}\n\n{again}"
