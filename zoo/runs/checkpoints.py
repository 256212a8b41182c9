"""Checkpoints: the whole state as one npz file, written atomically, the last few kept, torn ones passed over."""

import json
import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.base.files import atomic_file
from zoo.errors import ZooError, ZooWarning

KEPT = 3  # files
NOTES = "notes.json"  # the entry beside the arrays: what else a run needs to continue
NAME = re.compile(r"step-(\d+)\.npz")
State = dict[str, np.ndarray]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run, `step-00001200.npz` and the like."""

    folder: Path
    keep: int = KEPT

    def save(self, state: Mapping[str, np.ndarray], notes: Mapping[str, Any]) -> Path:
        """Write a state with its notes; what is there stays readable until the new file is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(int(state["steps"]))
        text = np.frombuffer(json.dumps(dict(notes)).encode(), dtype=np.uint8)
        with atomic_file(path) as file:
            np.savez(file, **state, **{NOTES: text})  # type: ignore[arg-type]
        for old in self.paths()[: -self.keep]:
            old.unlink()
        return path

    def path(self, steps: int) -> Path:
        """Where the checkpoint of that step goes."""
        return self.folder / f"step-{steps:08d}.npz"

    def paths(self) -> list[Path]:
        """The files, the earliest first."""
        return sorted(path for path in self.folder.glob("step-*.npz") if NAME.fullmatch(path.name))

    def best(self) -> Path | None:
        """The one that an evaluation found best, kept beside the last ones; None where none was judged."""
        return max(self.kept_as_best(), default=None)

    def kept_as_best(self) -> list[Path]:
        """The best one, and others where a kill came before those were removed."""
        return list(self.folder.glob("best-*.npz"))

    def keep_as_best(self, path: Path) -> None:
        """Keep a checkpoint however many follow, in place of the one that was best before."""
        best = self.folder / path.name.replace("step-", "best-")
        with atomic_file(best) as file, path.open("rb") as source:
            shutil.copyfileobj(source, file)
        for old in self.kept_as_best():
            if old != best:
                old.unlink()

    def latest(self) -> tuple[State, dict[str, Any]] | None:
        """The state and notes of the last whole checkpoint; a warning names each torn one that is passed over."""
        for path in reversed(self.paths()):
            try:
                return read_path(path)
            except ZooError as error:
                reason = error.__cause__
                warnings.warn(f"Checkpoint {path} is torn and passed over: {reason}", ZooWarning, stacklevel=2)
        return None

    def discard_after(self, steps: int) -> None:
        """Remove checkpoints of later steps: those that were passed over as torn."""
        for path in [*self.paths(), *self.kept_as_best()]:
            if step_of_checkpoint(path) > steps:
                path.unlink()


def step_of_checkpoint(path: Path) -> int:
    """The number of steps that a checkpoint's name says."""
    return int(path.stem.rpartition("-")[2])


def read_path(path: Path) -> tuple[State, dict[str, Any]]:
    """The state and notes of one checkpoint; raises ZooError where it is torn."""
    with path.open("rb") as file:  # what can't be opened is no torn file: nobody should discard it as one
        try:
            return read_checkpoint(file)
        except Exception as error:  # zip and NumPy fail in a dozen ways on torn files
            raise ZooError(f"Checkpoint {path} is torn: {error}. Choose another.") from error


def read_checkpoint(file: IO[bytes]) -> tuple[State, dict[str, Any]]:
    """The state and notes of one file, every array read and its checksum verified by the zip format."""
    with np.load(file, allow_pickle=False) as archive:
        state = {name: archive[name] for name in archive.files}
    notes: dict[str, Any] = json.loads(state.pop(NOTES).tobytes())
    return state, notes
