"""Checkpoints: the whole state as one .npz file, written atomically; the last few are kept, torn ones skipped."""

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
from zoo.base.plain_data import plain
from zoo.errors import ZooError, ZooWarning

KEPT = 3  # checkpoints
NOTES = "notes.json"  # the archive's member that holds what a run needs, beside the arrays, to continue
NAME = re.compile(r"step-(\d+)\.npz")
State = dict[str, np.ndarray]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoint files of one run, such as `step-00001200.npz` and `best-00001000.npz`."""

    folder: Path
    keep: int = KEPT

    def save(self, state: Mapping[str, np.ndarray], notes: Mapping[str, Any], compressed: bool = False) -> Path:
        """Writes a state (arrays by name, among them `steps`) with its notes, then removes all but the last `keep`."""
        write = np.savez_compressed if compressed else np.savez
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(int(state["steps"]))
        text = np.frombuffer(json.dumps(plain(notes)).encode(), dtype=np.uint8)
        with atomic_file(path) as file:
            write(file, **state, **{NOTES: text})  # type: ignore[arg-type]
        for old in self.paths()[: -self.keep]:
            old.unlink()
        return path

    def path(self, steps: int) -> Path:
        """The path of the checkpoint of that step, whether it exists or not."""
        return self.folder / f"step-{steps:08d}.npz"

    def paths(self) -> list[Path]:
        """The existing checkpoint files but the best one, earliest step first."""
        return sorted(path for path in self.folder.glob("step-*.npz") if NAME.fullmatch(path.name))

    def best(self) -> Path | None:
        """The checkpoint that an evaluation found best, kept beside the last ones; None where none was evaluated."""
        return max(self.kept_as_best(), default=None)

    def kept_as_best(self) -> list[Path]:
        """All `best-*.npz` files: more than one where the process was killed before it removed the older."""
        return list(self.folder.glob("best-*.npz"))

    def keep_as_best(self, path: Path) -> None:
        """Copies a checkpoint to `best-*.npz`, which `save` never removes, and removes the best one before it."""
        best = self.folder / path.name.replace("step-", "best-")
        with atomic_file(best) as file, path.open("rb") as source:
            shutil.copyfileobj(source, file)
        for old in self.kept_as_best():
            if old != best:
                old.unlink()

    def latest(self) -> tuple[State, dict[str, Any]] | None:
        """The state and notes of the last complete checkpoint; warns of each torn one that it skips."""
        for path in reversed(self.paths()):
            try:
                return read_path(path)
            except ZooError as error:
                reason = error.__cause__
                warnings.warn(f"Checkpoint {path} is torn and passed over: {reason}", ZooWarning, stacklevel=2)
        return None

    def discard_after(self, steps: int) -> None:
        """Removes the checkpoints of later steps, which were skipped as torn."""
        for path in [*self.paths(), *self.kept_as_best()]:
            if step_of_checkpoint(path) > steps:
                path.unlink()


def step_of_checkpoint(path: Path) -> int:
    """1200 of `step-00001200.npz`."""
    return int(path.stem.rpartition("-")[2])


def read_path(path: Path) -> tuple[State, dict[str, Any]]:
    """The state and notes of one checkpoint; raises ZooError where it is torn."""
    with path.open("rb") as file:  # a file that can't be opened may be whole, and must not be discarded as torn
        try:
            return read_checkpoint(file)
        except Exception as error:  # zipfile and NumPy raise a dozen kinds of errors on torn files
            raise ZooError(f"Checkpoint {path} is torn: {error}. Choose another.") from error


def in_full(array: np.ndarray) -> np.ndarray:
    """The array, in single precision where it was packed in half."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def read_checkpoint(file: IO[bytes]) -> tuple[State, dict[str, Any]]:
    """The state and notes in an open file; every array is read, which verifies its checksum in the zip archive."""
    with np.load(file, allow_pickle=False) as archive:
        state = {name: in_full(archive[name]) for name in archive.files}
    notes: dict[str, Any] = json.loads(state.pop(NOTES).tobytes())
    return state, notes
