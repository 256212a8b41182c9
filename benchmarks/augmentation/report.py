"""From accuracies over seeds to tables with intervals, and to differences from the best way without a GAN."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.common.tables import table
from zoo.comparison.statistics.summaries import Summary, summary

PLAIN = ("as they are", "oversampled", "shifted", "shifted and oversampled")
Row = Mapping[str, Any]


def markdown(report: Mapping[str, Any], heading: str = "#", folder: str = "") -> str:
    """All tables, one for each dataset and kind of set; `folder` is where the sheets lie, as the page names it."""
    rows = report["rows"]
    parts = [f"{heading} What a conditional GAN adds to few labels", ""]
    for dataset, kind in dict.fromkeys((row["dataset"], row["kind"]) for row in rows):
        own = [row for row in rows if (row["dataset"], row["kind"]) == (dataset, kind)]
        parts += [f"{heading}# {dataset}, {kind}", "", accuracy_table(own, "accuracy"), ""]
        parts += [*verdicts(own, "accuracy"), ""]
        if kind != "balanced":
            parts += ["The rare class alone:", "", accuracy_table(own, "rare_accuracy"), ""]
            parts += [*verdicts(own, "rare_accuracy"), ""]
        if kind == "balanced" and dataset in report["sheets"]:
            parts += [f"![Generated images, a row for each number of labels]({folder}{report['sheets'][dataset]})", ""]
    settings = report["settings"]
    parts += [
        "Percent of test images, mean and 95% interval over seeds.",
        f"GANs: `{settings['stack']}`, {settings['images']:,} images each, on the labelled images alone.",
        f"Classifiers: {settings['steps']:,} steps.",
        "Pictures: what the first seed's GANs made, a row for each number of labels, two of each class.",
        f"{report['date']}, {report['machine']['processor']}, commit {report['commit']}.",
    ]
    return "\n".join(parts) + "\n"


def accuracy_table(rows: Sequence[Row], name: str) -> str:
    """A row for each way, a column for each number of labels a class."""
    labels = sorted({row["labels"] for row in rows})
    lines = [
        [way, *(shown(summary(values(rows, way, each, name))) for each in labels)]
        for way in dict.fromkeys(row["way"] for row in rows)
    ]
    return table(["labels a class", *(f"{each:,}" for each in labels)], lines)


def verdicts(rows: Sequence[Row], name: str) -> list[str]:
    """For each number of labels, how the best way with a GAN differs from the best without, seed by seed."""
    found = []
    for labels in sorted({row["labels"] for row in rows}):
        ways = dict.fromkeys(row["way"] for row in rows if row["labels"] == labels)
        means = {way: summary(values(rows, way, labels, name)).mean or 0.0 for way in ways}
        without = max((way for way in ways if way in PLAIN), key=lambda way: means[way])
        with_gan = max((way for way in ways if way not in PLAIN), key=lambda way: means[way])
        pairs = zip(values(rows, with_gan, labels, name), values(rows, without, labels, name), strict=True)
        difference = summary([one - other for one, other in pairs])
        found.append(f"- {labels:,} labels a class: *{with_gan}* against *{without}*: {sentence(difference)}")
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
    """`81.2 (80.9 to 81.5)`."""
    if found.mean is None:
        return ""
    text = f"{100 * found.mean:.1f}"
    return (
        text if found.interval is None else f"{text} ({100 * found.interval[0]:.1f} to {100 * found.interval[1]:.1f})"
    )
