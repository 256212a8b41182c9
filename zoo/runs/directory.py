"""The run directory: its name, its lock, run.yaml (all that made the run), its metrics and its sample pictures."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from zoo.base.files import WRITING, atomic_file, write_json
from zoo.base.plain_data import plain
from zoo.catalogue import dump_document, parse_document
from zoo.errors import ZooError
from zoo.recipe import as_text
from zoo.runs.checkpoints import Checkpoints, State
from zoo.runs.conversion import converted

RECORD = "run.yaml"
PRETRAINED = Path("runs", "pretrained")  # for what is made of generators that come with the zoo
# The keys of run.yaml whose values must not differ where a run is continued.
IDENTITY = ("stack", "plugins", "dataset", "seed", "recipe", "precision", "frozen_networks")
# The keys of `dataset` that say what it is called and where it lies, not what it holds.
PLACE = ("name", "path", "path_from_run", "description")
EVERY_RUN = ("stack", "plugins", "dataset", "seed", "recipe", "recipe_sources", "versions")  # keys of every run.yaml
PICTURE = re.compile(r"step-(\d+)\.png")


class RunIsBusy(ZooError):
    """Raised where another process holds the run directory's lock."""


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run, below `path`; `name` is that of a pretrained generator, whose folder is only read."""

    path: Path
    name: str | None = None

    @property
    def outputs(self) -> Path:
        """The folder for what is made of the run: its own, but for a pretrained generator."""
        return self.path if self.name is None else PRETRAINED / self.name

    @property
    def called(self) -> str:
        """What the run is called in messages and records."""
        return self.name or str(self.path)

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.path / "checkpoints")

    def last_checkpoint(self) -> tuple[State, dict[str, Any]]:
        """The state and notes of the last whole checkpoint; raises ZooError where there is none."""
        latest = self.checkpoints.latest()
        if latest is None:
            raise ZooError(f"The run {self.path} has no checkpoint yet. Continue it with zoo run.")
        return latest

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def metrics(self) -> Path:
        """The losses over training, one JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def generator(self) -> Path:
        """The trained generator in Keras' format, written when a budget is reached."""
        return self.path / "generator.keras"

    @property
    def goal_file(self) -> Path:
        """The total that the run is trained to, for `zoo watch`."""
        return self.path / "goal.json"

    def write_goal(self, steps: int | None, seconds: float | None) -> None:
        """Writes how many steps, or seconds of training, the run will have in all."""
        write_json(self.goal_file, {"steps": steps, "seconds": seconds})

    @property
    def record_file(self) -> Path:
        """run.yaml: everything that made the run."""
        return self.path / RECORD

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps every other process from writing the run; raises RunIsBusy where one is writing it.

        Folders that were made for it are removed again where no run was begun in them.
        """
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".lock")
            lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise RunIsBusy(
                f"Another process is writing the run {self.path}. Wait for it, stop it, or choose another --out or "
                "--seed."
            ) from error
        except OSError as error:
            raise ZooError(
                f"Can't write the run directory {self.path}: {error.strerror}. Choose another with --out DIR."
            ) from error
        try:
            yield
        finally:
            lock.release()
            if not self.record_file.exists():
                self.remove_empty(made)

    def remove_empty(self, folders: Sequence[Path]) -> None:
        """Removes the lock file, then the folders (innermost first) up to the first that is not empty."""
        (self.path / ".lock").unlink(missing_ok=True)
        for folder in folders:
            try:
                folder.rmdir()
            except OSError:  # not empty
                return

    def record(self) -> dict[str, Any] | None:
        """The content of run.yaml, None where there is none yet; raises ZooError where it is damaged."""
        if not self.record_file.exists():
            return None
        try:
            text = self.record_file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ZooError(f"{self.record_file} is damaged: it is not UTF-8 text ({error}).") from error
        document = parse_document(text, str(self.record_file))
        if document.errors or not isinstance(document.data, dict):
            raise ZooError(f"{self.record_file} is damaged: {'; '.join(document.messages()) or 'it holds no mapping'}.")
        if missing := [key for key in EVERY_RUN if key not in document.data]:
            raise ZooError(
                f"{self.record_file} is no record of a run of the zoo: it has no '{missing[0]}'. Choose another folder."
            )
        return converted(document.data)

    def write_record(self, record: Mapping[str, Any]) -> None:
        text = dump_document(plain(record, RECORD))
        with atomic_file(self.record_file) as file:
            file.write(text.encode())

    def check_same(self, record: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
        """Raises ZooError, with the differences, where the run on disk was made by something else than `record`.

        `before` is what its run.yaml is to say in place of what it says.
        """
        before = before or self.record()
        if before is None:
            return
        before = {**before, "recipe": {**fields_at_their_defaults(record), **before.get("recipe", {})}}
        found = [line for key in IDENTITY for line in differences(key, before.get(key), plain(record[key]))]
        if same_data(before, record):
            found = [line for line in found if not line.startswith(tuple(f"dataset.{each}" for each in PLACE))]
        if found:
            raise ZooError(
                f"The run in {self.path} was made differently:\n  "
                + "\n  ".join(found)
                + "\nRepeat what made it to continue it, or choose another --out DIR or --seed."
                + with_changed_values(found, record)
            )

    def cut_back(self, steps: int) -> None:
        """Removes metrics, pictures and torn checkpoints of later steps: a resumed run equals an uninterrupted one."""
        self.checkpoints.discard_after(steps)
        for unfinished in self.path.glob(f"**/{WRITING}*"):  # a killed process left it: this one holds the lock
            unfinished.unlink()
        self.keep_metrics(lambda step: step <= steps)
        self.keep_pictures(lambda step: step <= steps)

    def keep_metrics(self, wanted: Callable[[float], bool]) -> None:
        """Keeps the lines of metrics.jsonl for whose step `wanted` is true; a torn last line is dropped in any case."""
        if self.metrics.exists():
            steps = {line: step_of(line) for line in self.metric_lines()}
            kept = [line for line, step in steps.items() if step < float("inf") and wanted(step)]
            with atomic_file(self.metrics) as file:
                file.write("".join(f"{line}\n" for line in kept).encode())

    def keep_pictures(self, wanted: Callable[[int], bool]) -> None:
        """Removes the sample pictures for whose step `wanted` is false."""
        for picture in self.pictures():
            if not wanted(step_of_picture(picture)):
                picture.unlink()

    def append_metrics(self, line: Mapping[str, Any]) -> None:
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain(line)) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """All lines of metrics.jsonl but a torn one, as dictionaries."""
        return [found for line in self.metric_lines() if (found := parsed(line)) is not None]

    def metric_lines(self) -> list[str]:
        """The lines of metrics.jsonl, the last of which may be torn."""
        return self.metrics.read_text(encoding="utf-8", errors="replace").splitlines() if self.metrics.exists() else []

    def pictures(self) -> list[Path]:
        """The sample pictures, earliest step first."""
        return sorted(path for path in self.samples.glob("step-*.png") if PICTURE.fullmatch(path.name))

    def picture(self, steps: int) -> Path:
        """The path of the picture of that step, whether it exists or not."""
        return self.samples / f"step-{steps:08d}.png"


def same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records are of the same samples and labels, wherever these lie and whatever they are called."""
    return bool(one["dataset"]["fingerprint"] == other["dataset"]["fingerprint"])


