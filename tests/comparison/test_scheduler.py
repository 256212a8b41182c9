"""The scheduler with a fake executor, whose jobs end as a script says."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from progress_recorder import ProgressRecorder

from zoo.base.interrupts import Interrupted
from zoo.comparison.candidates import Candidate
from zoo.comparison.executors.contract import Ended
from zoo.comparison.job import BUSY, JOB, OUTCOME, read_outcome, write_outcome
from zoo.comparison.plan import Cell
from zoo.comparison.scheduler import Scheduler

KILLED = -9


class ScriptedExecutor:
    """An executor whose jobs end as a script says: a list of ends for each seed, of which the last one repeats."""

    def __init__(self, ends: dict[int, list[str]], slots: int = 2) -> None:
        self.ends, self.slots = ends, slots
        self.at_once: list[int] = []
        self.begun: list[int] = []
        self.running: list[Path] = []
        self.stopped = False

    def start(self, path: Path) -> None:
        self.begun.append(int(path.name))
        self.running.append(path)
        self.at_once.append(len(self.running))

    def ended(self) -> list[Ended]:
        path, self.running = self.running[0], self.running[1:]
        ends = self.ends[int(path.name)]
        end = ends.pop(0) if len(ends) > 1 else ends[0]
        if end == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            return []
        codes = {"done": 0, "diverged": 3, "failed": 1, "killed": KILLED, "busy": BUSY, "lost": None}
        if end in ("done", "diverged", "failed"):
            write_outcome(path, end, "" if end == "done" else f"it {end}")
        return [Ended(path, codes[end])]

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        pass


@pytest.fixture
def scheduled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[ScriptedExecutor, ProgressRecorder]]:
    """Runs the jobs of a script; returns the executor and the recorded progress."""
    monkeypatch.setattr("zoo.comparison.scheduler.POLL_SECONDS", 0)
    monkeypatch.setattr("zoo.comparison.scheduler.ELSEWHERE_SECONDS", 0)

    def run(ends: dict[int, list[str]], retries: int = 1) -> tuple[ScriptedExecutor, ProgressRecorder]:
        executor, recorder = ScriptedExecutor(ends), ProgressRecorder()
        cells = [Cell(Candidate("dcgan"), "mnist", seed, tmp_path / str(seed)) for seed in ends]
        Scheduler(executor, cells, lambda cell: {"seed": cell.seed}, retries, recorder).run()
        return executor, recorder

    return run


def test_every_job_runs_once_and_no_more_at_once_than_there_are_slots(scheduled, tmp_path):
    executor, recorder = scheduled({seed: ["done"] for seed in range(5)})
    assert executor.begun == [0, 1, 2, 3, 4]
    assert max(executor.at_once) == 2
    assert json.loads((tmp_path / "3" / JOB).read_text()) == {"seed": 3}
    assert recorder.notes[0] == "5 runs, 0 of them at their end already, 2 at a time."
    assert recorder.notes[-1] == "done      dcgan on mnist, seed 4 (0 left)"


def test_a_second_call_does_nothing_again(scheduled):
    scheduled({0: ["done"], 1: ["diverged"]})
    executor, recorder = scheduled({0: ["done"], 1: ["done"]})
    assert executor.begun == []
    assert recorder.notes == ["2 runs, 2 of them at their end already, 2 at a time."]


def test_what_failed_is_tried_again_by_the_next_call(scheduled, tmp_path):
    scheduled({0: ["failed"]}, retries=0)
    assert read_outcome(tmp_path / "0")["state"] == "failed"
    scheduled({0: ["done"]})
    assert read_outcome(tmp_path / "0")["state"] == "done"


def test_a_killed_job_is_started_again(scheduled, tmp_path):
    executor, recorder = scheduled({0: ["killed", "done"], 1: ["done"]})
    assert executor.begun == [0, 1, 0]
    assert read_outcome(tmp_path / "0")["state"] == "done"
    assert "again     dcgan on mnist, seed 0: its process was killed by signal 9" in recorder.notes[1]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("killed", "its process was killed by signal 9"),
        ("lost", "its machine or worker was lost"),
        ("failed", "it failed"),
    ],
)
def test_a_job_that_keeps_failing_has_its_reason_and_the_others_go_on(end, reason, scheduled, tmp_path):
    executor, recorder = scheduled({0: [end], 1: ["done"], 2: ["done"]}, retries=2)
    assert executor.begun.count(0) == 3
    outcome = read_outcome(tmp_path / "0")
    assert (outcome["state"], outcome["attempts"]) == ("failed", 3)
    assert outcome["reason"].startswith(reason)
    assert [read_outcome(tmp_path / str(seed))["state"] for seed in (1, 2)] == ["done", "done"]
    assert any(line.startswith("failed    dcgan on mnist, seed 0") for line in recorder.notes)


def test_a_run_that_diverged_would_do_so_again(scheduled, tmp_path):
    executor, _ = scheduled({0: ["diverged"]}, retries=5)
    assert executor.begun == [0]
    assert read_outcome(tmp_path / "0")["reason"] == "it diverged"


def test_a_run_that_another_process_writes_is_waited_for(scheduled, tmp_path):
    executor, _ = scheduled({0: ["busy", "busy", "done"]}, retries=0)
    assert executor.begun == [0, 0, 0]
    assert read_outcome(tmp_path / "0")["state"] == "done"


def test_ctrl_c_has_the_executor_save_and_the_same_call_continues(scheduled, tmp_path):
    with pytest.raises(Interrupted, match="the same command continues"):
        scheduled({0: ["done"], 1: ["interrupt"], 2: ["done"]})
    assert not (tmp_path / "1" / OUTCOME).exists()
    assert json.loads((tmp_path / "2" / JOB).read_text()) == {"seed": 2}  # the job waits in the queue or has begun
    executor, _ = scheduled({0: ["done"], 1: ["done"], 2: ["done"]})
    assert 0 not in executor.begun
    assert {1, 2} & set(executor.begun)
