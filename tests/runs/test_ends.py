"""Every end that can be caught saves the run, and no print ends one."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.base import interrupts
from zoo.base.interrupts import SIGNALS, Interrupted, stop_requests
from zoo.base.output import SteadyStream
from zoo.base.progress import Bar, Lines, Silent
from zoo.evaluation.judging import PeriodicJudge
from zoo.runs.checkpoints import Checkpoints
from zoo.training import loop

Train = Callable[..., zoo.Run]


class Acting(Silent):
    """Does something once after a step."""

    def __init__(self, step: int, act: Callable[[], object]) -> None:
        self.at, self.act = step, act

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        if step == self.at:
            self.act()


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def saved_steps(path: Path) -> list[str]:
    return [each.name for each in Checkpoints(path / "checkpoints").paths()]


def test_every_signal_that_ends_a_process_is_a_request_to_stop():
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2} <= {*SIGNALS}
    for number in SIGNALS:
        before = signal.signal(number, signal.SIG_DFL)  # a shell has background jobs ignore some
        try:
            with stop_requests() as request:
                send(number)
            assert request.number == number
            assert signal.getsignal(number) is signal.SIG_DFL
        finally:
            signal.signal(number, before)


def test_a_closed_terminal_saves_the_run(train: Train, tmp_path: Path):
    with pytest.raises(Interrupted, match=r"Stopped at step 2 and saved\. The same command goes on") as caught:
        train(tmp_path / "run", steps=4, progress=Acting(2, lambda: send(signal.SIGHUP)))
    assert caught.value.exit_code == 129
    assert saved_steps(tmp_path / "run") == ["step-00000002.npz"]


def test_a_signal_that_is_ignored_as_nohup_does_ends_nothing(train: Train, tmp_path: Path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = train(tmp_path / "run", steps=3, progress=Acting(1, lambda: send(signal.SIGHUP)))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert saved_steps(run.path) == ["step-00000003.npz"]


def test_a_signal_that_the_program_handles_itself_stays_with_it():
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        with stop_requests() as request:
            send(signal.SIGUSR1)
        assert (seen, request.number) == ([signal.SIGUSR1], None)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_while_the_run_is_saved_loses_nothing(
    number: signal.Signals, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(interrupts, "BURST", -1.0)
    save = Checkpoints.save

    def interrupted_save(*arguments: object) -> Path:
        send(number)
        return save(*arguments)

    monkeypatch.setattr(Checkpoints, "save", interrupted_save)
    with pytest.raises(Interrupted, match="Stopped at step 2 and saved"):
        train(tmp_path / "run", steps=4, progress=Acting(2, lambda: send(number)))
    assert saved_steps(tmp_path / "run") == ["step-00000002.npz"]


def test_ctrl_c_is_patient_once_and_takes_a_held_key_for_one():
    def ended_after(presses: int, patience: int) -> bool:
        try:
            with stop_requests(patience):
                for _ in range(presses):
                    send(signal.SIGINT)
                    time.sleep(0.02)
        except Interrupted:
            return True
        return False

    assert not ended_after(9, patience=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interrupts, "BURST", -1.0)
        assert [ended_after(presses, patience=1) for presses in (1, 2, 3)] == [False, False, True]
        assert [ended_after(presses, patience=0) for presses in (1, 2)] == [False, True]


def test_a_signal_cuts_an_evaluation_short_which_a_later_sitting_makes(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    options = {"evaluate_every": 2, "dataset": "ring8", "checkpoint_every": None}
    scored = []

    def interrupted_judge(self: PeriodicJudge, sampler: object, step: int) -> object:
        if not scored:
            send(signal.SIGTERM)
            time.sleep(1)
            pytest.fail("the signal was not heeded at once")
        scored.append(step)
        return {"scores": []}

    monkeypatch.setattr(PeriodicJudge, "judge", interrupted_judge)
    with pytest.raises(Interrupted, match="Stopped at step 2 and saved"):
        train(tmp_path / "run", steps=4, **options)
    assert saved_steps(tmp_path / "run") == ["step-00000002.npz"]
    scored.append(0)
    train(tmp_path / "run", steps=4, **options)
    assert scored[1:] == [2, 4, 4]  # at the resumption, at the last step, and at the end, where that is done already


def test_a_signal_at_the_very_end_leaves_a_finished_run(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    animate = loop.save_animation

    def interrupted(*arguments: object) -> None:
        send(signal.SIGTERM)
        animate(*arguments)

    monkeypatch.setattr(loop, "save_animation", interrupted)
    run = train(tmp_path / "run", steps=2)
    assert run.directory.generator.exists()


def test_an_error_beside_training_saves_what_was_trained(train: Train, tmp_path: Path):
    def fail() -> None:
        raise RuntimeError("a reporter of somebody's own")

    with pytest.raises(RuntimeError, match="somebody's own"):
        train(tmp_path / "run", steps=5, progress=Acting(3, fail))
    assert saved_steps(tmp_path / "run") == ["step-00000003.npz"]


class Broken(io.StringIO):
    """A stream whose reader has gone away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("kind", [Lines, Bar])
@pytest.mark.parametrize("stream", [Broken, closed, lambda: None, lambda: io.TextIOWrapper(io.BytesIO(), "ascii")])
def test_no_print_of_progress_raises(kind: type, stream: Callable[[], object], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", stream())
    progress = kind()
    progress.start(0, 2, 4)
    progress.note("Kleider & Gewänder \udcff")
    for step in (1, 2):
        progress.step(step, {"generator_loss": 1.0})
        progress.counting("images", step, 2)
    progress.stop()


def test_training_goes_on_without_its_reader(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    run = train(tmp_path / "run", steps=2, progress=True)
    np.testing.assert_equal(run.directory.checkpoints.latest()[0]["steps"], 2)


def test_what_an_encoding_lacks_is_escaped():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    steady = SteadyStream(lambda: stream)
    print("Gewänder", "\udcff", file=steady, flush=True)
    assert raw.getvalue() == b"Gew\\xe4nder \\udcff\n"


SHELL = {
    "read no further": ("{zoo} list | head -1; exit ${{PIPESTATUS[0]}}", 0),
    "closed": ("{zoo} list >&- 2>&- <&-", 0),
    "a closed error": ("{zoo} show nothing 2>&-", 2),
    "full": ("{zoo} list > /dev/full", 1),
    "full error": ("{zoo} list 2> /dev/full", 0),
    "another encoding": ("PYTHONIOENCODING=ascii {zoo} show Gewänder", 2),
}


@pytest.mark.parametrize("case", SHELL)
def test_a_command_ends_well_whatever_becomes_of_its_output(case: str):
    command, code = SHELL[case]
    words = command.format(zoo=f"{sys.executable} -m zoo")
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if case == "full":
        assert done.stderr == "Error: The output can't be written: No space left on device.\n"


def test_a_file_never_takes_the_place_of_a_closed_descriptor():
    program = (
        "import os; from zoo.base.output import steady_output\n"
        "with steady_output(): print(open('/dev/null').fileno() > 2, file=open('found', 'w'))"
    )
    subprocess.run(["bash", "-c", f'{sys.executable} -c "$0" >&- 2>&- <&-', program], check=True)
    assert Path("found").read_text() == "True\n"
