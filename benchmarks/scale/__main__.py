"""Times commands over growing inputs, and says how time and memory grow; README.md in this folder says what and how.

python -m benchmarks.scale [--series report folder ...] [--work FOLDER] [--tiny]
"""

import argparse
import math
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT
from benchmarks.common.tables import table
from zoo.base.files import read_json, write_json

from .commands import Cost, timed
from .series import SERIES, Series

RESULTS = ROOT / "benchmarks" / "results" / "scale"


def main() -> None:
    """Every series in turn; what was measured is kept after each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--series", nargs="+", choices=list(SERIES), default=list(SERIES))
    parser.add_argument("--work", type=Path, default=Path("/tmp/zoo-scale"), help="a folder for inputs: some GB")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--tiny", action="store_true", help="a hundredth of each size: does everything run?")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = read_json(given.out / "scale.json") or {"series": {}}
    for name in given.series:
        series = SERIES[name]
        sizes = [max(1, size // 100) for size in series.sizes] if given.tiny else series.sizes
        report["series"][name] = {
            "what": series.what,
            "unit": series.unit,
            "rows": measured(series, sizes, given.work / name),
            "command": shlex.join(["zoo", *series.words("INPUT", "OUT")]),
            "date": time.strftime("%Y-%m-%d"),
            "commit": commit(),
            "machine": machine(0),
        }
        write_json(given.out / "scale.json", report)
        (given.out / "scale.md").write_text(markdown(report))
    print(markdown(report))


def measured(series: Series, sizes: Sequence[int], work: Path) -> list[dict[str, float]]:
    """Seconds, processor's seconds and the peak of the memory of the command for every size, inputs made before."""
    rows = []
    for size in sizes:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        given = series.make(size, work)
        cost: Cost = timed(series.words(str(given), str(work / "out")), work)
        rows.append({"size": size, **cost.row()})
        print(f"{series.what}, {size:,} {series.unit}: {cost}", file=sys.stderr, flush=True)
    shutil.rmtree(work, ignore_errors=True)
    return rows


def growth(rows: Sequence[Mapping[str, float]], name: str) -> float:
    """The exponent by which a cost grows from the smallest size to the largest: 1 is in proportion, 0 not at all."""
    one, other = rows[0], rows[-1]
    if one["size"] == other["size"] or not min(one[name], other[name]) > 0:
        return math.nan
    return math.log(other[name] / one[name]) / math.log(other["size"] / one["size"])


def markdown(report: Mapping[str, Any]) -> str:
    """The report as a page."""
    lines = ["# Scale", "", "*growth* is the exponent from the smallest size to the largest: 1 is in proportion."]
    for name, each in report["series"].items():
        rows = [
            [f"{row['size']:,}", f"{row['seconds']:.1f}", f"{row['cpu_seconds']:.1f}", f"{row['memory'] / 2**20:,.0f}"]
            for row in each["rows"]
        ]
        exponents = [f"{growth(each['rows'], key):.2f}" for key in ("seconds", "cpu_seconds", "memory")]
        lines += ["", f"## {name}: {each['what']}", "", f"    {each['command']}", ""]
        lines += [table([each["unit"], "s", "CPU s", "MiB at most"], [*rows, ["growth", *exponents]])]
        facts = each["machine"]
        lines += ["", f"{each['date']}, commit {each['commit']}, {facts['processor']}, {facts['cores']} cores."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
