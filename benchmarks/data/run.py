"""Measure how fast the zoo prepares data and makes batches, and in how much memory; README.md in this folder says how.

python -m benchmarks.data.run
"""

import argparse
import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT, fresh_answer

from .report import QUIET, markdown

Report = dict[str, Any]

PREPARING = ("zoo", "tfds_decode", "tfds_resize", "zoo_folder", "zoo_zip")
BATCHES = ("zoo_batches", "tf_records", "tf_array")
LARGE = 60_000  # images with --large
IMAGE_BYTES = 64 * 64 * 3


@dataclass(frozen=True)
class Amounts:
    """The sizes of the measurements."""

    images: int
    fewer: int  # images of the smaller of two memory measurements
    array_bytes: int  # uncompressed bytes of an .npz
    steps: int  # training steps of each round
    width: int  # the DCGAN's width


FULL = Amounts(images=20_000, fewer=5_000, array_bytes=2**30, steps=5, width=64)
TINY = Amounts(images=1_200, fewer=300, array_bytes=2**26, steps=2, width=4)


class Bench:
    """Runs the measurements one after the other, in a folder of their own."""

    def __init__(self, arguments: argparse.Namespace, report: Report, folder: Path) -> None:
        self.arguments, self.report, self.folder = arguments, report, folder
        self.amounts = TINY if arguments.tiny else FULL
        self.data, self.other = folder / "data", folder / "other"
        self.name = f"faces/{self.amounts.images}"

    def all(self) -> None:
        """Measures everything; the report is written after each part."""
        for part in (self.given, self.preparing, self.batches, self.training, self.memory, self.arrays):
            began = time.monotonic()
            part()
            self.save()
            print(f"{part.__name__} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    def given(self) -> None:
        """Makes pictures and TFDS' records of them, which is not timed."""
        counts = {self.amounts.fewer, self.amounts.images} | ({LARGE} if self.arguments.large else set())
        self.report["versions"] = self.run_worker("versions")
        self.report["given"] = self.run_worker("files", folder=str(self.folder), count=self.amounts.images)
        self.report["given"]["images"] = self.amounts.images
        for count in sorted(counts):
            self.run_worker("records", data=str(self.data), pictures=str(self.folder / "pictures"), count=count)
        self.counts = sorted(counts)

    def preparing(self) -> None:
        """Measures the images/s of preparation."""
        folder, other = str(self.folder / "pictures"), str(self.other)
        by_files = {"zoo_folder": folder, "zoo_zip": f"{folder}.zip"}

        def measure(way: str) -> dict[str, float]:
            if way in by_files:
                return self.run_worker("zoo", name=by_files[way], data=other)
            return self.run_worker(way, name=self.name, data=str(self.data))

        self.report["preparing"] = self.interleaved(PREPARING, measure)

    def batches(self) -> None:
        """Measures the images/s of shuffled batches of the array that the last preparation left."""
        self.report["batches"] = self.interleaved(BATCHES, lambda way: self.run_worker(way, **self.prepared))

    def training(self) -> None:
        """Measures the share of a training step that batches take."""
        amounts = self.amounts
        self.report["training"] = self.run_worker("training", steps=amounts.steps, width=amounts.width, **self.prepared)
        self.report["training"]["width"] = amounts.width

    def memory(self) -> None:
        """Measures the peak memory of preparing few images and many."""
        self.report["memory"] = {"imports alone": self.peaks(self.name, True, prepared=False)}
        for count in self.counts:
            self.report["memory"][f"{count:,} images of TFDS"] = self.peaks(f"faces/{count}", True)
        pictures = str(self.folder / "pictures")
        self.report["memory"][f"{self.amounts.images:,} files in a zip"] = self.peaks(f"{pictures}.zip", True)

    def arrays(self) -> None:
        """Measures the peak memory of preparing large array files."""
        count = self.amounts.array_bytes // IMAGE_BYTES
        found = self.report["arrays"] = {"imports alone": self.peaks(self.name, False, prepared=False)}
        for packed in (False, True):
            path = self.folder / "large.npz"
            pictures = str(self.folder / "pictures")
            size = self.run_worker("arrays", path=str(path), pictures=pictures, count=count, packed=packed)
            kind = ".npz, packed" if packed else ".npz, stored"
            found[kind] = self.peaks(str(path), False) | size
            path.unlink()

    @property
    def prepared(self) -> dict[str, Any]:
        return {"name": self.name, "data": str(self.data)}

    def peaks(self, name: str, with_tensorflow: bool, prepared: bool = True) -> dict[str, float]:
        """Peaks of a process that prepares a dataset, or only imports for it."""
        data = self.data if name.startswith("faces/") else self.other
        shutil.rmtree(data / "zoo", ignore_errors=True)
        return self.run_worker("memory", name=name, data=str(data), with_tensorflow=with_tensorflow, prepared=prepared)

    def interleaved(self, ways: tuple[str, ...], measure: Any) -> dict[str, list[dict[str, float]]]:
        """The results of interleaved rounds of all ways, each round beginning with another way."""
        found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for number in range(self.arguments.rounds):
            first = number % len(ways)
            for way in (*ways[first:], *ways[:first]):
                found[way].append(measure(way))
        return found

    def run_worker(self, measurement: str, **given: Any) -> dict[str, Any]:
        """The result of a measurement in a new process."""
        return fresh_answer("benchmarks.data.worker", measurement, given)

    def save(self) -> None:
        """Writes both files atomically."""
        out = self.arguments.out
        out.mkdir(parents=True, exist_ok=True)
        (out / "data.json").write_text(json.dumps(self.report, indent=1) + "\n")
        (out / "data.md").write_text(markdown(self.report))


def main() -> None:
    """Measures part by part."""
    arguments = parse()
    busy = os.getloadavg()[0]  # the load average of the last minute
    if busy > QUIET:
        print(f"This machine is busy (load {busy:.1f}): its numbers will mean little.", file=sys.stderr)
    report: Report = {
        "command": shlex.join(["python", "-m", "benchmarks.data.run", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": machine(len(os.sched_getaffinity(0))),
        "load": {"before": busy},
    }
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        bench = Bench(arguments, report, Path(folder))
        bench.all()
    report["load"]["after"] = os.getloadavg()[0]
    bench.save()
    print(markdown(report))


def parse() -> argparse.Namespace:
    """The command's options: how much to measure, and where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/data", help="the folder for the results")
    parser.add_argument("--rounds", type=int, default=3, help="of each way to prepare or to make batches")
    parser.add_argument("--large", action="store_true", help=f"also the memory of {LARGE:,} images")
    parser.add_argument("--scratch", type=Path, help="a folder for some gigabytes of pictures; the system's own if not")
    parser.add_argument("--tiny", action="store_true", help="few images: does everything run?")
    return parser.parse_args()


if __name__ == "__main__":
    main()
