"""Measure how fast an evaluation is, and in how much memory; README.md in this folder says how.

python -m benchmarks.evaluation.speed
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.common.processes import fresh_answer

from . import report as reports
from .speed_table import QUIET, markdown
from .worker import RANDOM_INCEPTION

CASES = ((500, 2048), (5000, 2048), (10_000, 2048), (10_000, 1280))  # samples and features
EXTRACTIONS = (("efficientnet-lite0", 1024, (32, 32, 3)), (RANDOM_INCEPTION, 192, (32, 32, 3)))
COUNTS = (1000, 50_000, 200_000)  # images on each side
READER, SHAPE = "digits", (28, 28, 1)  # extractor and image shape of the memory measurements


def main() -> None:
    """Measures part by part; the report is written after each part."""
    arguments = parsed()
    report = reports.begun("speed")
    if report["load"]["before"] > QUIET:
        print(f"This machine is busy (load {report['load']['before']}): its times will mean little.", file=sys.stderr)
    for part, measure in {"memory": memory, "images": extractions, "frechet": distances}.items():
        report[part] = measure(arguments)
        reports.write(reports.ended(report), markdown(report), arguments.out, "speed")
        print(f"{part} is measured", file=sys.stderr, flush=True)


def distances(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The Fréchet distance in the zoo's way and in SciPy's."""
    return [run_worker("frechet", count=count, width=width, rounds=arguments.rounds) for count, width in CASES]


def extractions(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Images/s of extractors, in rounds of fresh processes."""
    rounds = [
        [run_worker("images", name=name, count=count, shape=list(shape)) for name, count, shape in EXTRACTIONS]
        for _ in range(arguments.rounds)
    ]
    shapes = [{"name": name, "shape": list(shape)} for name, _, shape in EXTRACTIONS]
    return [which | {"rounds": list(each)} for which, each in zip(shapes, zip(*rounds, strict=True), strict=True)]


def memory(_arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Peaks of evaluations of few images and of many."""
    return [
        {"count": count} | run_worker("memory", extractor=READER, count=count, shape=list(SHAPE)) for count in COUNTS
    ]


def run_worker(measurement: str, **given: Any) -> dict[str, Any]:
    """The result of a measurement in a new process."""
    return fresh_answer("benchmarks.evaluation.worker", measurement, given)


def parsed() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=reports.RESULTS, help="the folder for the results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
