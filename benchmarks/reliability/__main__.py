"""Tries what runs and files suffer, part by part, and writes what was lost; README.md in this folder says how.

python -m benchmarks.reliability [--parts kills signals ...] [--kills N] [--fuzz N] [--seconds N]
"""

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT

from . import fuzzing, trials
from .ledger import Ledger
from .runs import BACKENDS, VARIANTS, Bench

PARTS = {**dict.fromkeys(trials.PARTS, trials.trial), "fuzz": fuzzing.trial}
COUNTS = {"kills": 300, "signals": 96, "disks": 50, "folders": 32, "pairs": 16, "clocks": 16, "fuzz": 2000}
RESULTS = ROOT / "benchmarks" / "results" / "reliability"


def main() -> None:
    """Runs the trials that have no result yet, until all have one or the time is up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    for name, count in COUNTS.items():
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help=f"[{count}]")
    parser.add_argument("--seconds", type=float, help="Stop after so long; the same command goes on.")
    parser.add_argument("--steps", type=int, default=400, help="Of each run [400].")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help="[benchmarks/results/reliability]")
    parser.add_argument("--work", type=Path, default=Path("/tmp/zoo-reliability"), help="[/tmp/zoo-reliability]")
    options = parser.parse_args()
    command = shlex.join(["python", "-m", "benchmarks.reliability", *sys.argv[1:]]).replace(str(options.work), "WORK")
    bench = Bench(options.work, options.steps, options.seed, options.backends, options.variants)
    facts = {"command": command, "commit": commit(), "machine": machine(1), "steps": options.steps}
    ledger = Ledger(options.out, facts, options.work)
    ended = time.monotonic() + (float("inf") if options.seconds is None else options.seconds)
    for part, number in wanted(options):
        if time.monotonic() >= ended:
            print("Time is up; the same command goes on.")
            break
        if not ledger.holds(part, number):
            ledger.add(part, number, PARTS[part](bench, part, number))
    ledger.write_table()


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Every trial, the parts in turn so that a campaign that is stopped has some of each."""
    counts = {part: getattr(options, part) for part in options.parts}
    steps = 40  # so many turns
    for turn in range(steps):
        for part, count in counts.items():
            yield from ((part, number) for number in range(count * turn // steps, count * (turn + 1) // steps))


if __name__ == "__main__":
    main()
