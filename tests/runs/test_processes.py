import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import zoo
from zoo.cli import main
from zoo.runs.checkpoints import Checkpoints

Words = Callable[..., list[str]]
Processes = Callable[..., subprocess.Popen[str]]
SECONDS = 3600  # after which a process that came nowhere hangs, on however busy a machine


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Returns when the condition holds, and fails when the process ends before."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def test_a_run_that_was_killed_and_repeated_equals_one_that_was_not(
    processes: Processes,
    tiny_words: Words,
    train: Callable[..., zoo.Run],
    assert_equal_runs: Callable[[zoo.Run, zoo.Run], None],
    tmp_path: Path,
):
    steps, killed = 300, tmp_path / "killed"
    words = tiny_words("--steps", steps, "--checkpoint-every", 11, "--out", killed)
    process = processes(words)
    wait_for(lambda: len(list((killed / "checkpoints").glob("step-*.npz"))) == 2, process)
    process.kill()
    assert finish(process)[0] == -signal.SIGKILL
    (before, *_) = reversed(Checkpoints(killed / "checkpoints").paths())
    assert before.name < f"step-{steps:08d}.npz"  # it was in the middle

    code, _, err = finish(processes(words))
    assert code == 0, err
    assert f"Continuing {killed} from step" in err

    whole = train(tmp_path / "whole", steps=steps, checkpoint_every=None)
    assert_equal_runs(zoo.load(killed), whole)
    assert len(whole.metrics) == steps // 50
    assert not list(killed.glob("**/.writing-*"))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)]
)
def test_a_signal_ends_the_command_cleanly_and_meanwhile_no_other_may_write(
    number: signal.Signals, code: int, processes: Processes, tiny_words: Words, zoo_command, tmp_path: Path
):
    words = tiny_words("--steps", 10**9, "--out", tmp_path / "run")
    process = processes(words)
    wait_for((tmp_path / "run" / "samples" / "step-00000010.png").exists, process)
    second = zoo_command(*words)
    assert second.code == 2
    assert f"Error: Another process is writing the run {tmp_path / 'run'}." in second.err
    process.send_signal(number)
    ended, out, err = finish(process)
    assert (ended, out) == (code, "")
    last = err.strip().splitlines()[-1]
    (checkpoint,) = Checkpoints(tmp_path / "run" / "checkpoints").paths()
    step = int(checkpoint.stem.removeprefix("step-"))
    assert last == f"Stopped at step {step} and saved. The same command goes on from there."
    assert "Traceback" not in err
    again = zoo_command(*tiny_words("--steps", 1, "--out", tmp_path / "run"))
    assert again.code == 0
    assert "Nothing to do" in again.err


def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=SECONDS)


WITHOUT_TENSORFLOW = """
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "tensorflow" else find_spec(name, package)
sys.modules["tensorflow"] = None  # importing it fails
from zoo.cli import main
main()
"""


@pytest.mark.parametrize("words", [["run", "vanilla"], ["list", "--check"]])
def test_without_tensorflow_a_command_explains_itself_in_one_line(words: Sequence[str], tmp_path: Path):
    result = python(WITHOUT_TENSORFLOW, *words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        "Error: TensorFlow is not installed. Install it with pip install 'gan-zoo[cpu]', "
        "or 'gan-zoo[gpu]' for an NVIDIA GPU. Or take what is installed: --backend jax.\n"
    )
    assert not list(tmp_path.iterdir())


def test_without_tensorflow_the_doctor_tells_the_rest():
    result = python(WITHOUT_TENSORFLOW, "doctor", "--json")
    report = json.loads(result.stdout)
    assert report["backend"] == "none"
    assert report["versions"]["gan-zoo"] == zoo.__version__
    assert "TensorFlow is not installed" in report["problems"][0]
    assert result.returncode == 1


def test_a_reader_that_leaves_gets_no_traceback(processes: Processes):
    reader, writer = os.pipe()
    os.close(reader)
    process = processes(["list"], stdout=writer)
    os.close(writer)
    assert process.communicate(timeout=SECONDS)[1] == ""
    assert process.returncode == 0


def everything(terminal: int) -> bytes:
    """What a terminal was sent until its other end is closed."""
    seen = b""
    try:
        while part := os.read(terminal, 4096):
            seen += part
    except OSError:  # Linux' way of saying that the other end is closed
        pass
    return seen


def test_a_terminal_sees_a_bar_with_images_losses_and_time_left(
    tiny_words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, 150))
    words = tiny_words("--steps", 400, "--out", tmp_path / "run", "--checkpoint-every", 10**6)
    with ThreadPoolExecutor() as beside:
        reading = beside.submit(everything, terminal)
        with os.fdopen(end, "w") as screen, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", screen)
            main(words)
        seen = reading.result()
    os.close(terminal)
    lines = seen.decode().split("\r")
    last = [line for line in lines if "image" in line][-1]
    assert "100%" in last
    assert "3.20k/3.20k" in last  # images of 400 steps
    assert "image/s" in last
    for expected in ("<00:00", "step 400", "discriminator_loss", "generator_loss"):
        assert expected in last


def test_lines_tell_images_losses_and_time_left_where_there_is_no_terminal(zoo_command, tiny_words: Words):
    result = zoo_command(*tiny_words("--steps", 2))
    assert "\r" not in result.err
    assert result.err.splitlines()[-1].startswith("step 2/2 (100%), ")
    for expected in ("images/s", "00:00 left", "discriminator_loss", "generator_loss"):
        assert expected in result.err
