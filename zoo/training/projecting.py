"""The latents of images: those by which a run's generator comes closest to them, found by gradient descent."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from zoo import backend
from zoo.base.interrupts import stop_requests
from zoo.base.pictures import grid, save_picture
from zoo.base.progress import Progress, Silent
from zoo.data.images import ENDINGS, UNREADABLE, opened, resized_to, square, with_channels
from zoo.errors import ZooError
from zoo.training.drawing import as_given, styles_of, write_latents
from zoo.training.latents import by_name
from zoo.training.names import SAMPLES, STYLES
from zoo.training.sampler import Sampler

if TYPE_CHECKING:
    from zoo.training.run import Run

CANDIDATES = 256  # drawn samples, the nearest of which it begins with
MAPS = ("stride_8", "stride_16")  # of EfficientNet-Lite0
SEEN = 64  # pixels to which smaller images are enlarged for it
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's
EVERY = 10  # steps between reports


@dataclass(frozen=True)
class Procedure:
    """How latents are looked for: Adam from the nearest of drawn samples, at a rate that falls to zero as a cosine.

    The distance is the mean squared error of pixels in [-1, 1], and `features` times that of EfficientNet-Lite0's
    maps, each position's channels at length one (as in Zhang et al. 2018, https://arxiv.org/abs/1801.03924). Latents
    become no longer than the longest drawn one. Styles (`styles`, Karras et al. 2019, appendix D) are not held back.
    """

    steps: int = 300  # for each image
    rate: float = 0.1
    features: float = 1.0
    styles: bool = False
    classes: int | str | None = None  # of a conditional run; None: the nearest sample's
    seed: int = 0


@dataclass(frozen=True)
class Projection:
    """What was found of images, a row for each: inputs of the generator, what it makes of them, and how near that is.

    `interrupted` is the number of the signal that ended the search early, None where none did.
    """

    latents: Mapping[str, np.ndarray]
    samples: np.ndarray  # as a user knows them: uint8 (N, H, W, C)
    distances: np.ndarray  # (N,)
    first_distances: np.ndarray  # (N,), of the samples that it began with
    interrupted: int | None = None


@dataclass
class Projector:
    """A generator, and the distance of its samples to an image."""

    sampler: Sampler
    procedure: Procedure
    labels: Any = None  # the number of the class that is asked for
    programs: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Refuse generators of data, and styles where there are none."""
        if self.sampler.needs_rows:
            raise ZooError(f"'{self.sampler.stack.name}' makes samples of data: it has no latents to look for.")
        if self.procedure.styles and self.sampler.generating.synthesis is None:
            raise ZooError(f"'{self.sampler.stack.name}' has no styles: its generator is not style-based.")

    @cached_property
    def network(self) -> keras.Model | None:
        """EfficientNet-Lite0's maps of samples; None where only pixels count."""
        shape = self.sampler.samples_field.shape
        if not self.procedure.features or not self.sampler.samples_field.is_image or shape[-1] not in (1, 3):
            return None
        from zoo.feature_networks import efficientnet_lite0

        whole = efficientnet_lite0(shape, SEEN if min(shape[:2]) < SEEN else None)
        return keras.Model(whole.input, [unit(whole.output[name]) for name in MAPS])

    @cached_property
    def standing(self) -> list[Any]:
        """Statistics that are recomputed over data."""
        return self.sampler.standing_values()

    @cached_property
    def candidates(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Inputs by name that the search begins with, a row each, and their samples."""
        conditions = {} if self.labels is None else {"labels": self.labels}
        inputs = self.sampler.latents(CANDIDATES, self.procedure.seed, conditions)
        named: Mapping[str, Any] = (
            {STYLES: styles_of(self.sampler, inputs)} if self.procedure.styles else by_name(inputs)
        )
        found = {name: ops.convert_to_numpy(each) for name, each in named.items()}
        made = [self.made({name: each[row : row + 1] for name, each in found.items()}) for row in range(CANDIDATES)]
        return found, np.concatenate(made)

    def made(self, named: Mapping[str, Any]) -> np.ndarray:
        """The sample of one row, in [-1, 1], with the noise of the seed: what `zoo sample --latents` makes of it."""
        states = self.sampler.noise_seeds(self.procedure.seed, 0)
        return np.asarray(ops.convert_to_numpy(self.sampler.generate(self.given(named), states, self.standing)))

    def given(self, named: Mapping[str, Any]) -> Any:
        """A row as the generator takes it."""
        return dict(named) if STYLES in named else as_given(self.sampler, named)

    def maps(self, samples: Any) -> list[Any]:
        """What the network sees of samples."""
        return [] if self.network is None else list(self.network(samples, training=False))

    def distances(self, samples: Any, targets: Any, seen: Sequence[Any]) -> Any:
        """(B,) of samples to one image, of which the network sees `seen`."""
        found = mean_of_rows(ops.square(samples - targets))
        for mine, other in zip(self.maps(samples), seen, strict=True):  # unit lengths: the sum over channels counts
            found += self.procedure.features * mean_of_rows(ops.sum(ops.square(mine - other), axis=-1))
        return found

    def compiled(self, name: str, function: Any) -> Any:
        """A function of this projector, compiled once for all images."""
        if name not in self.programs:
            further = self.network.variables if self.network is not None else []
            read = [*self.sampler.generator.variables, *self.sampler.average, *further]
            self.programs[name] = self.sampler.engine.compiled_here(function, read)
        return self.programs[name]

    def descent(self, moved: Mapping[str, Any], kept: Mapping[str, Any], targets: Any, seen: Any, states: Any) -> Any:
        """The distance of the sample of `moved` and `kept` inputs, and its gradient by the moved ones."""

        def distance(values: Mapping[str, Any]) -> Any:
            named = {**kept, **values}
            return self.distances(self.sampler.answered(self.given(named), states, self.standing), targets, seen)

        return distance(moved), self.sampler.engine.input_gradients(distance, dict(moved))

    def found(self, target: np.ndarray, note: Any, stopped: Any) -> tuple[dict[str, np.ndarray], float, float]:
        """The best row of inputs for one image (H, W, C) in [-1, 1], its distance, and that of the beginning.

        `note(step)` is told of progress; once `stopped()` is true the best so far is returned.
        """
        targets = ops.convert_to_tensor(target[None])
        seen = self.compiled("maps", self.maps)(targets) if self.network is not None else []
        measure = self.compiled("distances", self.distances)
        inputs, made = self.candidates
        parts = [measure(each, targets, seen) for each in np.split(made, max(1, CANDIDATES // 32))]
        nearest = int(np.argmin(np.concatenate([ops.convert_to_numpy(each) for each in parts])))
        row = {name: each[nearest : nearest + 1] for name, each in inputs.items()}
        walked = [STYLES] if STYLES in row else self.sampler.walked(row)
        moved = {name: row[name] for name in walked if name != "truncation"}
        kept = {name: each for name, each in row.items() if name not in moved}
        longest = {name: float(np.linalg.norm(inputs[name], axis=-1).max()) for name in moved if name != STYLES}
        descend, states = self.compiled("descent", self.descent), self.sampler.noise_seeds(self.procedure.seed, 0)
        first = {name: np.zeros_like(each) for name, each in moved.items()}
        second, best, distances = dict(first), dict(moved), list[float]()
        for step in range(1, self.procedure.steps + 1):
            distance, gradients = descend(moved, kept, targets, seen, states)
            distances.append(float(ops.convert_to_numpy(distance)[0]))
            best = dict(moved) if distances[-1] <= min(distances) else best
            note(step)
            if stopped():
                break
            rate = self.procedure.rate * (1 + math.cos(math.pi * (step - 1) / self.procedure.steps)) / 2
            rate *= math.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
            for name, each in moved.items():
                gradient = ops.convert_to_numpy(gradients[name])
                first[name] = BETA_1 * first[name] + (1 - BETA_1) * gradient
                second[name] = BETA_2 * second[name] + (1 - BETA_2) * gradient**2
                stepped = each - rate * first[name] / (np.sqrt(second[name]) + EPSILON)
                moved = {**moved, name: shortened(stepped, longest.get(name)).astype("float32")}
        return {**kept, **best}, min(distances), distances[0]


def unit(maps: Any) -> Any:
    """Maps (B, H, W, C) whose positions have length one."""
    return maps * ops.rsqrt(ops.sum(ops.square(maps), axis=-1, keepdims=True) + 1e-10)


def mean_of_rows(values: Any) -> Any:
    """(B,) of (B, ...)."""
    return ops.mean(ops.reshape(values, (ops.shape(values)[0], -1)), axis=-1)


def shortened(vectors: np.ndarray, longest: float | None) -> np.ndarray:
    """Vectors no longer than that."""
    if longest is None:
        return vectors
    return vectors * np.minimum(1, longest / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def project(run: "Run", images: np.ndarray, procedure: Procedure, progress: Progress | None = None) -> Projection:
    """The latents of images as the run's data holds them: uint8 (N, H, W, C), or points (N, D) in original units.

    Ctrl-C or another signal ends the search, and the best so far of each image that was begun is returned.
    """
    progress, of = progress or Silent(), run.fields[SAMPLES]
    if np.shape(images)[1:] != of.shape or not len(images):
        raise ZooError(f"Expected images (N, {', '.join(map(str, of.shape))}) as the run makes them; got "
                       f"{np.shape(images)}.")  # fmt: skip
    targets = of.computed(np.asarray(images))
    numbers = None if procedure.classes is None else run.class_numbers([procedure.classes])[0]
    projector = Projector(run.sampler, procedure, numbers)
    rows, ends, starts = list[dict[str, np.ndarray]](), list[float](), list[float]()
    total = len(targets) * procedure.steps
    with stop_requests() as request:
        for number, target in enumerate(targets):

            def note(step: int, before: int = number * procedure.steps) -> None:
                if not (before + step) % EVERY or before + step == total:
                    progress.counting("projecting", before + step, total)

            row, end, start = projector.found(target, note, lambda: request.number is not None)
            rows.append(row)
            ends.append(end)
            starts.append(start)
            if request.number is not None:
                break
    latents = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    made = run.presented(np.concatenate([projector.made(row) for row in rows]))
    return Projection(latents, made, np.array(ends), np.array(starts), request.number)


@backend.fixed()
def project_files(
    run: "Run", images: Sequence[Path], out: Path | None, procedure: Procedure, progress: Progress
) -> dict[str, Any]:
    """Project image files, each cut to its centre square at the run's size; returns what was found, JSON-ready.

    The latents go into `out`, which `zoo sample --latents` reads, and a picture of each image beside its sample into a
    .png of the same name.
    """
    of = run.fields[SAMPLES]
    path = out or run.directory.outputs / "samples" / f"projected-{images[0].stem}.npz"
    if path.suffix != ".npz":
        raise ZooError(f"Latents are written as an .npz; received --out {path}.")
    given = given_images(run, images)
    found = project(run, given, procedure, progress)
    count = len(found.distances)
    write_latents(path, {**found.latents, "distances": found.distances})
    pairs = np.stack([given[:count], found.samples], axis=1).reshape(-1, *of.shape)
    save_picture(grid(pairs, 2), path.with_suffix(".png"))
    if found.interrupted:
        progress.note(f"Interrupted: the best so far of {count} of {len(given)} images is kept.")
    ends = zip(images[:count], found.distances, found.first_distances, strict=True)
    return {
        "run": str(run.path),
        "latents": str(path),
        "picture": str(path.with_suffix(".png")),
        "images": [{"image": str(name), "distance": float(end), "first": float(first)} for name, end, first in ends],
        "interrupted": found.interrupted,
    }


def given_images(run: "Run", images: Any) -> np.ndarray:
    """Images as arrays: read where they are given as files."""
    files = [images] if isinstance(images, str | Path) else images
    if not isinstance(files, Sequence) or not all(isinstance(each, str | Path) for each in files):
        return np.asarray(images)
    if not run.fields[SAMPLES].is_image:
        raise ZooError("Images are projected, and this run makes points.")
    return np.stack([read_image(Path(each), run.fields[SAMPLES].shape) for each in files])


def read_image(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """uint8 (H, W, C) of a file: the centre square, resized, where the run's images are square, else squeezed."""
    if path.suffix.lower() not in ENDINGS:
        raise ZooError(f"{path} is no image: known endings are {', '.join(ENDINGS)}.")
    height, width, channels = shape
    try:
        pixels = with_channels(opened(path.read_bytes(), path.name), path.name, channels)
    except FileNotFoundError as error:
        raise ZooError(f"There is no {path}.") from error
    except UNREADABLE as error:
        raise ZooError(f"{path} can't be read as an image: {error}.") from error
    return square(pixels, None, height) if height == width else resized_to(pixels, (height, width))
