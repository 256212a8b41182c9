"""The files that every benchmark of evaluation writes: JSON with all numbers, Markdown made of it, and plots."""

import json
import os
import shlex
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.common.machine import commit, machine
from benchmarks.common.processes import ROOT
from zoo.backend.versions import installed_versions

RESULTS = ROOT / "benchmarks/results/evaluation"
MACHINE = ("processor", "cores", "memory_gib", "python")
OTHERS = ("scipy",)  # packages whose versions are reported too


def begun(module: str) -> dict[str, Any]:
    """The command, date and machine; paths are shown without their folders."""
    found = machine(len(os.sched_getaffinity(0)))
    versions = installed_versions() | {name: metadata.version(name) for name in OTHERS}
    return {
        "command": shlex.join(["python", "-m", f"benchmarks.evaluation.{module}", *map(without_folders, sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": {name: found[name] for name in MACHINE},
        "versions": versions,
        "load": {"before": round(os.getloadavg()[0], 1)},
    }


def without_folders(argument: str) -> str:
    """`cifar.npz=CIFAR` of `/a/folder/cifar.npz=CIFAR`."""
    name, equals, title = argument.partition("=")
    return (Path(name).name if "/" in name else name) + equals + title


def heading(title: str, report: Mapping[str, Any]) -> str:
    """The section on command, machine, date and versions."""
    where = ", ".join(f"{name} {value}" for name, value in report["machine"].items() if value)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report["versions"].items()))
    load = ", ".join(f"{value:.1f} {when}" for when, value in report["load"].items())
    return (
        f"# {title}\n\n`{report['command']}`\n\n{report['date']}, commit {report['commit']}. {where}.\n{versions}.\n"
        f"Load of the machine: {load}."
    )


def described(extractor: Mapping[str, str]) -> str:
    """The extractor of a protocol, in a sentence."""
    return f"Features of `{extractor['name']}` (weights {extractor['sha256'][:12]}), {extractor['preparation']}."


def ended(report: dict[str, Any]) -> dict[str, Any]:
    """The report, with the load average at its end."""
    report["load"]["after"] = round(os.getloadavg()[0], 1)
    return report


def write(report: Mapping[str, Any], markdown: str, out: Path, name: str) -> None:
    """Writes the JSON and the Markdown file."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (out / f"{name}.md").write_text(markdown)


def digits(value: float) -> str:
    """A number with three decimals, or more where it is small."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.2g}"
