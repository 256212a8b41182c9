"""The GPU's day: a piece that fails or is cut short stops no other, and what it measured until then is kept."""

import argparse
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
day = pytest.importorskip("benchmarks.gpu.day", reason="an installed wheel has no benchmarks")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [{"step": step, "images": 64 * step, "seconds": step / 10} for step in (50, 100, 150, 200)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    evaluations = [
        {"step": step, "scores": [{"name": "kid_efficientnet-lite0", "value": value}]}
        for step, value in ((75, 0.08), (150, 0.0549), (200, 0.04))
    ]
    (tmp_path / "evaluation.json").write_text(json.dumps({"format": 1, "evaluations": evaluations}))
    return tmp_path


def test_a_score_stands_beside_the_seconds_trained_until_then(folder: Path) -> None:
    assert [(row["step"], row["seconds"]) for row in day.scores(folder)] == [(75, 5.0), (150, 15.0), (200, 20.0)]


def test_the_race_is_won_at_the_first_score_below_its_target(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "called", lambda words, seconds: "")
    given = argparse.Namespace(out=folder.parent, tiny=False)
    monkeypatch.setattr(day, "metrics", lambda run, real=day.metrics: real(folder))
    monkeypatch.setattr(day, "scores", lambda run, real=day.scores: real(folder))
    assert day.race(given)["seconds to KID x 1,000 of 55"] == 15.0


def test_a_race_that_time_cut_short_keeps_its_scores(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(words: list[str], seconds: float) -> str:
        raise day.Failed("was not done after 120 s")

    monkeypatch.setattr(day, "called", late)
    folder.rename(folder.parent / "race")
    found = day.race(argparse.Namespace(out=folder.parent, tiny=False))
    assert found["seconds to KID x 1,000 of 55"] == 15.0
    assert found["unfinished"] == "was not done after 120 s"


def test_operations_a_second_are_those_between_the_lines() -> None:
    lines = [{"step": 50, "seconds": 10.0}, {"step": 100, "seconds": 11.0}, {"step": 250, "seconds": 14.0}]
    assert day.rate(lines, {"step": 2e12}) == 2e12 * 200 / 4


def test_what_was_raced_before_time_ran_out_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(words: list[str], seconds: float) -> str:
        results = {"ours-jax": {"images_per_second": 9000.0}, "torch-eager": {"error": "no torch"}}
        (tmp_path / "gpu.json").write_text(json.dumps({"peaks": {}, "cases": {"dcgan-64-b64": {"results": results}}}))
        raise day.Failed("was not done after 200 s")

    monkeypatch.setattr(day, "called", late)
    found = {**day.speed(argparse.Namespace(out=tmp_path, tiny=False)), "seconds": 200.0}
    report = {
        "command": "x", "date": "2026-01-01", "commit": "abc", "machine": {"gpu": "One GPU", "processor": ""},
        "pieces": {"speed": found, "race": {"error": "KeyError: 'x'", "seconds": 1.0}},
    }  # fmt: skip
    page = day.markdown(report)
    assert "| dcgan-64-b64 | ours-jax | 9,000 |" in page
    assert "| dcgan-64-b64 | torch-eager | no torch |" in page
    assert "was not done after 200 s" in page
    assert "Failed: KeyError: 'x'" in page


def test_the_price_of_exactness_is_told_as_far_as_it_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_if_exact(words: list[str], seconds: float) -> str:
        if "--out" in words:
            run = Path(words[words.index("--out") + 1])
            run.mkdir(exist_ok=True)
            lines = [{"step": 50, "images": 3200, "seconds": 8.0}, {"step": 100, "images": 6400, "seconds": 9.0}]
            (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        if "--deterministic" in words:
            raise day.Failed("was not done after 100 s")
        return ""

    monkeypatch.setattr(day, "called", slow_if_exact)
    found = day.prices(argparse.Namespace(out=tmp_path, tiny=False))
    assert found["zoo run dcgan"]["images_per_second_later"] == 3200.0
    assert found["zoo run dcgan --deterministic"]["images_per_second_later"] == 3200.0
    assert found["zoo run dcgan --deterministic"]["unfinished"] == "was not done after 100 s"
    assert "the losses of two sittings are those of one" not in found


def test_a_comparison_that_is_cut_short_has_the_seeds_that_all_variants_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, reported = tmp_path / "compared", []

    def compared(words: list[str], seconds: float) -> str:
        asked = words[words.index("--seeds") + 1] if "--seeds" in words else "all"
        if asked == "all":
            for variant, ended in {"dcgan": 3, "hinge": 2}.items():
                for seed in range(4):  # all wait, and have their folders
                    (run := folder / "runs" / variant / "fashion_mini" / str(seed)).mkdir(parents=True)
                    if seed < ended:
                        (run / "outcome.json").write_text("{}")
            raise day.Failed("was not done after 60 s")
        reported.append(asked)
        seeds = list(range(int(asked)))
        folder.mkdir(exist_ok=True)
        (folder / "comparison.json").write_text(json.dumps({"benchmark": {"seeds": seeds}}))
        return ""

    monkeypatch.setattr(day, "called", compared)
    monkeypatch.setattr(day, "keep", lambda folder, into: into.mkdir())
    given = argparse.Namespace(out=tmp_path, tiny=True, benchmark="losses", jobs=2, seeds=None, seconds=60.0)
    found = day.comparison(given)
    assert (found["seeds"], found["unfinished"]) == (2, "was not done after 60 s")
    assert reported == ["1", "2"]  # the run alone beforehand, and the report
    assert (tmp_path / "losses.tar.gz").is_file()


def test_no_seed_is_done_where_nothing_has_ended(tmp_path: Path) -> None:
    assert day.seeds_done(tmp_path) == 0
    (tmp_path / "runs" / "dcgan" / "fashion_mini" / "0").mkdir(parents=True)
    assert day.seeds_done(tmp_path) == 0
