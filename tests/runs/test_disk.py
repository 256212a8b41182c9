import errno
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.base import files

Words = Callable[..., list[str]]


@pytest.fixture
def disk_full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets as many files be written as given; the next ones find the disk full."""

    def fill(count: int) -> None:
        left = iter(range(count))

        def fsync(descriptor: int) -> None:
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(files.os, "fsync", fsync)

    return fill


def test_a_full_disk_is_told_in_one_line_and_what_was_saved_stays_readable(
    disk_full_after: Callable[[int], None],
    zoo_command,
    tiny_words: Words,
    finished: zoo.Run,  # which has prepared the images
    monkeypatch: pytest.MonkeyPatch,
):
    words = tiny_words("--steps", 9, "--checkpoint-every", 2, "--out", "run")
    fsync = os.fsync
    disk_full_after(6)  # run.yaml, goal.json, first picture, checkpoints of the steps 2, 4 and 6
    result = zoo_command(*words)
    assert result.code == 1
    told = result.err.splitlines()[-1]
    assert told.startswith(f"Error: The disk of {Path('run/checkpoints').absolute()} is full (")
    assert told.endswith("Everything saved before is kept.")
    assert "Traceback" not in result.err
    assert not list(Path("run").glob("**/.writing-*"))
    assert zoo.load("run").sample(2).shape == (2, 8, 8, 1)
    monkeypatch.setattr(os, "fsync", fsync)
    again = zoo_command(*words)
    assert again.code == 0
    assert "Continuing run from step 6." in again.err


def test_a_process_that_may_not_write_more_keeps_its_checkpoints(
    processes, train: Callable[..., zoo.Run], tiny_words: Words, tmp_path: Path
):
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing past the limit is an error then, not the end
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))  # bytes; a checkpoint is larger

    before = train(tmp_path / "run", steps=3)
    process = processes(tiny_words("--steps", 9, "--out", before.path, "--checkpoint-every", 5), preexec_fn=limit)
    _, err = process.communicate(timeout=3600)
    assert process.returncode == 1
    file = before.path / "checkpoints" / "step-00000005.npz"
    assert err.splitlines()[-1] == f"Error: File too large: {file}. Everything saved before is kept."
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert [path.name for path in before.directory.checkpoints.paths()] == ["step-00000003.npz"]
    np.testing.assert_array_equal(zoo.load(before.path).sample(3), before.sample(3))


@pytest.mark.parametrize("out", ["file/run", "/proc/run"])
def test_a_run_directory_that_cannot_be_written_is_refused(out: str, zoo_command, tiny_words: Words):
    Path("file").write_text("")
    result = zoo_command(*tiny_words("--steps", 1, "--out", out))
    assert result.code == 2
    assert f"Error: Can't write the run directory {out}: " in result.err
    assert "Choose another with --out DIR." in result.err


def test_a_data_directory_that_cannot_be_written_is_refused(zoo_command, tiny_words: Words):
    Path("file").write_text("")
    result = zoo_command(*tiny_words("--steps", 1, "--data-dir", "file/data"))
    assert result.code == 2
    assert "choose another folder with --data-dir DIR" in result.err


def test_samples_that_cannot_be_written_are_told(finished: zoo.Run, zoo_command):
    result = zoo_command("sample", finished.path, "--out", "/proc/samples.npy")
    assert result.code == 2
    assert result.err == (
        "Error: Can't write samples to /proc/samples.npy: No such file or directory. Choose another file with --out "
        "FILE.\n"
    )


def test_a_refused_run_removes_only_folders_that_it_made(zoo_command, tiny_words: Words, working_directory: Path):
    Path("mine").mkdir()
    result = zoo_command(*tiny_words("--set", "batch_size=65", "--out", "mine/new/run"))
    assert result.code == 2
    assert [str(path.relative_to(working_directory)) for path in working_directory.rglob("*")] == ["mine"]
