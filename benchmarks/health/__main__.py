"""Counts both errors of the warnings on a run's health, over all runs that are committed and over some trained anew.

    python -m benchmarks.health [--out FOLDER]

Trains into runs/health, where a run that is there already is not trained again, and writes `health.md` into FOLDER.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import zoo
from benchmarks.common.machine import commit, machine
from benchmarks.common.tables import table
from benchmarks.health.cases import SICK, Case
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.health import findings

RESULTS = Path("benchmarks/results")
FOLDER = Path("runs/health")
MODES = 7  # of ring8's eight, from which on a run counts as well
WELL = (("vanilla", 0), ("vanilla", 1))
STEPS = 1000
Group = tuple[str, str, list[tuple[str, set[str], set[str]]]]  # what, by which truth, (run, to be told, told)


def main() -> None:
    """Counts, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS / "health")
    out = parser.parse_args().out
    groups = [*committed(), *compared(), made_sick(), trained_well()]
    made = f"`python -m benchmarks.health`, {time.strftime('%Y-%m-%d')}, {machine(1)['processor']}, commit {commit()}."
    text = f"# Errors of the warnings on health\n\n{made}\n\n{counts(groups)}\n\n## Every error\n\n{errors(groups)}\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "health.md").write_text(text)
    print(text)


def counts(groups: Sequence[Group]) -> str:
    """A row for each group of runs."""
    rows = []
    for what, truth, runs in groups:
        well = [told for _, due, told in runs if not due]
        rows.append([
            what, truth, len(runs), f"{sum(map(bool, well))} of {len(well)}",
            f"{sum(len(due - told) for _, due, told in runs)} of {sum(len(due) for _, due, _ in runs)}",
            sum(len(told - due) for _, due, told in runs if due),
        ])  # fmt: skip
    head = ["runs", "what they are, by", "number", "false alarms on well ones", "warnings missed on sick ones",
            "further ones told there"]  # fmt: skip
    return table(head, [[str(each) for each in row] for row in rows])


def errors(groups: Sequence[Group]) -> str:
    """A line for each run that was told wrongly."""
    lines = []
    for what, _, runs in groups:
        for name, due, told in runs:
            if due - told:
                lines.append(f"- {what}, {name}: missed {', '.join(sorted(due - told))}")
            if not due and told:
                lines.append(f"- {what}, {name}: falsely told {', '.join(sorted(told))}")
    return "\n".join(lines) or "None."


def committed() -> Iterator[Group]:
    """The runs whose metrics are committed; all of them made good samples."""
    found = []
    for path in sorted(RESULTS.rglob("metrics.jsonl")):
        lines = [json.loads(text) for text in path.read_text().splitlines()]
        found.append((str(path.parent.relative_to(RESULTS)), set(), names(lines)))
    yield "committed runs", "their samples; losses and gradient norms alone", found


def compared() -> Iterator[Group]:
    """The runs of committed comparisons, which hold losses and scores."""
    for path in sorted(RESULTS.glob("comparisons/*/comparison.json")):
        comparison = json.loads(path.read_text())
        better = {each["name"]: each["better"] for each in comparison["scores"]}
        found = []
        for cell in comparison["cells"]:
            due = {"score worsening"} if cell["collapsed"] else set()
            told = names(cell["losses"], [evaluation(point, better) for point in cell["curve"]])
            found.append((f"{cell['label']}, seed {cell['seed']}", due, told))
        yield (
            f"comparison {path.parent.name}",
            "the report's word collapsed; losses and scores alone",
            found,
        )


def evaluation(point: Mapping[str, Any], better: Mapping[str, str]) -> dict[str, Any]:
    """A point of a score's curve as evaluation.json has it."""
    scores = [{"name": name, "value": value, "better": better[name]} for name, value in point["scores"].items()]
    return {"step": point["step"], "scores": scores}


def trained_well() -> Group:
    """Runs on eight modes that find them, trained here; of one that does not, any warning will do."""
    found = []
    for stack, seed in WELL:
        path = FOLDER / f"{stack}-{seed}"
        judging = zoo.EvaluationOptions(("swd", "modes"), samples=2000)
        monitoring = zoo.Monitoring(evaluate_every=STEPS // 5, evaluation=judging, health_every=100)
        budget = zoo.Budget(steps=STEPS)
        run = zoo.run(stack, dataset="ring8", seed=seed, budget=budget, out=path, monitoring=monitoring)
        evaluations = EvaluationFile(path / EVALUATION).read()
        modes = next(each["value"] for each in evaluations[-1]["scores"] if each["name"] == "modes")
        told = names(run.metrics, evaluations)
        due = set() if modes >= MODES else told or {f"anything, of a run that finds {modes:g} modes"}
        found.append((f"{stack}, seed {seed}", due, told))
    return "ring8, trained here", f"{MODES} modes or more at the end; all figures", found


def made_sick() -> Group:
    """The runs of `cases.py`."""
    return "made sick on purpose", "what was done to them; all figures", [(each.name, *sick(each)) for each in SICK]


def sick(case: Case) -> tuple[set[str], set[str]]:
    """What is to be told of a case, and what is."""
    path = FOLDER / case.name
    run = zoo.load(path) if (path / "metrics.jsonl").exists() else case.run(path)
    return set(case.expected), names(run.metrics, EvaluationFile(path / EVALUATION).read())


def names(lines: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]] = ()) -> set[str]:
    """The warnings that a run gets."""
    return {each.name for each in findings(lines, evaluations)}


if __name__ == "__main__":
    main()
