"""From accuracies of a dataset over seeds to tables with intervals, and to what a GAN adds to each way without one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.common.tables import table
from zoo.comparison.statistics.summaries import Summary, summary

PLOT = "accuracy.png"
BALANCED = "balanced"  # a kind of set: of each class as many
PAIRS = (  # compared, whatever the scores: none is chosen by them
    ("with a GAN's", "as they are"),
    ("shifted, with a GAN's", "shifted"),
    ("with a GAN's", "oversampled"),
    ("shifted, with a GAN's", "shifted and oversampled"),
)
PLAIN = {without for _, without in PAIRS}
Row = Mapping[str, Any]


def markdown(report: Mapping[str, Any], heading: str = "#", folder: str = "") -> str:
    """A dataset's tables, one for each kind of set; `folder` is where the sheet lies, as the page names it."""
    rows = report["rows"]
    parts = [f"{heading} What a conditional GAN adds to few labels of {rows[0]['dataset']}", ""]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        parts += [f"{heading}# {kind[:1].upper()}{kind[1:]}", "", accuracy_table(own, "accuracy"), ""]
        parts += [*verdicts(own, "accuracy"), ""]
        if kind != BALANCED:
            parts += ["The rare class alone:", "", accuracy_table(own, "rare_accuracy"), ""]
            parts += [*verdicts(own, "rare_accuracy"), ""]
    parts += [f"![Accuracy by number of labels, and of the rare class]({folder}{PLOT})", ""]
    if report["sheet"]:
        parts += [f"![Generated images, a row for each number of labels]({folder}{report['sheet']})", ""]
    settings = report["settings"]
    parts += [
        f"Percent of test images, mean and 95% interval over {seeds_of(rows)}.",
        f"GANs: `{settings['stack']}`, {settings['images']:,} images each, on the labelled images alone.",
        f"Classifiers: {settings['steps']:,} steps of {settings['batch']} images.",
        "Images: what the first seed's GANs made, a row for each number of labels, two of each class.",
        f"{report['date']}, {report['machine']['processor']}, commit {report['commit']}.",
    ]
    return "\n".join(parts) + "\n"


def seeds_of(rows: Sequence[Row]) -> str:
    """How many seeds the cells of the tables have."""
    counts = Counter((row["kind"], row["labels"], row["way"]) for row in rows).values()
    least, most = min(counts), max(counts)
    if least == most:
        return f"{most} seeds" if most > 1 else "one seed, without intervals"
    return f"{least} to {most} seeds: more are being added, and a cell without an interval has one"


def accuracy_table(rows: Sequence[Row], name: str) -> str:
    """A row for each way, a column for each number of labels a class."""
    labels = sorted({row["labels"] for row in rows})
    lines = [
        [way, *(shown(summary(values(rows, way, each, name))) for each in labels)]
        for way in dict.fromkeys(row["way"] for row in rows)
    ]
    return table(["labels a class", *(f"{each:,}" for each in labels)], lines)


def verdicts(rows: Sequence[Row], name: str) -> list[str]:
    """For each pair of ways and number of labels, how the one with a GAN differs from the other, seed by seed."""
    found = []
    for with_gan, without in PAIRS:
        for labels in sorted({row["labels"] for row in rows if row["way"] == without}):
            pairs = zip(values(rows, with_gan, labels, name), values(rows, without, labels, name), strict=True)
            difference = summary([one - other for one, other in pairs])
            found.append(f"- *{with_gan}* against *{without}*, {labels:,} labels a class: {sentence(difference)}")
    return found


def sentence(difference: Summary) -> str:
    """What a difference over seeds says."""
    if difference.interval is None or difference.mean is None:
        return "one seed says nothing."
    low, high = difference.interval
    text = f"{100 * difference.mean:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    if low > 0:
        return f"{text}: the GAN helps."
    return f"{text}: the GAN harms." if high < 0 else f"{text}: no difference can be told."


def values(rows: Sequence[Row], way: str, labels: int, name: str) -> list[float]:
    """Of every seed, in their order."""
    chosen = [row for row in rows if (row["way"], row["labels"]) == (way, labels)]
    return [row[name] for row in sorted(chosen, key=lambda row: row["seed"])]


def shown(found: Summary) -> str:
    """`81.2 (80.9 to 81.5)`; the interval ends where a share does."""
    if found.mean is None:
        return ""
    text = f"{100 * found.mean:.1f}"
    if found.interval is None:
        return text
    low, high = (100 * min(1.0, max(0.0, end)) for end in found.interval)
    return f"{text} ({low:.1f} to {high:.1f})"
