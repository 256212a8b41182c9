"""What grows: inputs of every size, and the command that is given them."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from .commands import timed

GIB = 2**30
SIDE = 64  # pixels of the large array's images
TINY = ("--set", "generator_units=16", "--set", "discriminator_units=16", "--set", "batch_size=32")


@dataclass(frozen=True)
class Series:
    """A command over growing inputs."""

    what: str
    unit: str
    sizes: Sequence[int]
    make: Callable[[int, Path], Path | int]  # makes the input of a size in a folder; returns what the command is given
    words: Callable[[str, str], list[str]]  # of the command, from what it is given and a place for what it writes


def finished_runs(count: int, folder: Path) -> Path:
    """Run directories of so many seeds, copies of one run with scores and pictures."""
    first = folder / "runs" / "0"
    timed(
        [
            "run",
            "vanilla",
            "--dataset",
            "ring8",
            "--steps",
            "400",
            *TINY,
            "--evaluate-every",
            "100",
            "--out",
            str(first),
        ],
        folder,
    )
    for seed in range(1, count):
        other = folder / "runs" / str(seed)
        shutil.copytree(first, other, ignore=shutil.ignore_patterns("checkpoints", "*.keras"))
        record = yaml.safe_load((first / "run.yaml").read_text())
        (other / "run.yaml").write_text(yaml.safe_dump({**record, "seed": seed}, sort_keys=False))
    return folder / "runs"


def images_of(side: int) -> Callable[[int, Path], Path]:
    """A maker of folders with so many PNG files of noise, in subfolders of 1,000."""

    def make(count: int, folder: Path) -> Path:
        draw = np.random.default_rng(0)
        for number in range(count):
            if not number % 1000:
                place = folder / "images" / f"{number // 1000:05}"
                place.mkdir(parents=True)
            Image.fromarray(draw.integers(0, 256, (side, side), dtype="uint8")).save(place / f"{number:06}.png")
        return folder / "images"

    return make


def large_array(gibibytes: int, folder: Path) -> Path:
    """An array of images of that size, which takes no room on disks that leave out zeros."""
    shape = (gibibytes * GIB // (SIDE * SIDE * 3), SIDE, SIDE, 3)
    array = np.lib.format.open_memmap(folder / "large.npy", mode="w+", dtype="uint8", shape=shape)
    array[:: max(1, len(array) // 100)] = 200  # a picture of each hundredth is not black
    array.flush()
    return folder / "large.npy"


def just_so_many(count: int, folder: Path) -> int:
    """Nothing but the number."""
    return count


def preparing(given: str, out: str) -> list[str]:
    """The command that prepares a folder of images."""
    return ["data", "prepare", given, "--data-dir", out, "--folders", "none"]


SERIES = {
    "report": Series(
        "a report of runs",
        "runs",
        (25, 50, 100, 200),
        finished_runs,
        lambda given, out: ["report", given, "--out", out],
    ),
    "compare": Series(
        "a comparison of runs of 20 steps, two at a time",
        "runs",
        (10, 20, 40),
        just_so_many,
        lambda given, out: [
            *("compare", "vanilla", "--dataset", "ring8", "--seeds", given, "--steps", "20", "--evaluations", "1"),
            *("--samples", "500", "--metrics", "swd", "--jobs", "2", "--out", out),
        ],
    ),
    "evaluate": Series(
        "samples of a generator scored by all that images have",
        "samples",
        (2_500, 5_000, 10_000),
        just_so_many,
        lambda given, out: [
            *("evaluate", "dcgan@fashion_mini", "--samples", given, "--out", f"{out}.json"),
            *("--extractor", "efficientnet-lite0", "--metrics", "fd,kid,precision-recall,density-coverage"),
        ],
    ),
    "sample": Series(
        "samples written as a folder of PNG files",
        "samples",
        (1_000, 10_000, 50_000),
        just_so_many,
        lambda given, out: ["sample", "dcgan@fashion_mini", "--count", given, "--out", out],
    ),
    "prepare": Series(
        "a folder of PNG files of 32 pixels, prepared",
        "images",
        (12_500, 25_000, 50_000),
        images_of(32),
        preparing,
    ),
    "folder": Series(
        "a folder of many small PNG files, prepared",
        "files",
        (50_000, 100_000, 200_000),
        images_of(8),
        preparing,
    ),
    "array": Series(
        "one step on a .npy file of images of 64 pixels",
        "GiB",
        (1, 3, 10),
        large_array,
        lambda given, out: [
            *("run", "dcgan", "--dataset", given, "--data-dir", f"{out}-data", "--out", out, "--steps", "1"),
            *("--set", "width=8", "--set", "batch_size=8", "--health", "0"),
        ],
    ),
}  # fmt: skip