def step_of(line: str) -> float:
    """The step of a line of metrics.jsonl; infinite for a torn line, so that it counts as later than any step."""
    found = parsed(line)
    return float("inf") if found is None else int(found["step"])


def parsed(line: str) -> dict[str, Any] | None:
    """A line of metrics.jsonl as a dictionary; None for a torn one."""
    try:
        found = json.loads(line)
        int(found["step"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return dict(found)


def step_of_picture(path: Path) -> int:
    """1200 of `step-00001200.png`."""
    match = PICTURE.fullmatch(path.name)
    return int(match[1]) if match else 0


def with_changed_values(found: Sequence[str], record: Mapping[str, Any]) -> str:
    """How the run goes on with other recipe values, where nothing else differs."""
    if not all(line.startswith("recipe.") for line in found):
        return ""
    names = [line.removeprefix("recipe.").partition(":")[0] for line in found]
    options = " ".join(f"--change {name}={as_text(record['recipe'][name])}" for name in names)
    return f"\nTo let it go on with these values from where it stands: {options}, without --set of them."


def differences(name: str, old: Any, new: Any) -> list[str]:
    """`recipe.batch_size: 64 there, 32 here`, one line for each leaf that differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [line for key in keys for line in differences(f"{name}.{key}", old.get(key), new.get(key))]
    return [] if old == new else [f"{name}: {old!r} there, {new!r} here"]


def fields_at_their_defaults(record: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's fields that nobody set: a run from before there was such a field was trained with its default."""
    plugins = {"zoo default", *(each["name"] for each in record["plugins"])}
    return {name: plain(value) for name, value in record["recipe"].items() if record["recipe_sources"][name] in plugins}
