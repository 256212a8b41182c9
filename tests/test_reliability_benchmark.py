"""The campaign of benchmarks/reliability: it sees a difference of one bit, goes on where it was, and damages files."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("benchmarks.reliability", reason="an installed zoo has no benchmarks")

from benchmarks.reliability.fuzzed import KINDS, damaged, ending
from benchmarks.reliability.ledger import Ledger
from benchmarks.reliability.runs import differences

FACTS = {
    "command": "python -m benchmarks.reliability",
    "commit": "abc",
    "steps": 9,
    "machine": {"processor": "one", "cores": 2, "system": "Linux", "python": "3.11"},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    for folder in ("checkpoints", "samples"):
        (path / folder).mkdir(parents=True)
    np.savez(path / "checkpoints" / "step-00000009.npz", steps=9, w=np.zeros(3, "float32"), **{"notes.json": [1]})
    (path / "samples" / "step-00000009.png").write_bytes(b"picture")
    (path / "metrics.jsonl").write_text('{"step": 9, "seconds": 1.5, "loss": 0.25}\n')
    scores = [{"step": 9, "scores": [{"name": "swd", "value": 0.5}], "evaluated": "today"}]
    (path / "evaluation.json").write_text(json.dumps({"evaluations": scores}))
    return path


def test_what_is_not_equal_bit_for_bit_is_named(run: Path, tmp_path: Path):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    (other / "metrics.jsonl").write_text('{"step": 9, "seconds": 7.5, "loss": 0.25}\n')
    assert differences(other, run) == []  # the time that it took is no difference
    weights = np.array([0, 0, 1e-45], "float32")  # the smallest number above 0
    np.savez(other / "checkpoints" / "step-00000009.npz", steps=9, w=weights, **{"notes.json": [1]})
    (other / "metrics.jsonl").write_text('{"step": 9, "seconds": 7.5, "loss": 0.2500000001}\n')
    (other / "samples" / "step-00000004.png").write_bytes(b"")
    assert differences(other, run) == ["the last checkpoint", "metrics.jsonl", "samples"]


def test_results_are_kept_and_a_fault_has_its_column(tmp_path: Path):
    ledger = Ledger(tmp_path, FACTS, Path("/where/it/works"))
    ledger.add("kills", 0, {"kind": "kill -9", "what": "a", "end": "equal", "detail": ""})
    ledger.add("kills", 1, {"kind": "kill -9", "what": "b", "end": "hang", "detail": "/where/it/works/b waits"})
    again = Ledger(tmp_path, FACTS, Path("/where/it/works"))
    assert [again.holds("kills", number) for number in range(3)] == [True, True, False]
    again.write_table()
    lines = (tmp_path / "reliability.md").read_text().splitlines()
    assert "| what was tried | tried | equal | refused | read | hang |" in lines
    assert "| kills: kill -9 | 2 | 1 | 0 | 0 | 1 |" in lines
    faults = json.loads((tmp_path / "reliability.json").read_text())["faults"]
    assert [(each["what"], each["detail"]) for each in faults] == [("b", "WORK/b waits")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_a_whole_file_is_read_and_damaged_ones_are_read_or_refused(kind: str, tmp_path: Path):
    suffix, make, read = KINDS[kind]
    whole = make()
    path = tmp_path / f"whole{suffix}"
    path.write_bytes(whole)
    read(path)
    for index in range(12):
        content = damaged(whole, random.Random(index))
        assert damaged(whole, random.Random(index)) == content
        path = tmp_path / f"damaged-{index}{suffix}"
        path.write_bytes(content)
        error = None
        try:
            read(path)
        except Exception as found:
            error = found
        assert ending(error)[0] in ("read", "refused"), ending(error)[1]
