"""The race to quality with peers beside the zoo's entries, seed by seed on the same machine.

    python -m benchmarks.speedrun dcgan 'dcgan,batch_size=32' --seeds 5 --torch-python /where/pytorch/is/bin/python

An entry is a stack with recipe values. Each contender trains until 2,000 of its samples have a KID x 1,000 of 55 or
less against the garments' test images, scored every 5,000 images, or gives up. Time is that of training, its first step
and compilation included. Stopped at any time, the same command goes on with the next race.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT
from benchmarks.common.runs import metrics
from benchmarks.common.tables import table
from benchmarks.speedrun.peers.pausing import GO_ON
from zoo.base.files import write_json
from zoo.comparison.results import curve
from zoo.comparison.speedrun import middle
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile

DATASET, TARGET, SAMPLES = "fashion_mini", 0.055, 2000
PEERS = {"keras.io": "keras_io", "PyTorch examples": "pytorch_examples"}


def main() -> None:
    """Race by race."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", default=["dcgan"], metavar="ENTRY")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=[*PEERS])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--every", type=int, default=5000, help="images between scores")
    parser.add_argument("--most", type=int, default=300_000, help="images after which a contender gives up")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--runs", type=Path, default=Path("runs/speedrun"))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/speedrun")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "race.json"
    report = json.loads(file.read_text()) if file.exists() else {"races": []}
    known = {(race["contender"], race["seed"]) for race in report["races"]}
    contenders = [*given.entries, *given.peers]
    for seed in range(given.seeds):
        for contender in contenders[seed % len(contenders) :] + contenders[: seed % len(contenders)]:
            if (contender, seed) in known:
                continue
            scored = (peer if contender in PEERS else entry)(contender, seed, given)
            report["races"].append({"contender": contender, "seed": seed, "curve": scored})
            report |= {"date": time.strftime("%Y-%m-%d"), "machine": machine(len(os.sched_getaffinity(0)))}
            report |= {"commit": commit(), "target": TARGET, "every": given.every, "most": given.most}
            write_json(file, report)
            (given.out / "race.md").write_text(markdown(report))
            print(f"{contender}, seed {seed}: {reached(scored)}", file=sys.stderr, flush=True)
    print(markdown(report))


def entry(contender: str, seed: int, given: argparse.Namespace) -> list[dict[str, Any]]:
    """The scores of one of the zoo's, by `zoo.run`."""
    import zoo

    stack, *settings = contender.split(",")
    run = zoo.run(
        stack,
        dataset=DATASET,
        seed=seed,
        settings=settings,
        budget=zoo.Budget(images=given.most),
        monitoring=zoo.Monitoring(
            evaluations=given.most // given.every, evaluation=scoring(), until=TARGET, health_every=0
        ),
        out=given.runs / contender / str(seed),
        progress=False,
    )
    found = curve(EvaluationFile(run.path / EVALUATION).read(), metrics(run.path))
    return [
        {"images": each["images"], "seconds": each["seconds"], "kid": next(iter(each["scores"].values()))}
        for each in found
    ]


def scoring() -> Any:
    """How every contender is scored."""
    import zoo

    return zoo.EvaluationOptions(("kid",), SAMPLES, extractor="efficientnet-lite0")


def peer(contender: str, seed: int, given: argparse.Namespace) -> list[dict[str, Any]]:
    """The scores of a peer, which waits in its process while its samples are scored."""
    import zoo
    from zoo.catalogue import read_catalogue
    from zoo.data import open_dataset

    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        np.save(images, open_dataset(DATASET, read_catalogue([])).samples[..., 0])
        asked = {
            "images": str(images), "seed": seed, "every": given.every, "most": given.most, "samples": SAMPLES,
            "folder": folder,
        }  # fmt: skip
        module = PEERS[contender]
        python = given.torch_python if module == "pytorch_examples" else sys.executable
        process = subprocess.Popen(
            [python, "-m", f"benchmarks.speedrun.peers.{module}", json.dumps(asked)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        scored = []
        answers, lines = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        with process:
            for line in lines:
                told = json.loads(line)
                [evaluation] = zoo.evaluate(told["file"], dataset=DATASET, options=scoring(), progress=False)
                kid = evaluation["scores"][0]["value"]
                scored.append({"images": told["images"], "seconds": told["seconds"], "kid": kid})
                print("stop" if reached(scored) else GO_ON, file=answers, flush=True)  # after stop it ends
        if process.returncode:
            raise SystemExit(f"{contender} ended with {process.returncode}")
    return scored


def reached(scored: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first score that is good enough."""
    return next((each for each in scored if each["kid"] <= TARGET), None)


def markdown(report: dict[str, Any]) -> str:
    """The table of the race."""
    races: dict[str, list[dict[str, Any] | None]] = {}
    for race in report["races"]:
        races.setdefault(race["contender"], []).append(reached(race["curve"]))
    rows = []
    for contender, found in races.items():
        seconds = [each["seconds"] if each else None for each in found]
        images = [each["images"] if each else None for each in found]
        median, worst = middle(seconds), None if None in seconds else max(each for each in seconds if each is not None)
        told = [text(median), text(worst), ", ".join(map(text, seconds)), text(middle(images))]
        rows.append([contender, str(len(found)), *told])
    rows.sort(key=lambda row: float("inf") if row[2] == "never" else float(row[2].replace(",", "")))
    header = ["contender", "seeds", "median, s", "worst, s", "each, s", "images, median"]
    where = f"{report['machine']['processor']}, {report['machine']['threads']} threads"
    return (
        f"# Seconds of training until KID x 1,000 is {1000 * TARGET:.0f}\n\n{report['date']}, commit "
        f"{report['commit']}, {where}. Scored every {report['every']:,} images, given up after {report['most']:,}.\n\n"
        f"{table(header, rows)}\n"
    )


def text(value: float | None) -> str:
    """A number of a cell."""
    return "never" if value is None else f"{value:,.0f}"


if __name__ == "__main__":
    main()
