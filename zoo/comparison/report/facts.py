"""The facts of a comparison as (name, value) pairs: what was compared, how many runs finished, how it was measured."""

from collections.abc import Mapping
from typing import Any

from zoo.comparison.report.reading import Comparison, datasets_of, state_counts, variants_of
from zoo.comparison.report.words import NONE, budget, plain, plural


def facts_of(comparison: Comparison) -> list[tuple[str, str]]:
    """The facts at the top of the report."""
    cells, benchmark = comparison["cells"], comparison.get("benchmark") or {}
    states = state_counts(cells)
    facts = [
        ("Variants", str(len(variants_of(comparison)))),
        ("Datasets", ", ".join(datasets_of(comparison))),
        ("Seeds", str(len({cell["seed"] for cell in cells}))),
        *([("Each run", budget(benchmark["budget"]))] if benchmark.get("budget") else []),
        ("Finished", f"{states.get('done', 0)} of {plural(len(cells), 'run')}"),
    ]
    lost = [f"{many}\N{NO-BREAK SPACE}{state}" for state, many in states.items() if state != "done"]
    return [*facts, ("Not finished", ", ".join(lost))] if lost else facts


def measured_of(comparison: Comparison) -> list[tuple[str, str]]:
    """The facts on the benchmark, engines (backend, devices, policy), machines and versions."""
    facts = setup_facts(comparison["benchmark"]) if comparison.get("benchmark") else []
    facts += [("Engine", engine_words(each)) for each in comparison.get("engines") or []]
    facts += [("Machine", str(each)) for each in comparison.get("machines") or []]
    versions = ", ".join(f"{name} {version}" for name, version in (comparison.get("versions") or {}).items())
    return [*facts, ("Versions", versions or "not known"), ("Made", str(comparison.get("made", "")))]


def setup_facts(benchmark: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts on the setup that all runs share."""
    facts = [
        ("Benchmark", benchmark.get("name") or "none, set by options"),
        ("Budget of a run", budget(benchmark.get("budget") or {})),
        *([("A run ends at a score of", plain(benchmark["until"]))] if benchmark.get("until") is not None else []),
        ("Seeds", plain(benchmark.get("seeds"))),
        ("Evaluations while training", plain(benchmark.get("evaluations"))),
        ("Metrics", plain(benchmark.get("metrics"))),
        ("Samples", f"{benchmark['samples']:,}" if benchmark.get("samples") else NONE),
        ("Extractor", plain(benchmark.get("extractor"))),
    ]
    return [*facts, *((f"Sweep of {name}", plain(values)) for name, values in (benchmark.get("sweep") or {}).items())]


def engine_words(engine: Mapping[str, Any]) -> str:
    """`tensorflow on cpu:0: graph, 1 step a call`."""
    return f"{engine.get('backend')} on {plain(engine.get('devices'))}: {engine.get('policy') or 'as it comes'}"
