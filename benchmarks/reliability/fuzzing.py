"""One trial of the fuzzing: a damaged file of some kind, read by the zoo in a process of its own."""

import json
import subprocess
import sys
from typing import Any

from benchmarks.common.processes import ROOT

from .fuzzed import KINDS
from .runs import HANG, Bench

STARTING = 120.0  # seconds that a loaded machine may take to import what reads the files
TOGETHER = 50  # files that one process reads
_answers: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}


def trial(bench: Bench, part: str, number: int) -> dict[str, Any]:
    """Whether the file is read, or refused in a sentence; a process answers for several files at once."""
    kind, index = list(KINDS)[number % len(KINDS)], number // len(KINDS)
    group = index - index % TOGETHER
    if (kind, group) not in _answers:
        _answers[kind, group] = answers(bench, kind, group)
    return _answers[kind, group][index]


def answers(bench: Bench, kind: str, first: int) -> dict[int, dict[str, Any]]:
    """What became of a group of damaged files; a file that ends the process is itself the fault, and passed over."""
    found: dict[int, dict[str, Any]] = {}
    while len(found) < TOGETHER:
        start = first + len(found)
        folder = bench.folder(f"fuzz-{kind}", start)
        numbers = [str(start), str(first + TOGETHER), str(bench.seed)]
        words = ["-m", "benchmarks.reliability.fuzzed", kind, *numbers, str(folder)]
        limit = STARTING + HANG * (first + TOGETHER - start)
        try:
            done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=limit)
            lines, ending = done.stdout, f"ended: exit code {done.returncode}, {done.stderr[-800:]}"
        except subprocess.TimeoutExpired as error:
            lines, ending = (error.stdout or b"").decode(), "hang: the process had to be killed"
        for line in lines.splitlines():
            answer = json.loads(line)
            found[answer.pop("index")] = {"kind": kind, **answer}
        if len(found) < TOGETHER:
            index = first + len(found)
            end, _, detail = ending.partition(": ")
            found[index] = {"kind": kind, "what": f"{kind} {index}", "end": end, "detail": detail}
    return found
