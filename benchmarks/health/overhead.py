"""What health costs: the time of one measurement beside that of the 500 steps for which it stands.

    python -m benchmarks.health.overhead [--rounds N] [--out FOLDER]

Each stack and backend has a process of its own, in which rounds of steps and measurements take turns; a share is that
of the medians. The first measurement is apart: it compiles. Writes `overhead.md` and `overhead.json`.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT, fresh_answer
from benchmarks.common.tables import table
from zoo.base.files import write_json

MODULE = "benchmarks.health.overhead"
STACKS = ("vanilla", "dcgan", "wgan-gp", "hinge", "r3gan")
BACKENDS = ("tensorflow", "jax")
DATASET = "fashion_mini"
EVERY = 500  # steps between two measurements, as in zoo run
STEPS = 40  # of a round


def main() -> None:
    """Measures, prints and writes; with the name of a stack and JSON, as in its own process, measures that one."""
    if sys.argv[1:2] and sys.argv[1] in STACKS:
        print(json.dumps(measured(sys.argv[1], **json.loads(sys.argv[2]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/health")
    given = parser.parse_args()
    rows = [
        {"stack": stack, "backend": backend, **fresh_answer(MODULE, stack, {"rounds": given.rounds}, backend)}
        for stack in STACKS
        for backend in BACKENDS
    ]
    command = " ".join([f"python -m {MODULE}", *sys.argv[1:]])
    made = f"`{command}`, {time.strftime('%Y-%m-%d')}, {machine(1)['processor']}, commit {commit()}, {DATASET}."
    head = ["stack", "backend", "a step, ms", "a measurement, ms", f"share of {EVERY} steps", "the first one, s"]
    text = f"# What health costs\n\n{made}\n\n{table(head, [shown(each) for each in rows])}\n"
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "overhead.md").write_text(text)
    write_json(given.out / "overhead.json", {"command": command, "machine": machine(1), "rows": rows})
    print(text)


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
