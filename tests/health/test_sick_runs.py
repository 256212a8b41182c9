"""Each warning on a run that was made sick on purpose, and none on one that is well."""

from pathlib import Path

import pytest

pytest.importorskip("benchmarks.health", reason="an installed zoo has no benchmarks")

import zoo
from benchmarks.health.cases import SICK, Case
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.health import findings, rules
from zoo.training import loop

LINE = 5  # steps that a line of metrics averages here: the rules count lines


def warnings_of(run: zoo.Run) -> set[str]:
    return {each.name for each in findings(run.metrics, EvaluationFile(run.path / EVALUATION).read())}


@pytest.mark.parametrize("case", SICK, ids=lambda each: each.name)
def test_what_is_wrong_with_a_run_is_told(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "METRICS_EVERY", LINE)
    run = case.run(tmp_path)
    assert case.expected <= warnings_of(run)


def test_every_warning_has_such_a_run() -> None:
    assert len(set().union(*(each.expected for each in SICK))) == len(rules.RULES)


def test_a_run_that_is_well_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "METRICS_EVERY", LINE)
    assert warnings_of(Case("well", "", frozenset(), 24).run(tmp_path)) == set()
