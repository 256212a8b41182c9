"""What was tried and how it ended: a line a trial in trials.jsonl, and a table of all of them."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.common.tables import table

GOOD = ("equal", "refused", "read")  # goes on bit for bit; one clear sentence; nothing was wrong with the file
Outcome = Mapping[str, Any]  # kind, what, end (one of GOOD or the fault), detail


class Ledger:
    """The trials so far, in a folder; where the damaged files lay is WORK in them."""

    def __init__(self, folder: Path, facts: Mapping[str, Any], work: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.facts, self.work = folder, facts, work
        self.file = folder / "trials.jsonl"
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        self.trials: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.known = {(each["part"], each["number"]) for each in self.trials}

    def holds(self, part: str, number: int) -> bool:
        """Whether the trial has a result."""
        return (part, number) in self.known

    def add(self, part: str, number: int, outcome: Outcome) -> None:
        """Keeps a result at once."""
        detail = str(outcome.get("detail", "")).replace(str(self.work), "WORK")
        dated = {"part": part, "number": number, "date": time.strftime("%Y-%m-%d %H:%M:%S")}
        trial = {**dated, **outcome, "detail": detail}
        self.trials.append(trial)
        with self.file.open("a") as file:
            file.write(json.dumps(trial) + "\n")
        mark = "  " if outcome["end"] in GOOD else "! "
        print(
            f"{mark}{part} {number}: {outcome['what']}: {outcome['end']} {outcome.get('detail', '')[:300]}", flush=True
        )

    def write_table(self) -> None:
        """Writes reliability.json and reliability.md."""
        groups: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for trial in self.trials:
            groups[trial["part"], trial["kind"]][trial["end"]] += 1
        rows = [
            {"part": part, "kind": kind, "tried": counts.total(), **counts} for (part, kind), counts in groups.items()
        ]
        faults = [each for each in self.trials if each["end"] not in GOOD]
        report = {**self.facts, "date": time.strftime("%Y-%m-%d"), "rows": rows, "faults": faults}
        (self.folder / "reliability.json").write_text(json.dumps(report, indent=1) + "\n")
        (self.folder / "reliability.md").write_text(markdown(report))


def markdown(report: Mapping[str, Any]) -> str:
    """The table with its command, machine and date."""
    ends = [*GOOD, *sorted({name for row in report["rows"] for name in row} - {"part", "kind", "tried", *GOOD})]
    rows = [
        [f"{row['part']}: {row['kind']}", *(str(row.get(name, 0)) for name in ("tried", *ends))]
        for row in report["rows"]
    ]
    found = report["machine"]
    about = (
        f"`{report['command']}`, {report['date']}, commit {report['commit']}, {found['processor']}, {found['cores']} "
        f"cores, {found['system']}, Python {found['python']}; runs of {report['steps']} steps."
    )
    words = (
        "*equal*: the same command went on, and ended with the weights, metrics, pictures and scores of a run that was "
        "never interrupted, bit for bit. *refused*: one sentence, and nothing was written. *read*: the damage did no "
        "harm. Any other column is a fault; reliability.json holds each."
    )
    return "\n\n".join(["# Reliability", words, table(["what was tried", "tried", *ends], rows), about]) + "\n"
