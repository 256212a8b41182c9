"""A run on disk, opened again: what made it, what it measured, and its generator."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.catalogue import load_plugin
from zoo.recipe import Setting
from zoo.runs.checkpoints import read_path
from zoo.runs.directory import RunDirectory, find_run
from zoo.training.run_yaml import recorded_plugin

if TYPE_CHECKING:  # what imports Keras is imported when it is needed
    from zoo.stacks.stack import Stack
    from zoo.training.sampler import Sampler


@dataclass(frozen=True)
class Run:
    """A run: what made it, what it measured, and its generator to sample from."""

    directory: RunDirectory

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    @cached_property
    def record(self) -> dict[str, Any]:
        """run.yaml as a dictionary."""
        return self.directory.record() or {}

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return self.directory.read_metrics()

    @cached_property
    def stack(self) -> "Stack":
        """The run's stack with the recipe that it was trained with."""
        backend.prepare()
        from zoo.stacks.stack import build_stack

        plugins = {each["name"]: load_plugin(recorded_plugin(each, self.path)) for each in self.record["plugins"]}
        values = [Setting(name, value, "run.yaml") for name, value in self.record["recipe"].items()]
        return build_stack(self.record["stack"], plugins, [("", values)])

    @cached_property
    def sampler(self) -> "Sampler":
        """The generator of the last checkpoint, averaged where an average is kept."""
        backend.prepare()
        from zoo.training.loading import last_state, load_sampler

        return load_sampler(self.stack, self.record, last_state(self.directory))

    def sampler_at(self, checkpoint: Path) -> "Sampler":
        """The generator of one of the run's checkpoints, averaged where an average is kept."""
        backend.prepare()
        from zoo.training.loading import load_sampler

        return load_sampler(self.stack, self.record, read_path(checkpoint)[0])

    @property
    def generator(self) -> Any:
        """The keras model of the last checkpoint, with the weights that training ended with (not averaged)."""
        return self.sampler.generator

    def sample(self, count: int = 64, seed: int = 0) -> Any:
        """`count` samples, a function of the seed: uint8 (count, H, W, C), or points (count, D) in original units."""
        return self.presented(self.sampler.samples(self.sampler.latents(count, seed)))

    def presented(self, samples: Any) -> Any:
        """Samples as a user knows them: uint8 images, or points in original units."""
        from zoo.base.pictures import to_uint8

        if len(self.record["dataset"]["sample_shape"]) == 3:
            return to_uint8(samples)
        return samples * self.record["dataset"]["scale"]


def load(path: Path | str) -> Run:
    """Open an earlier run by its directory, or by a folder with only one run in it."""
    return Run(find_run(Path(path)))
