"""A run on disk, opened again: what made it, what it measured, and its generator."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from zoo import backend
from zoo.catalogue import load_plugin, read_catalogue
from zoo.errors import ZooError, ZooWarning
from zoo.recipe import Setting
from zoo.runs.checkpoints import read_path
from zoo.runs.directory import RunDirectory
from zoo.runs.finding import find_run
from zoo.runs.metrics import Metrics
from zoo.runs.pretrained import PACKED
from zoo.runs.trust import check_trusted
from zoo.training.data_of_run import TEST, DataOfRun
from zoo.training.run_yaml import recorded_plugin

if TYPE_CHECKING:  # what imports Keras is imported when it is needed
    from PIL.Image import Image

    from zoo.base.progress import Progress
    from zoo.data import Dataset
    from zoo.data.fields import Field
    from zoo.stacks.stack import Stack
    from zoo.training.projecting import Projection
    from zoo.training.sampler import Sampler


@dataclass(frozen=True)
class Run:
    """A run: what made it, what it measured, and its generator to sample from."""

    directory: RunDirectory
    dataset: str | None = None
    """Where the run's data is to be had now, for a generator that is given rows of it; None: as run.yaml says."""
    data_dir: Path | None = None
    """Where datasets live; None is the usual folder."""
    to: str = "samples"
    """The field that its generator's samples are of: see `toward`."""

    @classmethod
    def load(cls, path: Path | str, dataset: Path | str | None = None, data_dir: Path | str | None = None) -> Self:
        """Open a run by its directory, a folder with only one run in it, a pretrained name or an address (`hf://...`).

        `dataset` is where its data is to be had where that has moved, `data_dir` where datasets live; a generator that
        takes latents alone needs neither.
        """
        folder = None if data_dir is None else Path(data_dir)
        return cls(find_run(Path(path)), None if dataset is None else str(dataset), folder)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    @cached_property
    def record(self) -> dict[str, Any]:
        """run.yaml as a dictionary."""
        return self.directory.record() or {}

    @property
    def metrics(self) -> Metrics:
        """The lines of metrics.jsonl; `metrics.arrays` and `metrics.to_pandas()` have them by name."""
        return Metrics(self.directory.read_metrics())

    @cached_property
    def stack(self) -> "Stack":
        """The run's stack with the recipe that it was trained with."""
        entries = [recorded_plugin(each, self.path) for each in self.record["plugins"]]
        check_trusted(self.path, entries)
        backend.prepare()
        from zoo.stacks.stack import build_stack

        plugins = {each.name: load_plugin(each) for each in entries}
        values = [Setting(name, value, "run.yaml") for name, value in self.record["recipe"].items()]
        return build_stack(self.record["stack"], plugins, [("", values)])

    @cached_property
    def fields(self) -> "dict[str, Field]":
        """What the rows of the run's data hold, by name."""
        from zoo.data.fields import Field

        return {name: Field.from_record(each) for name, each in self.record["fields"].items()}

    @cached_property
    def sampler(self) -> "Sampler":
        """The generator of the last checkpoint, averaged where an average is kept."""
        return self.sampler_of(None)

    def sampler_at(self, checkpoint: Path) -> "Sampler":
        """The generator of one of the run's checkpoints, averaged where an average is kept."""
        return self.sampler_of(checkpoint)

    @backend.fixed()
    def sampler_of(self, checkpoint: Path | None) -> "Sampler":
        """The generator of a checkpoint, of the last whole one where none is named."""
        from zoo.training.loading import load_sampler

        record = self.record  # a damaged one is told before a missing checkpoint
        state = self.directory.last_checkpoint()[0] if checkpoint is None else read_path(checkpoint)[0]
        return replace(load_sampler(self.stack, record, state, self.rows), output=self.to)

    def toward(self, to: str) -> Self:
        """The run with its generator in the direction that ends in the field `to`: `source` is the way back (cyclegan).

        Raises ZooError where its generator has no such direction.
        """
        from zoo.training.translating import direction_to

        if to == self.to:
            return self
        direction_to(self.sampler, to)
        return replace(self, to=to)

    @property
    def made_field(self) -> "Field":
        """What a sample is."""
        return self.fields["samples"] if self.to == "samples" else self.sampler.samples_field

    def rows(self, numbers: Any) -> Any:
        """Held-out rows of the run's data by their numbers; of its training data, with a warning, as `held_out`."""
        return self.held_out.rows(numbers)

    @cached_property
    def held_out(self) -> "Dataset":
        """The test split of the run's data, read as it was for training.

        The training split, with a ZooWarning, where no other is to be had: `held_out.split` says which it is. A
        ZooWarning too where it was trained on the test split.
        """
        data, trained = self.data, self.record["dataset"]["split"]
        if data.trained_on_test:
            warnings.warn(
                f"{self.directory.called} was trained on the split '{trained}', its test split among it: the generator "
                "has seen these samples.",
                ZooWarning,
                stacklevel=2,
            )
        try:
            return data.split(TEST)
        except ZooError as error:
            found = data.split(trained)
            warnings.warn(
                f"No test split of the data of {self.directory.called} is to be had, so its training split "
                f"'{trained}' takes its place, which the generator has seen: {str(error).partition('. ')[0]}.",
                ZooWarning,
                stacklevel=2,
            )
            return found

    @property
    def made_of(self) -> str | None:
        """The split of the data that samples are made of; None where they are made of latents alone."""
        return self.held_out.split if self.sampler.needs_rows else None

    @property
    def data(self) -> DataOfRun:
        """The data that it was trained on, not opened yet."""
        return DataOfRun(self.record["dataset"], self.path, read_catalogue(), self.data_dir, self.dataset)

    @property
    def is_packed(self) -> bool:
        """Whether it holds the averaged weights alone, as `zoo pack` and `zoo push` leave them."""
        return (self.path / PACKED).exists()

    @property
    def generator(self) -> Any:
        """The keras model of the last checkpoint, with the weights that training ended with (not averaged)."""
        return self.sampler.generator

    @backend.fixed()
    def sample(
        self,
        count: int = 64,
        seed: int = 0,
        *,
        seeds: Sequence[int] | None = None,
        latents: Mapping[str, Any] | Path | str | Any = None,
        classes: Sequence[int | str] | int | str | None = None,
        conditions: Mapping[str, Any] | None = None,
        truncation: float | None = None,
    ) -> Any:
        """`count` samples, a function of the seed: uint8 (count, H, W, C), or points (count, D) in original units.

        `seeds` make a sample each instead, the same whatever stands beside it; so do `latents`: an array, arrays by the
        names of the generator's inputs, or a file of them.

        `classes` are those that a conditional generator goes round, by name or number; `conditions` replace any input
        of the generator by name, with one value for all samples or one for each; `truncation` in (0, 1] makes samples
        more typical and less varied.
        """
        sampler = self.sampler
        if seeds is not None or latents is not None:
            from zoo.training.drawing import one_by_one

            inputs, count = self.points(seeds, latents, seed, classes, conditions, truncation)
            return self.presented(one_by_one(sampler, inputs, [seed] * count if seeds is None else seeds))
        chosen = self.conditions(count, classes, conditions)
        return self.presented(sampler.samples(sampler.latents(count, seed, chosen, truncation), seed))

    @backend.fixed()
    def interpolate(
        self,
        seeds: Sequence[int] = (0, 1),
        frames: int = 60,
        *,
        latents: Mapping[str, Any] | Path | str | Any = None,
        loop: bool = False,
        seed: int = 0,
        classes: int | str | None = None,
        truncation: float | None = None,
    ) -> Any:
        """(frames, ...) samples on the great circles from each seed's latents, or those given, to the next.

        A `loop` returns to the first; `seed` is that of noise, which stays what it is.
        """
        from zoo.training.drawing import film

        given = None if latents is not None else seeds
        points, _ = self.points(given, latents, seed, classes, None, truncation)
        return self.presented(film(self.sampler, points, 1, frames, loop, seed)[:, 0])

    @backend.fixed()
    def mix(
        self,
        seeds: Sequence[int],
        others: Sequence[int],
        styles: Sequence[int],
        *,
        seed: int = 0,
        classes: int | str | None = None,
        truncation: float | None = None,
    ) -> Any:
        """(seeds, others, ...) samples: each of `seeds`, with the styles of the layers `styles` of each of `others`.

        Layer 0 is the coarsest; `seed` is that of noise. Raises ZooError where the generator is not style-based.
        """
        from zoo.training.drawing import mixed_styles, one_by_one

        coarse, fine = (self.points(each, None, seed, classes, None, truncation)[0] for each in (seeds, others))
        inputs = mixed_styles(self.sampler, coarse, fine, styles)
        made = self.presented(one_by_one(self.sampler, inputs, [seed] * (len(seeds) * len(others))))
        return made.reshape(len(seeds), len(others), *made.shape[1:])

    @backend.fixed()
    def picture(self, samples: Any = None, columns: int | None = None, **wanted: Any) -> "Image":
        """Samples as one PIL image: those given, as `sample`, `interpolate` or `mix` return them, or new ones.

        `wanted` are the options of `zoo sample`: see `write`.
        """
        from zoo.training.sample_files import picture, picture_of, wanted_of

        if samples is None:
            grid = {} if columns is None else {"grid": (-(-wanted.get("count", 64) // columns), columns)}
            return picture(self, wanted_of(**grid, **wanted))
        return picture_of(self, samples, columns)

    @backend.fixed()
    def write(self, out: Path | str | None = None, **wanted: Any) -> Path:
        """Write samples as `zoo sample --out` does: a picture, arrays, a folder of PNGs, a film; returns where.

        `wanted` are its options, the fields of zoo.training.sample_files.Wanted: count, seed, seeds, latents (a file),
        classes, conditions, truncation, grid, interpolate, loop, seconds, fps, mix, styles and others.
        """
        from zoo.training.sample_files import wanted_of, write_samples

        return write_samples(self, wanted_of(**wanted), None if out is None else Path(out))

    def points(
        self,
        seeds: Sequence[int] | None,
        latents: Any,
        seed: int,
        classes: Sequence[int | str] | int | str | None,
        conditions: Mapping[str, Any] | None,
        truncation: float | None,
    ) -> tuple[Any, int]:
        """The generator's inputs of seeds or of latents, and how many there are."""
        import numpy as np

        from zoo.training.drawing import of_arrays, of_seeds, read_latents

        if seeds is not None:
            if latents is not None:
                raise ZooError("seeds and latents both say of what samples are made. Give one.")
            chosen = self.conditions(len(seeds), classes, conditions)
            return of_seeds(self.sampler, seeds, chosen, truncation), len(seeds)
        arrays = read_latents(Path(latents)) if isinstance(latents, Path | str) else latents
        arrays = arrays if isinstance(arrays, Mapping) else {"latents": np.asarray(arrays)}
        count = len(next(iter(arrays.values())))
        chosen = self.conditions(count, classes, conditions)
        return of_arrays(self.sampler, arrays, seed, chosen, truncation), count

    @backend.fixed()
    def project(self, images: Any, progress: "Progress | bool" = False, **procedure: Any) -> "Projection":
        """The latents by which the generator comes closest to images: uint8 (N, H, W, C), or files of images.

        Files are cut to their centre square at the run's size. `procedure` are the fields of
        zoo.training.projecting.Procedure: steps, rate, features, styles, classes, seed.
        """
        from zoo.base.progress import as_progress
        from zoo.training.projecting import Procedure, given_images, project

        reporter = as_progress(progress)
        try:
            return project(self, given_images(self, images), Procedure(**procedure), reporter)
        finally:
            reporter.stop()

    @backend.fixed()
    def export(self, out: Path | str | None = None, **wanted: Any) -> Path:
        """Write the generator or discriminator for other programs; returns where.

        `wanted` are the fields of zoo.training.exporting.Export: format (saved_model, onnx, litert or keras), model,
        uint8.
        """
        from zoo.training.exporting import Export, export

        return export(self, Export(**wanted), None if out is None else Path(out))

    @backend.fixed()
    def translate(
        self,
        images: Any,
        *,
        to: str | None = None,
        classes: int | str | None = None,
        conditions: Mapping[str, Any] | None = None,
        from_samples: bool = False,
        seed: int = 0,
    ) -> Any:
        """What the generator makes of uint8 images (N, H, W, C): uint8 (N, H', W', C'), at any size that it bears.

        `to` is the field that the direction ends in, where it is not the run's own: `samples`, or `source` where there
        is a way back (cyclegan).
        `classes` and `conditions` say to what a conditional generator changes them. `from_samples` has the stack's
        tasks make the source (edges, gray) of the images first. Raises ZooError where the run does not translate.
        """
        from zoo.training.translating import translate

        chosen = self.conditions(1, classes, conditions)
        if "labels" in chosen:
            chosen["labels"] = chosen["labels"][0]
        return translate(self.sampler, images, to or self.to, chosen, from_samples, seed)

    def conditions(
        self, count: int, classes: Sequence[int | str] | int | str | None, others: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What replaces inputs of the generator: labels that go round the classes, and the others."""
        chosen = dict(others or {})
        if classes is not None:
            numbers = self.class_numbers([classes] if isinstance(classes, int | str) else classes)
            chosen["labels"] = [numbers[index % len(numbers)] for index in range(count)]
        return chosen

    def class_numbers(self, classes: Sequence[int | str]) -> list[int]:
        """The numbers of classes by name or number; raises ZooError for a generator that takes no labels."""
        if not self.sampler.generating.is_conditional:
            raise ZooError(
                f"The generator of '{self.record['stack']}' takes no classes: it is not conditional. zoo list variants "
                "says which are."
            )
        return [self.fields["labels"].class_number(str(each)) for each in classes]

    def presented(self, samples: Any) -> Any:
        """Samples as a user knows them: uint8 images, or points in original units."""
        return self.made_field.presented(samples)


load = Run.load
