"""The sections of a report: matrix products, cases, batch sizes, real runs. Each writes the report after every step."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed.processes import Worker, started

from .cases import CASES, Case, batch_cases, tiny
from .contenders import CONTENDERS, KERAS_FIT, OURS_JAX, OURS_TENSORFLOW, TORCH_EAGER, TORCH_TUNED, Spec
from .flops import flops_per_image
from .race import Results, race
from .real_runs import MODES, random_dataset, real_run
from .report import markdown

Report = dict[str, Any]

MATRICES = {"cpu": 2048, "gpu": 8192}  # rows and columns of the square matrices
MATMUL_SECONDS = 1.0  # seconds for each library and precision
MULTIPLIERS = {"TensorFlow": OURS_TENSORFLOW, "JAX": OURS_JAX, "PyTorch": TORCH_TUNED}
BATCH_ROUNDS = 2
SCALING = "dcgan-32-b64"  # the case whose batch size is varied
NOT_SCALED = (KERAS_FIT, TORCH_EAGER)  # prefixes of the contenders whose batch size is not varied
RUNS = ("dcgan-64-b128", "wgan-gp-32-b64")
TINY_SIDE = 128


def peaks(report: Report, arguments: argparse.Namespace) -> None:
    """Rates of matrix products, by library and precision; the highest is the machine's."""
    side = TINY_SIDE if arguments.tiny else MATRICES[arguments.device]
    for library, name in MULTIPLIERS.items():
        if name not in arguments.contenders:
            continue
        (worker,) = loaded([CONTENDERS[name]], report, arguments)
        rates: dict[str, float] = {}
        for dtype in ("float32", "bfloat16"):
            reply = worker.request("matmul", size=side, dtype=dtype, seconds=MATMUL_SECONDS)
            rates |= {dtype: reply["flops"]} if "flops" in reply else {}
        worker.stop()
        report.setdefault("peaks", {})[library] = rates
    save(report, arguments)


def cases(report: Report, arguments: argparse.Namespace) -> None:
    """A race for each case, in fresh processes."""
    for name in arguments.cases:
        case = tiny(CASES[name]) if arguments.tiny else CASES[name]
        specs = [CONTENDERS[each] for each in arguments.contenders]
        specs = [
            spec for spec in specs if case.critic_steps == 1 or not spec.reuse
        ]  # with several critic updates, only the last one's fakes could be reused
        results = raced(case, specs, arguments.rounds, report, arguments)
        report.setdefault("cases", {})[name] = {"flops_per_image": flops_per_image(case), "results": results}
        save(report, arguments)


def batches(report: Report, arguments: argparse.Namespace) -> None:
    """Throughput over batch size: ours and the tuned peer's."""
    specs = [CONTENDERS[each] for each in arguments.contenders if not each.startswith(NOT_SCALED)]
    scaled = tiny(CASES[SCALING]) if arguments.tiny else CASES[SCALING]
    for case in batch_cases(scaled, arguments.batch_sizes):
        results = raced(case, specs, BATCH_ROUNDS, report, arguments)
        report.setdefault("batches", {})[case.name] = results
        save(report, arguments)


def runs(report: Report, arguments: argparse.Namespace) -> None:
    """Whole runs of the command, in each mode."""
    with tempfile.TemporaryDirectory() as folder:
        for name in RUNS:
            case = tiny(CASES[name]) if arguments.tiny else CASES[name]
            dataset = arguments.run_dataset or random_dataset(case, Path(folder))
            for flags in MODES:
                run = real_run(case, flags, dataset, Path(folder), arguments)
                report.setdefault("runs", []).append(run)
                save(report, arguments)


def raced(case: Case, specs: list[Spec], rounds: int, report: Report, arguments: argparse.Namespace) -> Results:
    """The results of a race between fresh workers."""
    workers = loaded(specs, report, arguments)
    try:
        return race(case, workers, rounds, arguments.seconds)
    finally:
        for worker in workers:
            worker.stop()


def loaded(specs: list[Spec], report: Report, arguments: argparse.Namespace) -> list[Worker]:
    """Workers that have imported their libraries, whose versions go into the report."""
    with arguments.log.open("ab") as log:
        workers = started(specs, arguments.torch_python, arguments.threads, log)
    for worker in workers:
        reply = worker.receive()
        report["versions"] |= reply.get("versions", {})
        report["device"] = reply.get("device", report.get("device"))
    return workers


def save(report: Report, arguments: argparse.Namespace) -> None:
    """Writes both files atomically, so that measurements survive a later failure."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{arguments.name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (arguments.out / f"{arguments.name}.md").write_text(markdown(report))


SECTIONS = {"peaks": peaks, "cases": cases, "batches": batches, "runs": runs}
