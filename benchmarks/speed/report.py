"""The report of the speed benchmark in Markdown."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.common.tables import table

from .contenders import CONTENDERS, KERAS_FIT, TORCH_EAGER, TORCH_TUNED

PEERS = {KERAS_FIT: "(a)", TORCH_EAGER: "(b)", TORCH_TUNED: "(c)"}
LEGEND = (
    "Medians of interleaved rounds of the same number of real images. (a) is Keras `fit`, (b) plain PyTorch, (c) tuned "
    "PyTorch, each in float32: their columns hold the ratio of the row's images/s to theirs. *peak* is the share of "
    "the measured matrix-multiplication rate in the row's precision that the step's needed operations come to, *start* "
    "the time of building, compiling and first steps beyond their later pace, *memory* the most that the process held, "
    "and on a GPU the most that was in use there."
)
RUNS_LEGEND = (
    "*images/s* is all images over the seconds of metrics.jsonl, from step 1, compiling included, to the end; *later* "
    "begins at the first line of metrics.jsonl; *whole command* counts every second of the process."
)


def markdown(report: Mapping[str, Any]) -> str:
    """The whole report."""
    parts = [heading(report)]
    if report.get("peaks"):
        parts.append(peaks(report["peaks"]))
    parts += [case_section(name, case, report.get("peaks", {})) for name, case in report.get("cases", {}).items()]
    if report.get("batches"):
        parts.append(batches(report["batches"]))
    if report.get("runs"):
        parts.append(runs(report["runs"]))
    return "\n\n".join(parts) + "\n"


def heading(report: Mapping[str, Any]) -> str:
    """The section on command, machine, date and versions."""
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items() if value)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report["versions"].items()))
    return (
        f"# Speed: {report['name']}\n\n`{report['command']}`\n\n"
        f"{report['date']}, commit {report['commit']}. {machine}.\n{versions}.\n\n{LEGEND}"
    )


def peaks(measured: Mapping[str, Mapping[str, float]]) -> str:
    """The section on the rates of matrix products."""
    rows = [
        [library, *(f"{rates[dtype] / 1e9:,.0f}" if dtype in rates else "–" for dtype in ("float32", "bfloat16"))]
        for library, rates in measured.items()
    ]
    return "## Matrix products, GFLOP/s\n\n" + table(["library", "float32", "bfloat16"], rows)


def case_section(name: str, case: Mapping[str, Any], measured: Mapping[str, Mapping[str, float]]) -> str:
    """The section on a case: a table with notes below it."""
    results = case["results"]
    header = ["", "images/s", "min to max", *PEERS.values(), "peak", "start", "memory"]
    rows = [case_row(spec, results, case["flops_per_image"], measured) for spec in results]
    notes = [f"{CONTENDERS[spec].label}: {note}" for spec in results for note in results[spec].get("notes", [])]
    flops = f"{case['flops_per_image'] / 1e6:,.1f} MFLOP a real image."
    return f"## {name}\n\n{flops}\n\n{table(header, rows)}" + ("\n\n" + "; ".join(notes) + "." if notes else "")


def case_row(
    name: str, results: Mapping[str, Any], flops: float, measured: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """A row of the table on a contender."""
    result, spec = results[name], CONTENDERS[name]
    if "error" in result:
        return [spec.label, f"failed: {result['error'][:80]}", *[""] * 7]
    speed = result["images_per_second"]
    slowest, fastest = (result["round_images"] / pick(result["round_seconds"]) for pick in (max, min))
    ratios = [ratio(speed, results.get(peer, {})) for peer in PEERS]
    best = max((rates.get(spec.precision, 0.0) for rates in measured.values()), default=0.0)
    share = f"{speed * flops / best:.0%}" if best else ""
    memory = " + ".join(f"{held / 2**30:.1f} GiB" for held in result["memory"].values() if held)
    return [
        spec.label, f"{speed:,.0f}", f"{slowest:,.0f} to {fastest:,.0f}", *ratios, share,
        f"{result['start_seconds']:.1f} s", memory,
    ]  # fmt: skip


def ratio(speed: float, peer: Mapping[str, Any]) -> str:
    """The ratio of a speed to the peer's, as text."""
    return f"{speed / peer['images_per_second']:.2f}" if "images_per_second" in peer else ""


def batches(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The section on images/s by batch size."""
    names = list(dict.fromkeys(name for results in measured.values() for name in results))
    rows = [
        [
            CONTENDERS[name].label,
            *(f"{each.get(name, {}).get('images_per_second', 0):,.0f}" for each in measured.values()),
        ]
        for name in names
    ]
    return "## Images/s by batch size\n\n" + table(["", *measured], rows)


def runs(measured: Iterable[Mapping[str, Any]]) -> str:
    """The section on whole runs of the command `zoo run`."""
    header = ["command", "images/s", "later", "whole command", "seconds"]
    rows = [
        [f"`{run['command']}`", *([f"failed: {run['error']}"[-200:], "", "", ""] if "error" in run else run_cells(run))]
        for run in measured
    ]
    return f"## Real runs\n\n{RUNS_LEGEND}\n\n{table(header, rows)}"


def run_cells(run: Mapping[str, Any]) -> list[str]:
    """The numbers of a run, as cells of its row."""
    names = ("images_per_second", "images_per_second_later", "images_per_second_of_command")
    return [*(f"{run[name]:,.0f}" if name in run else "" for name in names), f"{run['command_seconds']:.1f}"]
