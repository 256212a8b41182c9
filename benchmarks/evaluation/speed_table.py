"""speed.md: times and memory of an evaluation."""

from collections.abc import Mapping
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks.common.tables import table

from .report import digits, heading

QUIET = 1.0  # load average up to which a machine counts as idle
BUSY = " **It was shared with other work, which makes times longer and unsteady.**"
MIB = 2**20  # bytes


def markdown(report: Mapping[str, Any]) -> str:
    """The report of the parts that are measured so far."""
    sections = {"frechet": distances, "images": extractions, "memory": memory}
    shared = BUSY if report["load"]["before"] > QUIET else ""
    text = "Medians of interleaved rounds; every case is measured in a process of its own."
    found = [write(report[part]) for part, write in sections.items() if part in report]
    return "\n\n".join([heading("Speed", report) + shared, text, *found]) + "\n"


def distances(cases: list[dict[str, Any]]) -> str:
    """Seconds of both ways, and whether they agree."""
    header = [
        "samples × features",
        "zoo, s",
        "scipy.linalg.sqrtm, s",
        "ratio",
        "CPU ratio",
        "value",
        "relative difference",
    ]
    rows = []
    for case in cases:
        seconds, busy, value = (
            {way: median(each[field] for each in rounds) for way, rounds in case["rounds"].items()}
            for field in ("seconds", "cpu_seconds", "value")
        )
        rows.append(
            [
                f"{case['count']:,} × {case['width']:,}",
                digits(seconds["zoo"]),
                digits(seconds["scipy"]),
                f"{seconds['scipy'] / seconds['zoo']:.1f}",
                f"{busy['scipy'] / busy['zoo']:.1f}",
                f"{value['zoo']:.6g}",
                f"{abs(value['scipy'] - value['zoo']) / value['zoo']:.1e}",
            ]
        )
    text = (
        "From float32 features of both sides to the distance: `zoo.evaluation.metrics.frechet.frechet_distance`, with "
        "its checks, against `numpy.cov` and `scipy.linalg.sqrtm` of the product, as pytorch-fid has it."
    )
    return f"## Fréchet distance\n\n{text}\n\n{table(header, rows)}"


def extractions(extractors: list[dict[str, Any]]) -> str:
    """Images/s and use of the cores."""
    header = ["", "images", "images/s", "min to max", "CPU, ms/image", "cores used"]
    rows = []
    for each in extractors:
        speeds = [one["images"] / one["seconds"] for one in each["rounds"]]
        busy = median(one["cpu_seconds"] / one["images"] for one in each["rounds"])
        used = median(one["cpu_seconds"] / one["seconds"] / one["cores"] for one in each["rounds"])
        shape = " × ".join(map(str, each["shape"]))
        spread = f"{min(speeds):.1f} to {max(speeds):.1f}"
        rows.append([each["name"], shape, f"{median(speeds):.1f}", spread, f"{1000 * busy:.1f}", f"{used:.0%}"])
    text = "Compiled before the clock starts. *Cores used* is CPU time over the time of the wall and of all cores."
    return f"## Extraction\n\n{text}\n\n{table(header, rows)}"


def memory(evaluations: list[dict[str, Any]]) -> str:
    """Peaks of few images and of many."""
    header = ["images of either side", "anonymous before, MiB", "anonymous, MiB", "resident, MiB", "seconds"]
    rows = [
        [
            f"{each['count']:,}",
            f"{each['anonymous_before'] / MIB:,.0f}",
            f"+{own(each) / MIB:,.0f}",
            f"+{(each['resident'] - each['resident_before']) / MIB:,.0f}",
            f"{each['seconds']:.1f}",
        ]
        for each in evaluations
    ]
    grown = [
        f"from {few['count']:,} to {many['count']:,} by {(own(many) - own(few)) / MIB:,.0f} MiB"
        for few, many in pairwise(evaluations)
    ]
    text = (
        "Peaks of `EvaluationTask.score` with `fd` and `kid` in features of `digits`, images of 28 × 28 on disk, over "
        "what the process had with its network compiled. *Anonymous* (RssAnon) is memory of its own; *resident* "
        "(VmHWM) includes pages of mapped files, which the kernel takes back when it likes.\n\n"
        f"Anonymous memory grew {', '.join(grown)}. Features are read in parts of at most 32 MiB, which 1,000 images "
        "do not fill; FD's half-samples are copied whole, half of one side's features at a time, and that grows on."
    )
    return f"## Memory\n\n{text}\n\n{table(header, rows)}"


def own(evaluation: Mapping[str, Any]) -> float:
    """Bytes that an evaluation itself allocated at most."""
    return evaluation["anonymous"] - evaluation["anonymous_before"]
