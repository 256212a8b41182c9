"""Measure what zoo/backend/policy.py chooses from: ways to compile a step on a CPU, for dense nets and convolutions.

python -m benchmarks.speed.policies

Each way trains in turn in one process for each backend, round by round; images/s are medians. A convolution in an XLA
loop is so slow that it gets one round of two steps.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common.machine import commit, machine

from .cases import CASES

ROUNDS, SECONDS = 5, 1.5
LOOP = 16
WAYS = {  # xla, steps per call
    "tensorflow": {
        "graph, one call an update": (False, 1),
        f"graph, {LOOP} steps a call": (False, LOOP),
        "XLA, one call an update": (True, 1),
        f"XLA, {LOOP} steps a call": (True, LOOP),
    },
    "jax": {"XLA, one call an update": (True, 1), f"XLA, {LOOP} steps a call": (True, LOOP)},
}
NETWORKS = {"dense": "vanilla-28-b128", "convolutional": "dcgan-32-b64"}
RESULTS = Path(__file__).parents[1] / "results/speed"


def measured(backend: str) -> list[dict[str, Any]]:
    """Every way of this process' backend on both kinds of networks."""
    from zoo.backend import prepare

    prepare()
    from zoo.backend.policy import Policy

    from .contenders import Options, Spec
    from .workers.ours import Zoo

    options = Options(Spec("policies", "zoo", "ours", backend), threads=os.cpu_count() or 1)
    rows = []
    for networks, case in NETWORKS.items():
        trainers, starts = {}, {}
        for way, (xla, steps) in WAYS[backend].items():
            zoo = Zoo(CASES[case], options).trainer
            zoo.policy = Policy(xla, steps, steps > 1, way)
            zoo.calls = {player: zoo.compiled_update(player) for player in zoo.calls}
            began = time.perf_counter()
            zoo.train(1)
            starts[way] = time.perf_counter() - began
            trainers[way] = zoo
        naive = [way for way, (xla, steps) in WAYS[backend].items() if xla and steps > 1 and networks != "dense"]
        rows += raced(trainers, starts, naive, {"backend": backend, "networks": networks, "case": case})
    return rows


def raced(trainers: dict[str, Any], starts: dict[str, float], naive: list[str], row: dict[str, str]) -> list[Any]:
    """Images/s of each trainer, in interleaved rounds."""
    first = next(iter(trainers.values()))
    began = time.perf_counter()
    first.train(LOOP)
    steps = max(1, round(SECONDS * LOOP / (time.perf_counter() - began) / LOOP)) * LOOP
    speeds: dict[str, list[float]] = {way: [] for way in trainers}
    for number in range(ROUNDS + 1):
        for way, trainer in trainers.items():
            if way in naive and number != 1:
                continue
            count = 2 if way in naive else steps
            began = time.perf_counter()
            trainer.train(count)
            speeds[way].append(count * trainer.images_per_step / (time.perf_counter() - began))
    return [
        {**row, "way": way, "images_per_second": median(each[-ROUNDS:]), "first_step_seconds": starts[way]}
        for way, each in speeds.items()
    ]


def main() -> None:
    """Run a process for each backend and write both tables."""
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1])))
        return
    rows = []
    for backend in WAYS:
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_ENABLE_COMPILATION_CACHE": "false"}
        command = [sys.executable, "-m", "benchmarks.speed.policies", backend]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        rows += json.loads(done.stdout.splitlines()[-1])
    lines = ["| backend | networks | way | images/s | first step |", "|---|---|---|---|---|"]
    for row in rows:
        cells = (row["backend"], f"{row['networks']} ({row['case']})", row["way"])
        lines.append(f"| {' | '.join(cells)} | {row['images_per_second']:,.0f} | {row['first_step_seconds']:.1f} s |")
    about = {"command": "python -m benchmarks.speed.policies", "date": time.strftime("%Y-%m-%d"), "commit": commit()}
    report = {**about, "machine": machine(os.cpu_count() or 1), "rows": rows}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "policies.json").write_text(json.dumps(report, indent=2) + "\n")
    (RESULTS / "policies.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
