"""What a GPU does with the zoo, in the order of its worth, within 13 minutes: benchmarks/gpu/README.md.

Each piece is a process of its own with a time limit. After each, OUT/day.json and OUT/day.md hold everything so far;
what fails or runs out of time is written down as that, and the next piece begins.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.common.kept import keep
from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT
from benchmarks.common.runs import metrics, scores, speeds
from benchmarks.common.tables import table
from zoo.base.files import write_json
from zoo.catalogue import read_catalogue

SPEED_CASES = ("wgan-gp-32-b64", "dcgan-64-b64", "sn-hinge-32-b64")
# Without torch.compile, which takes a minute or more for each case, and autocast, which was slower than tuned float32
# on an H200: benchmarks/speed/gpu.sh measures them.
SPEED_CONTENDERS = ("ours-jax", "ours-jax-bf16", "torch-eager", "torch-tuned")
TARGET = 55.0  # KID x 1,000 of the race to quality
Report = dict[str, Any]


def main() -> None:
    """Measures piece by piece."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/gpu", help="the folder for results")
    parser.add_argument(
        "--dataset", default="fashion_mini", help="that the long run trains on, such as cifar10_jpeg.npz"
    )
    parser.add_argument("--stack", default="sngan", help="the long run's")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="of the long run's recipe")
    parser.add_argument("--minutes", type=float, default=4.0, help="that the long run trains")
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=[*DEFAULT])
    parser.add_argument("--benchmark", default="losses", help="of the comparison")
    parser.add_argument("--seeds", type=int, help="of the comparison, at most [the benchmark's]")
    parser.add_argument("--jobs", type=int, default=4, help="of the comparison, which share the GPU")
    parser.add_argument("--seconds", type=float, default=600.0, help="of the comparison")
    parser.add_argument("--tiny", action="store_true", help="the rehearsal: does everything run, here too?")
    given = parser.parse_args()
    given.out = given.out.absolute()
    given.out.mkdir(parents=True, exist_ok=True)
    report: Report = {
        "command": shlex.join(["benchmarks/gpu/day.sh", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": machine(len(os.sched_getaffinity(0))),
        "pieces": {},
    }
    for name in given.pieces:
        began = time.monotonic()
        try:
            found = PIECES[name](given)
        except (Failed, OSError, KeyError, IndexError, ValueError) as error:
            found = {"error": f"{type(error).__name__}: {error}"[-2000:]}
        report["pieces"][name] = {**found, "seconds": round(time.monotonic() - began, 1)}
        write_json(given.out / "day.json", report)
        (given.out / "day.md").write_text(markdown(report))
        print(f"{name}: {report['pieces'][name]['seconds']:.0f} s", file=sys.stderr, flush=True)
    print((given.out / "day.md").read_text())


class Failed(Exception):
    """A piece's command ended badly, or not in time."""


def called(words: Sequence[str], seconds: float) -> str:
    """What a command prints; raises Failed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{shlex.join(words)} was not done after {seconds:.0f} s") from error
    if done.returncode:
        raise Failed(f"{shlex.join(words)} ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    return done.stdout


def zoo(*words: str, seconds: float) -> str:
    """The zoo's command."""
    return called(["zoo", *words], seconds)


def as_far_as(words: Sequence[str], seconds: float) -> Report:
    """Calls a command that writes what it measures as it goes: {} at its end, else why it is `unfinished`."""
    try:
        called(words, seconds)
    except Failed as error:
        return {"unfinished": str(error)}
    return {}


def speed(given: argparse.Namespace) -> Report:
    """Images a second beside PyTorch, eager and tuned, and the share of the fastest matrix product."""
    options = ["--tiny"] if given.tiny else ["--rounds", "2"]
    device = "cpu" if given.tiny else "gpu"
    words = ["benchmarks.speed.run", "--name", "gpu", "--device", device, "--out", str(given.out), "--sections"]
    words += ["peaks", "cases", "--cases", *SPEED_CASES, "--contenders", *SPEED_CONTENDERS, *options]
    unfinished = as_far_as(words, 900 if given.tiny else 240)
    measured = json.loads((given.out / "gpu.json").read_text())
    best = {
        case: {name: result.get("images_per_second", result.get("error")) for name, result in each["results"].items()}
        for case, each in measured.get("cases", {}).items()
    }
    return {"peaks": measured.get("peaks"), "images_per_second": best, **unfinished}


def quality(given: argparse.Namespace) -> Report:
    """The best stack for the data, minutes in bfloat16, its horizon as long, scored four times; samples and weights."""
    trial, run = given.out / "trial", given.out / "quality"
    common = [given.stack, "--dataset", given.dataset, "--precision", "bfloat16", "--health", "0"]
    common += [word for value in given.set for word in ("--set", value)]
    common += ["--set", "batch_size=8", "--set", "width=4"] if given.tiny else []
    first_steps, minutes = (4, 0.1) if given.tiny else (400, given.minutes)
    zoo("run", *common, "--out", str(trial), "--steps", str(first_steps), seconds=90)
    rows = metrics(trial)
    first, last = rows[0] if len(rows) > 1 else dict.fromkeys(rows[0], 0), rows[-1]
    steps, images = (
        round(60 * minutes * (last[unit] - first[unit]) / (last["seconds"] - first["seconds"]))
        for unit in ("step", "images")
    )
    samples = "100" if given.tiny else "2000"
    long = [*common, "--out", str(run), "--set", f"horizon={images}", "--minutes", str(minutes)]
    long += ["--evaluate-every", str(max(1, steps // 4)), "--evaluate-samples", samples]
    long += ["--metrics", "fd,kid", "--extractor", "efficientnet-lite0"]
    unfinished = as_far_as(["zoo", "run", *long], 60 * minutes + 120)
    zoo("sample", str(run), "--grid", "8x8", "--out", str(given.out / "samples.png"), seconds=60)
    zoo("pack", str(run), "--as", "packed", "--into", str(given.out), "--no-discriminator", seconds=60)
    lines = metrics(run)
    found = {"command": shlex.join(["zoo", "run", *long]), "scores": scores(run), "trained": lines[-1]}
    if len(lines) > 1:
        needed = json.loads(called(["benchmarks.gpu.operations", str(run)], 60))
        found |= {"operations": needed, "TFLOP/s from the first line to the last": rate(lines, needed) / 1e12}
    return {**found, **unfinished}


def rate(lines: Sequence[Mapping[str, Any]], needed: Mapping[str, float]) -> float:
    """The needed operations a second between the first and the last line of a run's metrics."""
    return needed["step"] * (lines[-1]["step"] - lines[0]["step"]) / (lines[-1]["seconds"] - lines[0]["seconds"])


def race(given: argparse.Namespace) -> Report:
    """The time until `dcgan` has a KID x 1,000 of 55 on the embedded garments: training alone counts."""
    run = given.out / "race"
    every, images, samples = (8, 2048, "100") if given.tiny else (200, 200_000, "2000")
    words = ["zoo", "run", "dcgan", "--dataset", "fashion_mini", "--out", str(run), "--images", str(images)]
    words += ["--evaluate-every", str(every), "--evaluate-samples", samples, "--metrics", "kid"]
    words += ["--extractor", "efficientnet-lite0", "--health", "0"]
    unfinished = as_far_as(words, 120)
    found = scores(run)
    reached = [row["seconds"] for row in found if 1000 * row["kid_efficientnet-lite0"] <= TARGET]
    won = {f"seconds to KID x 1,000 of {TARGET:.0f}": reached[0] if reached else None}
    return {"scores": found, **won, "seconds of the first 50 steps": metrics(run)[0]["seconds"], **unfinished}


def prices(given: argparse.Namespace) -> Report:
    """What exactness costs: 50,000 samples scored, --deterministic, and a run in two sittings."""
    images = 640 if given.tiny else 100_000
    plain, exact, halves = (given.out / name for name in ("price", "price-deterministic", "price-halves"))
    common = ["zoo", "run", "dcgan", "--dataset", "fashion_mini", "--images"]
    found: Report = {}

    def priced(name: str, run: Path, words: Sequence[str]) -> None:
        """A run's speeds, of as much as it did within its time."""
        began = time.monotonic()
        unfinished = as_far_as([*common, *words, "--out", str(run)], 100)
        elapsed = time.monotonic() - began
        found[name] = {**(speeds(run, elapsed) if (run / "metrics.jsonl").is_file() else {}), **unfinished}

    priced("zoo run dcgan", plain, [str(images)])
    began = time.monotonic()
    samples = "100" if given.tiny else "50000"
    words = ["zoo", "evaluate", str(plain), "--samples", samples, "--metrics", "fd", "--extractor"]
    unfinished = as_far_as([*words, "efficientnet-lite0"], 120)
    found[f"zoo evaluate --samples {samples}, seconds"] = unfinished or time.monotonic() - began
    priced("zoo run dcgan --deterministic", exact, [str(images), "--deterministic"])
    for part in (images // 2, images):
        priced(f"the same in two sittings, {part:,} images", halves, [str(part), "--deterministic"])
    if not any("unfinished" in each for each in found.values() if isinstance(each, dict)):
        whole, parts = metrics(exact)[-1], metrics(halves)[-1]
        losses = [name for name in whole if name.endswith("_loss")]
        found["the losses of two sittings are those of one"] = all(whole[name] == parts[name] for name in losses)
    return found


def comparison(given: argparse.Namespace) -> Report:
    """A benchmark of `zoo compare`, every seed that was done in the time: its report, numbers and samples."""
    folder, began = given.out / "compared", time.monotonic()
    variants = ("dcgan", "hinge") if given.tiny else tuple(read_catalogue([]).benchmarks[given.benchmark].variants)
    options = ["--benchmark", given.benchmark, "--jobs", str(given.jobs), "--out", str(folder)]
    options += ["--images", "640", "--evaluations", "1", "--samples", "64"] if given.tiny else []
    # One run alone, so that what all need is compiled and the real samples' features are there: fifteen runs that began
    # at once without took 100 s longer.
    as_far_as(["zoo", "compare", variants[0], *options, "--seeds", "1"], given.seconds)
    words = ["zoo", "compare", *variants, *options]
    asked = ["--seeds", str(given.seeds)] if given.seeds else []
    found = as_far_as([*words, *asked], max(1.0, given.seconds - (time.monotonic() - began)))
    if found:  # what is not done is not missing from a comparison of fewer seeds
        seeds = seeds_done(folder)
        if not seeds:
            return {**found, "seeds": 0}
        called([*words, "--seeds", str(seeds)], 120)
    keep(folder, given.out / given.benchmark)
    shutil.make_archive(str(given.out / given.benchmark), "gztar", given.out, given.benchmark)
    kept = json.loads((folder / "comparison.json").read_text())["benchmark"]["seeds"]
    return {**found, "seeds": len(kept), "seconds of these": round(time.monotonic() - began, 1)}


def seeds_done(folder: Path) -> int:
    """How many seeds, from 0 on, each variant's runs have come to their end for."""
    ended = [{int(path.parent.name) for path in each.glob("*/outcome.json")} for each in folder.glob("runs/*/*")]
    return next(seed for seed in count() if not all(seed in each for each in ended)) if ended else 0


PIECES: Mapping[str, Callable[[argparse.Namespace], Report]] = {
    "speed": speed, "quality": quality, "race": race, "prices": prices, "comparison": comparison,
}  # fmt: skip
DEFAULT = ("speed", "quality", "race", "prices")


def markdown(report: Report) -> str:
    """The report as a page."""
    device = report["machine"]["gpu"] or report["machine"]["processor"]
    lines = [f"# {device}", "", f"`{report['command']}`, {report['date']}, commit {report['commit']}."]
    for name, piece in report["pieces"].items():
        lines += ["", f"## {name}", "", str(PIECES[name].__doc__), "", f"{piece['seconds']} s in all."]
        if "error" in piece:
            lines += ["", f"Failed: {piece['error']}"]
        for title, rows in tables_of(name, piece).items():
            lines += ["", title, "", rows]
    return "\n".join([*lines, ""])


def tables_of(name: str, piece: Report) -> dict[str, str]:
    """A piece's numbers as tables."""
    if "error" in piece:
        return {}
    if name == "speed":
        rows = [
            [case, contender, f"{value:,.0f}" if isinstance(value, float) else str(value)]
            for case, each in piece["images_per_second"].items()
            for contender, value in each.items()
        ]
        return {f"More in gpu.md. {piece.get('unfinished', '')}": table(["case", "contender", "images/s"], rows)}
    found = {}
    if piece.get("scores"):
        keys = list(dict.fromkeys(key for row in piece["scores"] for key in row))
        found["Scores"] = table(keys, [[str(row.get(key, "")) for key in keys] for row in piece["scores"]])
    rest = [[what, str(value)] for what, value in piece.items() if what not in ("seconds", "scores")]
    return {**found, "Measured": table(["what", "value"], rest)}


if __name__ == "__main__":
    main()
