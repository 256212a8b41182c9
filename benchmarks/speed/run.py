"""Measure how fast the zoo trains, beside its peers; README.md in this folder says what and how.

python -m benchmarks.speed.run --name cpu
"""

import argparse
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT

from .cases import BATCHES, CASES
from .contenders import CONTENDERS, ON_CPU, ON_GPU
from .report import markdown
from .sections import MATRICES, SECTIONS

TINY = {"rounds": 2, "seconds": 0.05, "run_images": 400, "batch_sizes": (8, 16)}
MODULE = "benchmarks.speed.run"
QUIET = 0.5  # load average up to which a machine counts as idle
WIDE = "w128"  # part of the names of cases that are for GPUs alone


def main() -> None:
    """Measures section by section."""
    arguments = parse()
    busy = os.getloadavg()[0]  # the load average of the last minute
    if busy > QUIET:
        print(f"This machine is busy (load {busy:.1f}): its numbers will mean little.", file=sys.stderr)
    report = {
        "name": arguments.name,
        "command": os.environ.get("SPEED_COMMAND") or shlex.join(["python", "-m", MODULE, *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": machine(arguments.threads),
        "load": busy,
        "versions": {},
    }
    for section in arguments.sections:
        began = time.monotonic()
        SECTIONS[section](report, arguments)
        print(f"{section} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(markdown(report))


def parse() -> argparse.Namespace:
    """The command's options: what to measure, and for how long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of the results, NAME.md and NAME.json")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/speed", help="the folder for them")
    parser.add_argument("--device", choices=MATRICES, default="cpu", help="which cases and contenders there are")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=["peaks", "cases", "batches"])
    parser.add_argument("--cases", nargs="+", choices=CASES)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS)
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--rounds", type=int, default=5, help="timed ones, of each contender in each case")
    parser.add_argument("--seconds", type=float, default=1.0, help="that a round takes the first contender")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="and cores, of each")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--run-images", type=int, default=400_000, help="of each real run")
    parser.add_argument("--run-backend", default="tensorflow", help="of the real runs")
    parser.add_argument("--run-dataset", help="of the real runs; random images unless given")
    parser.add_argument("--data-dir", help="where that dataset lies")
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "speed.log", help="of the workers")
    parser.add_argument("--tiny", action="store_true", help="tiny networks: does everything run?")
    arguments = parser.parse_args()
    arguments.contenders = arguments.contenders or (ON_CPU if arguments.device == "cpu" else ON_GPU)
    arguments.cases = arguments.cases or [name for name in CASES if arguments.device == "gpu" or WIDE not in name]
    if arguments.tiny:
        vars(arguments).update(TINY)
    return arguments


if __name__ == "__main__":
    main()
