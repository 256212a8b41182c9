"""An experiment's table, with the best of each column in bold, its sheet and its commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.common.tables import table

SHOWN = {  # decimals
    "l1": 4, "psnr": 2, "ssim": 3, "perceptual_efficientnet-lite0": 3, "kid_efficientnet-lite0": 4,
}  # fmt: skip
ARROWS = {"lower": "↓", "higher": "↑"}


def markdown(report: Mapping[str, Any], heading: str = "#", folder: str = "") -> str:
    """Everything that was measured so far; `folder` is where the sheet lies, as the page names it."""
    names = [name for name in SHOWN if any(name in row["scores"] for row in report["rows"])]
    best = {name: best_of(report["rows"], name) for name in names}
    rows = [
        [
            row["name"],
            "" if row["seconds"] is None else f"{row['seconds'] / 60:.1f}",
            *(shown(row["scores"].get(name), SHOWN[name], row["name"] == best[name]) for name in names),
        ]
        for row in report["rows"]
    ]
    header = ["", "minutes", *(f"{name} {ARROWS[better_of(report['rows'], name)]}" for name in names)]
    where = f"{report['date']}, {report['machine']['processor']}, {report['machine']['cores']} cores"
    parts = [
        f"{heading} {report['title']}",
        "",
        table(header, rows),
        "",
        f"Each run saw {report['images']:,} images, one seed each, which ranks nothing; at most {report['tested']:,} "
        f"test images, each once. {where}, commit {report['commit']}.",
        "",
        *(f"    {row['command']}" for row in report["rows"] if row["command"]),
        "",
    ]
    if "columns" in report:
        columns = ", ".join(report["columns"])
        parts += [
            f"![Test images: {columns}]({folder}{report['sheet']})",
            "",
            f"*Test images, nothing picked: {columns}.*",
            "",
        ]
    return "\n".join(parts)


def better_of(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Whether less or more of a score is better."""
    return str(next(row["scores"][name]["better"] for row in rows if name in row["scores"]))


def best_of(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Whose score is the best."""
    sign = 1 if better_of(rows, name) == "lower" else -1
    known = [row for row in rows if name in row["scores"]]
    return str(min(known, key=lambda row: sign * row["scores"][name]["value"])["name"])


def shown(score: Mapping[str, Any] | None, decimals: int, is_best: bool) -> str:
    """A score with its deviation."""
    if score is None:
        return ""
    text = f"{score['value']:.{decimals}f}"
    spread = "" if score["deviation"] is None else f" ± {score['deviation']:.{decimals}f}"
    return f"**{text}**{spread}" if is_best else f"{text}{spread}"
