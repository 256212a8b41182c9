"""A run's data found again: by the recorded name or path, beside the run, in the working directory, or named anew."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.progress import Progress, Silent
from zoo.catalogue import Catalogue
from zoo.catalogue.entries import match
from zoo.data.prepared.directory import SHORT
from zoo.data.splits import terms
from zoo.errors import ZooError
from zoo.training.run_yaml import data_options

if TYPE_CHECKING:
    from zoo.data import Dataset


EVERYTHING, TEST = "all", "test"  # splits


@dataclass(frozen=True)
class DataOfRun:
    """The dataset that a run was trained on, to be opened again; its fingerprint says that it is the same."""

    record: Mapping[str, Any]  # run.yaml's `dataset`
    run: Path  # the run directory
    catalogue: Catalogue
    data_dir: Path | None = None
    named: str | None = None  # the name or path by which the user says that it is to be had now
    progress: Progress = field(default_factory=Silent)

    def split(self, split: str) -> "Dataset":
        """A split, read as it was for training; raises ZooError where the data is not to be found."""
        return self.opened(self.name, split)

    @property
    def trained_on_test(self) -> bool:
        """Whether it was trained on the test split too, or on some of it, as `all` and `train+test` are."""
        return any(name in (EVERYTHING, TEST) for name, _, _ in terms(self.record["split"]))

    def held_out(self) -> "Dataset | None":
        """The test split; None where there is none that the run was not trained on."""
        try:
            return None if self.trained_on_test else self.split(TEST)
        except ZooError:  # which says that there is no such split
            return None

    def training(self) -> "Dataset":
        """What was trained on; raises ZooError where it is not to be found, or has changed."""
        found = self.split(self.record["split"])
        if found.fingerprint != self.record["fingerprint"]:
            raise ChangedData(
                f"The dataset '{self.name}' is not what the run was trained on: its fingerprint is "
                f"{found.fingerprint[:SHORT]}, run.yaml says {self.record['fingerprint'][:SHORT]}. Name the data to "
                "score against with --dataset."
            )
        return found

    def at_hand(self) -> "Dataset | None":
        """What was trained on, where that is to be had without a download; else None."""
        from zoo.data.opening import request_of

        try:
            split = self.record["split"]
            request = request_of(self.name, self.catalogue, data_options(self.record, self.name, self.catalogue, split))
            if request.entry.kind == "tfds" and request.prepared(self.data_dir) is None:
                return None
            return self.training()
        except ZooError:
            return None

    def is_at(self, name: str) -> bool:
        """Whether a name is another path of the run's data, which is the user's own."""
        from zoo.data.opening import is_path

        return is_path(name) and any(self.paths()) and self.is_same(name)

    def is_same(self, name: str) -> bool:
        """Whether the data under a name is what the run was trained on."""
        try:
            return bool(self.opened(name, self.record["split"]).fingerprint == self.record["fingerprint"])
        except ZooError:
            return False

    def opened(self, name: str, split: str) -> "Dataset":
        from zoo.data import open_dataset

        options = data_options(self.record, name, self.catalogue, split)
        return open_dataset(name, self.catalogue, data_dir=self.data_dir, options=options, progress=self.progress)

    @cached_property
    def name(self) -> str:
        """The name or path by which the data is opened: the first of the same fingerprint, else the recorded one."""
        recorded = str(self.record["name"])
        paths = list(dict.fromkeys(os.path.realpath(each) for each in self.paths()))
        is_known = match(recorded, self.catalogue.datasets) is not None
        if self.named is not None or not (is_known or paths):
            return self.named or recorded
        places = [*([recorded] if is_known else []), *paths]
        candidates = [each for each in places if (is_known and each == recorded) or Path(each).exists()]
        if candidates == places[:1]:
            return places[0]  # whoever asks for what was trained on compares the fingerprint
        if found := next((each for each in candidates if self.is_same(each)), None):
            return found
        if places[0] in candidates:
            return places[0]
        raise ZooError(
            f"The data that the run {self.run} was trained on is not to be found. Searched: {', '.join(paths)}. Say "
            "where it lies now: --dataset PATH."
        )

    def paths(self) -> Iterator[str]:
        """Where the user's own files may lie, the likeliest first; nothing for a dataset that is no path."""
        from zoo.data.opening import is_path

        name, path = str(self.record["name"]), self.record.get("path")
        run = self.run.resolve()
        if path is not None:
            yield path
            if "path_from_run" in self.record:
                yield str(run / self.record["path_from_run"])
        elif is_path(name):  # of an earlier version, which kept the spelling
            _, is_in, place = str(self.record["description"].get("source", "")).partition(" /")
            if is_in:
                yield f"/{place}"
            for folder in (Path.cwd(), *run.parents):
                yield str(folder / Path(name).expanduser())
        else:
            return
        last = Path(path or name).name
        yield str(Path.cwd() / last)


class ChangedData(ZooError):
    """Raised where a run's data is found, and is not what the run was trained on."""
