"""What health costs: the time of one measurement beside that of the 500 steps for which it stands.

    python -m benchmarks.health.overhead [--rounds N] [--out FOLDER]

Each stack and backend has a process of its own, in which rounds of steps and measurements take turns; a share is that
of the medians. The first measurement is apart: it compiles. Writes `overhead.md` and `overhead.json`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT
from benchmarks.common.tables import table
from zoo.base.files import write_json

STACKS = ("vanilla", "dcgan", "wgan-gp", "hinge", "r3gan")
BACKENDS = ("tensorflow", "jax")
DATASET = "fashion_mini"
EVERY = 500  # steps between two measurements, as in zoo run
STEPS = 40  # of a round


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/health")
    parser.add_argument("--stack", choices=STACKS, help="measure this one in this process, and print JSON")
    given = parser.parse_args()
    if given.stack:
        print(json.dumps(measured(given.stack, given.rounds)))
        return
    rows = [row(stack, backend, given.rounds) for stack in STACKS for backend in BACKENDS]
    command = " ".join(["python -m benchmarks.health.overhead", *sys.argv[1:]])
    made = f"`{command}`, {time.strftime('%Y-%m-%d')}, {machine(1)['processor']}, commit {commit()}, {DATASET}."
    head = ["stack", "backend", "a step, ms", "a measurement, ms", f"share of {EVERY} steps", "the first one, s"]
    text = f"# What health costs\n\n{made}\n\n{table(head, [shown(each) for each in rows])}\n"
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "overhead.md").write_text(text)
    write_json(given.out / "overhead.json", {"command": command, "machine": machine(1), "rows": rows})
    print(text)


def row(stack: str, backend: str, rounds: int) -> dict[str, Any]:
    """What a stack's own process measured."""
    words = ["-m", "benchmarks.health.overhead", "--stack", stack, "--rounds", str(rounds)]
    quiet = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{stack} on {backend} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"stack": stack, "backend": backend, **found}


def measured(stack: str, rounds: int) -> dict[str, Any]:
    """Seconds of steps and of measurements, by turns."""
    from zoo.backend import prepare

    prepare()
    from zoo.catalogue import read_catalogue
    from zoo.data import open_dataset
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.health import HealthMeter
    from zoo.training.trainer import Trainer

    catalogue = read_catalogue()
    trainer = Trainer(resolve_stack(stack, catalogue, DATASET), open_dataset(DATASET, catalogue))
    meter = HealthMeter(trainer)
    steps: list[float] = []
    measurements: list[float] = []
    trainer.train(STEPS)  # compiles
    for _ in range(rounds + 1):
        began = time.perf_counter()
        trainer.train(STEPS)
        steps.append((time.perf_counter() - began) / STEPS)
        began = time.perf_counter()
        meter.begin()
        meter.end()
        measurements.append(time.perf_counter() - began)
    first, *later = measurements
    return {
        "step_seconds": statistics.median(steps[1:]),
        "measurement_seconds": statistics.median(later),
        "share": statistics.median(later) / (EVERY * statistics.median(steps[1:])),
        "first_seconds": first,
        "rounds": {"steps": steps, "measurements": measurements},
    }


def shown(found: dict[str, Any]) -> list[str]:
    """A row of the table."""
    return [
        f"`{found['stack']}`",
        found["backend"],
        f"{1000 * found['step_seconds']:.1f}",
        f"{1000 * found['measurement_seconds']:.0f}",
        f"{100 * found['share']:.2f}%",
        f"{found['first_seconds']:.1f}",
    ]


if __name__ == "__main__":
    main()
