"""What can be seen of a generator of latents: samples of seeds, moved along directions, walks, projected images."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from keras import ops

from zoo import backend
from zoo.errors import ZooError
from zoo.networks import TRUNCATION
from zoo.training.directions import Directions, found_directions
from zoo.training.drawing import as_given, film, of_arrays, of_seeds, write_latents
from zoo.training.latents import by_name, class_names
from zoo.training.names import LABELS, SAMPLES
from zoo.training.projecting import Procedure, project, read_image
from zoo.training.run import Run

Arrays = Mapping[str, np.ndarray]
LATENTS_FILE = "explored.npz"


@dataclass(frozen=True)
class Point:
    """Which sample is meant: what it is drawn by, and how far it is moved along directions."""

    seed: int = 0
    label: str | None = None  # a class by its name or number; None where the generator takes none
    truncation: float | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)  # of its other inputs
    amounts: Mapping[str, float] = field(default_factory=dict)  # by the directions' names
    latents: Arrays | None = None  # of a projected image, in place of the seed's

    @property
    def moved(self) -> dict[str, float]:
        """The directions along which it is moved."""
        return {name: amount for name, amount in self.amounts.items() if amount}


@dataclass
class LatentExplorer:
    """A run whose generator takes latents. Anything may be asked from any thread, one after the other."""

    run: Run
    lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        """Refuse what has no latents, and points."""
        if not self.run.fields[SAMPLES].is_image:
            raise ZooError("Images are explored, and this run makes points: zoo sample RUN draws them.")
        if self.run.sampler.needs_rows:
            raise ZooError(f"'{self.run.record['stack']}' makes samples of data: it has no latents to explore.")

    @cached_property
    def found(self) -> tuple[str, Directions]:
        """The name of the latents and their directions."""
        with backend.fixed():
            return found_directions(self.run.sampler, self.run.data.at_hand())

    @property
    def directions(self) -> Directions:
        """Unit vectors by name, as `zoo explain` finds them; those towards classes where the data is at hand."""
        return self.found[1]

    @cached_property
    def classes(self) -> list[str]:
        """What a conditional generator makes, by names where these have some; none where it takes no labels."""
        return class_names(self.run.sampler.generating)

    @cached_property
    def further_inputs(self) -> dict[str, tuple[int, ...]]:
        """The generator's inputs beside latents, labels and truncation, and the shape of a value of each."""
        inputs = by_name(self.run.sampler.latents(1, 0))
        known = (self.found[0], LABELS, TRUNCATION)
        return {name: tuple(each.shape[1:]) for name, each in inputs.items() if name not in known}

    @cached_property
    def standing(self) -> list[Any]:
        """Statistics that are recomputed over samples, once."""
        return self.run.sampler.standing_values()

    def inputs(self, point: Point) -> dict[str, np.ndarray]:
        """The generator's inputs of a point by name, (1, ...)."""
        sampler = self.run.sampler
        conditions = self.conditions(point)
        if point.latents is None:
            inputs = of_seeds(sampler, [point.seed], conditions, point.truncation)
        else:
            inputs = of_arrays(sampler, point.latents, point.seed, conditions)
        named = {name: ops.convert_to_numpy(each) for name, each in by_name(inputs).items()}
        name, directions = self.found
        for direction, amount in point.moved.items():
            named[name] = (named[name] + amount * directions[direction]).astype("float32")
        return named

    def conditions(self, point: Point) -> dict[str, Any]:
        """What replaces drawn inputs, a value for all."""
        label = {} if point.label is None else {LABELS: self.run.class_numbers([point.label])[0]}
        return {**point.conditions, **label}

    @backend.fixed()
    def sample(self, point: Point) -> np.ndarray:
        """uint8 (H, W, C)."""
        with self.lock:
            return self._sample(self.inputs(point), point.seed)

    def _sample(self, named: Arrays, seed: int) -> np.ndarray:
        sampler = self.run.sampler
        made = sampler.generate(as_given(sampler, named), sampler.noise_seeds(seed, 0), self.standing)
        return np.asarray(self.run.presented(ops.convert_to_numpy(made))[0])

    @backend.fixed()
    def samples(self, point: Point, seeds: Sequence[int]) -> list[np.ndarray]:
        """uint8 (H, W, C) of each seed, all else as at the point."""
        with self.lock:
            drawn = by_name(of_seeds(self.run.sampler, seeds, self.conditions(point), point.truncation))
            named = {name: ops.convert_to_numpy(each) for name, each in drawn.items()}
            rows = [{name: each[row : row + 1] for name, each in named.items()} for row in range(len(seeds))]
            return [self._sample(row, seed) for row, seed in zip(rows, seeds, strict=True)]

    @backend.fixed()
    def walk(self, point: Point, seeds: Sequence[int], frames: int, loop: bool) -> np.ndarray:
        """uint8 (frames, H, W, C) on the great circles from each seed to the next, as of `zoo sample --interpolate`."""
        with self.lock:
            points = of_seeds(self.run.sampler, seeds, self.conditions(point), point.truncation)
            made = film(self.run.sampler, points, 1, frames, loop, point.seed)[:, 0]
            return np.asarray(self.run.presented(made))

    @backend.fixed()
    def project(self, image: Path, procedure: Procedure, progress: Any = None) -> tuple[Any, np.ndarray, np.ndarray]:
        """(what `zoo project` finds for an image file, the image as it was given, uint8 (H, W, C), the sample)."""
        given = read_image(image, self.run.fields[SAMPLES].shape)
        with self.lock:
            found = project(self.run, given[None], procedure, progress)
        return found, given, found.samples[0]

    def save(self, point: Point, folder: Path) -> Path:
        """Write the point's latents into a folder, where `zoo sample --latents` reads them."""
        with self.lock:
            write_latents(folder / LATENTS_FILE, self.inputs(point))
        return folder / LATENTS_FILE

    def command(self, point: Point) -> str:
        """The command that makes the same sample; of a point that no seed makes, by the file that `save` writes."""
        words = ["zoo", "sample", self.run.directory.called]
        if point.moved or point.latents is not None:
            words += ["--latents", LATENTS_FILE, *(["--seed", str(point.seed)] if point.seed else [])]
            return shlex.join(words)
        words += ["--seeds", str(point.seed), *(["--class", point.label] if point.label is not None else [])]
        for name, value in point.conditions.items():
            words += ["--condition", f"{name}={','.join(f'{each:g}' for each in np.ravel(value))}"]
        return shlex.join(
            [*words, *(["--truncation", f"{point.truncation:g}"] if point.truncation is not None else [])]
        )
