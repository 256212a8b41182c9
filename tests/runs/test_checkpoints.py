import errno
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from zoo.errors import ZooWarning
from zoo.runs.checkpoints import Checkpoints


def state(steps: int) -> dict[str, np.ndarray]:
    weights = np.random.default_rng(steps).normal(size=(3, 2)).astype("float32")
    return {"generator/000/kernel": weights, "steps": np.int64(steps)}


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    """Checkpoints of steps 10 and 20."""
    both = Checkpoints(tmp_path / "checkpoints")
    for steps in (10, 20):
        both.save(state(steps), {"seconds": float(steps)})
    return both


def assert_holds(latest: tuple[dict[str, np.ndarray], dict[str, object]] | None, steps: int) -> None:
    assert latest is not None
    arrays, notes = latest
    assert set(arrays) == set(state(steps))
    for name, array in state(steps).items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)
    assert notes == {"seconds": float(steps)}


def test_a_checkpoint_gives_back_every_array_and_the_notes(checkpoints: Checkpoints):
    assert_holds(checkpoints.latest(), 20)


def test_only_the_last_checkpoints_are_kept(tmp_path: Path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for steps in (9, 100, 11, 20):
        checkpoints.save(state(steps), {})
    assert [path.name for path in checkpoints.paths()] == ["step-00000020.npz", "step-00000100.npz"]


def test_a_write_that_fails_leaves_the_checkpoints_before_it_and_no_half_file(
    checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(checkpoints.folder.iterdir())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(state(30), {})
    assert sorted(checkpoints.folder.iterdir()) == before
    assert_holds(checkpoints.latest(), 20)


def test_a_checkpoint_saved_again_replaces_the_file_at_once(checkpoints: Checkpoints):
    path = checkpoints.paths()[-1]
    before = path.stat().st_ino
    with path.open("rb") as opened:
        content = opened.read(10)
        checkpoints.save(state(20), {"seconds": 20.0})
        opened.seek(0)
        assert opened.read(10) == content  # who reads the old file still can
    assert path.stat().st_ino != before


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_of_a_truncated_checkpoint_the_one_before_is_used_with_a_warning(checkpoints: Checkpoints, share: float):
    path = checkpoints.paths()[-1]
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.warns(ZooWarning, match=r"step-00000020\.npz is torn"):
        assert_holds(checkpoints.latest(), 10)


def test_no_flipped_byte_gives_other_numbers(checkpoints: Checkpoints):
    path = checkpoints.paths()[-1]
    whole = path.read_bytes()
    passed_over = 0
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            latest = checkpoints.latest()
        assert_holds(latest, 10 if caught else 20)
        passed_over += len(caught)
    assert passed_over > len(whole) / 10


def test_where_every_checkpoint_is_torn_there_is_none_and_each_is_named(checkpoints: Checkpoints):
    for path in checkpoints.paths():
        os.truncate(path, 100)
    with pytest.warns(ZooWarning) as caught:
        assert checkpoints.latest() is None
    assert [word in str(each.message) for word, each in zip(("20.npz", "10.npz"), caught, strict=True)] == [True, True]


def test_a_checkpoint_that_cannot_be_opened_is_not_taken_for_a_torn_one(checkpoints: Checkpoints):
    (checkpoints.folder / "step-00000030.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        checkpoints.latest()


def test_files_of_other_names_are_no_checkpoints(checkpoints: Checkpoints):
    for name in ("step-30.npz.part", "step-x.npz", ".writing-1-step-00000030.npz"):
        (checkpoints.folder / name).write_bytes(b"")
    assert_holds(checkpoints.latest(), 20)
