"""The table of what was measured."""

from collections.abc import Mapping
from typing import Any

from benchmarks.common.tables import table

KID = "kid_efficientnet-lite0"
COLUMNS = {"class_accuracy": ("class accuracy ↑", 3), KID: ("KID ↓", 4)}
BETTER = {"class_accuracy": max, KID: min}


def markdown(report: Mapping[str, Any]) -> str:
    """Every variant with its scores and intervals, the best of each column in bold; and how it was made."""
    settings, rows = report["settings"], report["rows"]
    best = {name: BETTER[name](row["scores"][name]["value"] for row in rows.values()) for name in COLUMNS}
    cells = [
        [
            f"`{variant}`",
            *(shown(row["scores"][name], decimals, best[name]) for name, (_, decimals) in COLUMNS.items()),
            f"{row['seconds'] / 60:.0f}",
        ]
        for variant, row in rows.items()
    ]
    of_real = [row["scores"]["classifier_accuracy"]["value"] for row in rows.values()]
    where = f"{report['date']}, {report['machine']['processor']}, {report['machine']['cores']} cores"
    command = " ".join(["zoo run VARIANT --dataset", settings["dataset"], "--images", str(settings["images"])])
    return "\n".join(
        [
            f"# Conditional variants on {settings['dataset']}",
            "",
            table(["", *(heading for heading, _ in COLUMNS.values()), "minutes"], cells),
            "",
            f"{settings['images']:,} images each, {settings['samples']:,} samples a score, 95% intervals over draws of "
            "samples; one seed ranks nothing. Class accuracy: the share of samples that a classifier of the real "
            "training images takes for the class they were drawn for; it is right on "
            f"{min(of_real):.3f} to {max(of_real):.3f} of the real test images. Of `infogan`, which sees no labels, "
            "the codes were matched to classes on other samples.",
            "",
            f"{where}, commit {report['commit']}.",
            "",
            f"    {' '.join([command, *(f'--set {each}' for each in settings['set'])])}",
            "",
        ]
    )


def shown(score: Mapping[str, Any], decimals: int, best: float) -> str:
    """A score with its interval."""
    low, high = score["interval"]
    text = f"{score['value']:.{decimals}f}"
    return f"{f'**{text}**' if score['value'] == best else text} ({low:.{decimals}f} to {high:.{decimals}f})"
