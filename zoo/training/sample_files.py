"""Samples of a run as files: a picture, or the arrays themselves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo import backend
from zoo.base.files import atomic_file
from zoo.base.films import FPS, GIF, MP4, WEBP, check_film, save_film
from zoo.base.names import readable
from zoo.base.pictures import save_picture
from zoo.data.formats import NVLABS, ZIP, write_images, write_pngs
from zoo.errors import ZooError
from zoo.training.drawing import (
    added,
    as_given,
    film,
    mixed_styles,
    of_arrays,
    of_seeds,
    one_by_one,
    read_latents,
    write_latents,
)
from zoo.training.latents import by_name
from zoo.training.names import SAMPLES, STYLES
from zoo.training.run import Run

ARRAYS = (".npy", ".npz")
PICTURES = (".png", ".webp")
COUNT = 64  # samples
WALK_STEPS = 10  # columns of an interpolation
POINTS, SECONDS = 4, 4.0  # of each walk of a film
MOST_ROWS = 16  # of classes in a picture of all of them


@dataclass(frozen=True)
class Wanted:
    """Which samples are to be drawn."""

    count: int | None = None  # COUNT, POINTS of each walk of a film
    seed: int = 0
    seeds: Sequence[int] = ()  # each of a sample of its own, in place of count and seed
    latents: Path | None = None  # a file of latents in place of them
    plus: Sequence[Path] = ()  # whose mean is added to them
    minus: Sequence[Path] = ()
    interpolate: bool = False
    classes: Sequence[str] = ()  # by name or number
    conditions: Mapping[str, Any] = field(default_factory=dict)  # other inputs of the generator by name
    truncation: float | None = None
    mix: Sequence[int] = ()  # seeds whose styles are mixed into those of the others
    styles: Sequence[int] = ()  # which of them
    grid: tuple[int, int] | None = None  # rows and columns
    seconds: float | None = None  # of a film
    fps: float = FPS
    loop: bool = False
    kind: str | None = None  # of zoo.data.formats, in place of the file's own
    save_latents: Path | None = None  # a file that the generator's inputs are written to

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.seeds and self.latents:
            raise ZooError("--seeds and --latents both say which latents. Keep one.")
        if (self.plus or self.minus) and not self.latents:
            raise ZooError("--plus and --minus are added to the latents of a file: --latents FILE.")
        if bool(self.mix) != bool(self.styles):
            raise ZooError("Styles are mixed by --mix SEEDS with --styles LAYERS, such as --mix 3,7 --styles 0-3.")
        if self.mix and (self.interpolate or not (self.seeds or self.latents)):
            raise ZooError("--mix takes its rows from --seeds or --latents, and does not walk.")
        if not self.interpolate and (self.loop or self.seconds is not None):
            raise ZooError("--loop and --seconds are for walks: add --interpolate.")
        if self.save_latents and (self.interpolate or self.mix):
            raise ZooError("--save-latents writes the latents of samples: leave out --interpolate and --mix.")
        if self.fps <= 0 or (self.seconds is not None and self.seconds <= 0):
            raise ZooError("--fps and --seconds must be above 0.")

    @property
    def columns(self) -> int | None:
        """Of the grid, if one is wanted."""
        return self.grid[1] if self.grid else None

    @property
    def drawn(self) -> int:
        """How many samples are drawn where no seeds or latents are given."""
        return self.count or (self.grid[0] * self.grid[1] if self.grid else COUNT)

    def is_film(self, path: Path) -> bool:
        """Whether pictures follow one another in the file."""
        return self.interpolate and (path.suffix in (GIF, MP4) or (path.suffix == WEBP and self.seconds is not None))


def wanted_of(**options: Any) -> Wanted:
    """What is wanted by options as Python's callers give them: one class may stand alone, and so may one seed."""
    for name in ("classes", "seeds", "mix", "styles", "plus", "minus"):
        value = options.get(name, ())
        options[name] = [value] if isinstance(value, int | str | Path) else list(value)
    options["classes"] = [str(each) for each in options["classes"]]
    if "latents" in options:
        options["latents"] = Path(options["latents"])
    return Wanted(**options)


@dataclass(frozen=True)
class Drawn:
    """Samples as a user knows them, the columns of their picture, what they were made by, and their names."""

    samples: np.ndarray
    columns: int | None = None
    labels: np.ndarray | None = None
    names: Sequence[str] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def file_names(self) -> Sequence[str]:
        """A name for each sample."""
        digits = max(4, len(str(len(self.samples) - 1)))
        return self.names or [f"{number:0{digits}}" for number in range(len(self.samples))]


@backend.fixed()
def write_samples(run: Run, wanted: Wanted, out: Path | None) -> Path:
    """Draw samples and write them as the file's ending says, below the run directory where no file is named.

    A name without an ending is a folder of PNGs. A film is written of a walk.
    """
    direction = "" if run.to == SAMPLES else f"-to-{run.to}"
    path = out or run.directory.outputs / "samples" / f"{default_name(wanted)}{direction}.png"
    is_folder = not path.suffix and wanted.kind is None
    check_kind(run, wanted, path, is_folder)
    with naming_the_way_out(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if wanted.is_film(path):
        frames, columns = film_of(run, wanted)
        pictures = pictured(run, frames, columns)
        with naming_the_way_out(path):
            save_film(pictures, path, wanted.fps)
    elif path.suffix in PICTURES and not wanted.kind:
        drawn_picture = picture(run, wanted)
        with naming_the_way_out(path):
            save_picture(drawn_picture, path)
    else:
        write_drawn(run, wanted, walks(run, wanted) if wanted.interpolate else samples(run, wanted, False), path)
    return path


def write_drawn(run: Run, wanted: Wanted, drawn: Drawn, path: Path) -> None:
    """Write samples one by one: for another tool, as a folder of PNGs, or as arrays."""
    tool = NVLABS if path.suffix == ZIP else wanted.kind
    keep_latents(wanted, drawn)
    with naming_the_way_out(path):
        if tool:
            write_images(drawn.samples, drawn.labels, run.fields["samples"].class_names, path, tool)
        elif path.suffix in ARRAYS:
            write_arrays(drawn, path)
        else:
            write_pngs(drawn.samples, drawn.file_names(), path)


def default_name(wanted: Wanted) -> str:
    """`samples-seed-3`, `walks-seed-3-truncation-0.7`, `samples-seeds-0-to-9-Bag`, `mixed-of-faces` of a file."""
    parts = ["walks" if wanted.interpolate else "mixed" if wanted.mix else "samples"]
    if wanted.latents:
        parts.append(f"of-{wanted.latents.stem}")
    elif len(wanted.seeds) > 1:
        parts.append(f"seeds-{wanted.seeds[0]}-to-{wanted.seeds[-1]}")
    else:
        parts.append(f"seed-{wanted.seeds[0] if wanted.seeds else wanted.seed}")
    parts += [f"truncation-{wanted.truncation:g}"] if wanted.truncation is not None else []
    return "-".join([*parts, *map(readable, wanted.classes)])


def check_kind(run: Run, wanted: Wanted, path: Path, is_folder: bool) -> None:
    """Raise ZooError, before anything is drawn, for a file that samples can't be written as."""
    known = (*PICTURES, *ARRAYS, ZIP)
    if wanted.is_film(path):
        check_film(path)
    elif not (is_folder or wanted.kind or path.suffix in known):
        raise ZooError(
            f"Samples can't be written as '{path.name}'. Available: {', '.join(known)}, a folder, and with "
            f"--interpolate {GIF} and {MP4}."
        )
    elif is_folder and not run.made_field.is_image:
        raise ZooError(f"A folder is for images, and these samples are points. Write {path}.npy.")


def keep_latents(wanted: Wanted, drawn: Drawn) -> None:
    """Write the generator's inputs where that is wanted."""
    if wanted.save_latents is not None:
        write_latents(wanted.save_latents, drawn.inputs)


@contextmanager
def naming_the_way_out(path: Path) -> Iterator[None]:
    """Raises ZooError where a file can't be written, as in a run that is read-only."""
    try:
        yield
    except OSError as error:
        raise ZooError(
            f"Can't write samples to {path}: {error.strerror or error}. Choose another file with --out FILE."
        ) from error


def write_arrays(drawn: Drawn, path: Path) -> None:
    """Samples as an .npy file, or with their labels as an .npz."""
    with atomic_file(path) as file:
        if path.suffix == ".npy":
            np.save(file, drawn.samples)
        else:
            labels = {} if drawn.labels is None else {"labels": drawn.labels}
            np.savez_compressed(file, samples=drawn.samples, **labels)  # type: ignore[arg-type]


def samples(run: Run, wanted: Wanted, in_rows: bool) -> Drawn:
    """Samples, those of a conditional generator by the wanted classes one after the other.

    Without a wanted class, a picture has a row for each of them (`in_rows`), and arrays the proportions of the data.
    """
    if wanted.mix:
        return mixed(run, wanted)
    if wanted.seeds or wanted.latents:
        return chosen(run, wanted)
    generating = run.sampler.generating
    conditions, columns = dict(wanted.conditions), wanted.columns
    count = wanted.drawn
    if wanted.classes:
        numbers = run.class_numbers(wanted.classes)
        conditions["labels"] = np.arange(count, dtype="int32") * len(numbers) // count
        conditions["labels"] = np.asarray(numbers, "int32")[conditions["labels"]]
        columns = columns or (-(-count // len(numbers)) if len(numbers) > 1 else None)
    elif generating.is_conditional and in_rows and not generating.reads_batch:
        rows = wanted.grid[0] if wanted.grid else min(generating.classes or 1, MOST_ROWS)
        columns = columns or -(-count // rows)
        count = rows * columns
        conditions["labels"] = run.sampler.labels_of_rows(rows, columns)
    inputs = run.sampler.latents(count, wanted.seed, conditions, wanted.truncation)
    return drawn_of(run, inputs, run.sampler.samples(inputs, wanted.seed), columns)


def drawn_of(run: Run, inputs: Any, made: np.ndarray, columns: int | None, names: Sequence[str] = ()) -> Drawn:
    """Made samples with what they were made by."""
    named = by_name(inputs)
    labels = np.asarray(named["labels"]) if "labels" in named else None
    return Drawn(run.presented(made), columns, labels, names, named)


def chosen(run: Run, wanted: Wanted) -> Drawn:
    """The samples of seeds or of a file's latents, each made by itself; of several classes, all of them of each."""
    parts, names = [], list[str]()
    stems = [f"seed{seed:04}" for seed in wanted.seeds]
    classes: Sequence[str | None] = wanted.classes or [None]
    for name in classes:
        numbers = {} if name is None else {"labels": run.class_numbers([name])[0]}
        parts.append(by_name(points_of(run, wanted, {**wanted.conditions, **numbers})))
        names += [f"{readable(name)}-{stem}" if name and len(wanted.classes) > 1 else stem for stem in stems]
    inputs = {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}
    count = len(next(iter(parts[0].values())))
    if wanted.grid and wanted.grid[0] * wanted.grid[1] != count * len(parts):
        rows, columns = wanted.grid
        raise ZooError(f"--grid {rows}x{columns} has {rows * columns} places; there are {count * len(parts)} samples.")
    seeds = wanted.seeds or [wanted.seed] * count
    made = one_by_one(run.sampler, as_given(run.sampler, inputs), [*seeds] * len(parts))
    return drawn_of(run, inputs, made, wanted.columns or (count if len(parts) > 1 else None), names)


def points_of(run: Run, wanted: Wanted, conditions: Mapping[str, Any]) -> Any:
    """The generator's inputs of the wanted seeds, or of the wanted file."""
    if wanted.seeds:
        return of_seeds(run.sampler, wanted.seeds, conditions, wanted.truncation)
    if wanted.latents is None:  # the callers ask for one of both
        raise ZooError("Neither seeds nor latents are given.")
    arrays: Mapping[str, np.ndarray] = read_latents(wanted.latents)
    if wanted.plus or wanted.minus:
        arrays = added(arrays, [read_latents(each) for each in wanted.plus], [read_latents(e) for e in wanted.minus])
    return of_arrays(run.sampler, arrays, wanted.seed, conditions, wanted.truncation)


def mixed(run: Run, wanted: Wanted) -> Drawn:
    """A row for each sample, a column for each seed whose styles are mixed into it."""
    conditions = dict(wanted.conditions)
    if wanted.classes:
        conditions["labels"] = run.class_numbers(wanted.classes)[0]
    fine = of_seeds(run.sampler, wanted.mix, conditions, wanted.truncation)
    inputs = mixed_styles(run.sampler, points_of(run, wanted, conditions), fine, wanted.styles)
    made = one_by_one(run.sampler, inputs, [wanted.seed] * len(inputs[STYLES]))
    return drawn_of(run, inputs, made, len(wanted.mix))


def walks(run: Run, wanted: Wanted) -> Drawn:
    """Walks, a row for each: between pairs of samples, or from each of the wanted points to the next."""
    if wanted.seeds or wanted.latents:
        points = {name: np.asarray(each) for name, each in by_name(walk_points(run, wanted, 1)).items()}
        count = len(next(iter(points.values())))
        ends = [(row, (row + 1) % count) for row in range(count if wanted.loop else count - 1)]
        pairs = [{name: each[[*pair]] for name, each in points.items()} for pair in ends]
        rows = [film(run.sampler, each, 1, WALK_STEPS, False, wanted.seed)[:, 0] for each in pairs]
        if not rows:
            raise ZooError("A walk needs two points or more; received 1.")
        return Drawn(run.presented(np.concatenate(rows)), WALK_STEPS)
    count = -(-wanted.drawn // WALK_STEPS)
    conditions = dict(wanted.conditions)
    if wanted.classes:
        numbers = run.class_numbers(wanted.classes)
        conditions["labels"] = np.repeat([numbers[row % len(numbers)] for row in range(count)], WALK_STEPS)
    sampler = run.sampler
    inputs = sampler.interpolations(count, WALK_STEPS, wanted.seed, conditions, wanted.truncation)
    return drawn_of(run, inputs, sampler.samples(inputs, wanted.seed), WALK_STEPS)


def walk_points(run: Run, wanted: Wanted, cells: int) -> Any:
    """The points of walks that go side by side: those of seeds or of a file, else drawn ones."""
    conditions = dict(wanted.conditions)
    count = cells * (wanted.count or POINTS)
    if wanted.seeds or wanted.latents:
        count = len(wanted.seeds) or len(next(iter(by_name(points_of(run, wanted, {})).values())))
    if wanted.classes:
        numbers = np.asarray(run.class_numbers(wanted.classes), "int32")
        conditions["labels"] = numbers[np.arange(count) * cells // count % len(numbers)]
    if wanted.seeds or wanted.latents:
        return points_of(run, wanted, conditions)
    return run.sampler.latents(count, wanted.seed, conditions, wanted.truncation)


def film_of(run: Run, wanted: Wanted) -> tuple[np.ndarray, int]:
    """Frames (T, cells, ...) of walks in a grid, and its columns."""
    rows, columns = wanted.grid or (1, 1)
    frames = max(2, round((wanted.seconds or SECONDS) * wanted.fps))
    points = walk_points(run, wanted, rows * columns)
    return run.presented(film(run.sampler, points, rows * columns, frames, wanted.loop, wanted.seed)), columns


def pictured(run: Run, frames: np.ndarray, columns: int) -> list[Any]:
    """A picture of each frame."""
    centres = run.record["dataset"]["description"].get("centres")
    real = np.array(centres) if centres else frames.reshape(-1, *frames.shape[2:])
    return [run.made_field.picture(each, columns, real) for each in frames]


def is_translation(run: Run) -> bool:
    """Whether samples are pictures that are made of data."""
    return run.sampler.generating.reads_batch and run.sampler.samples_field.is_image


def picture(run: Run, wanted: Wanted) -> Any:
    """A grid of images, what a translation made beside its sources, or points over the mixture's centres."""
    if wanted.interpolate:
        drawn = walks(run, wanted)
    elif is_translation(run) and not (wanted.classes or wanted.conditions or wanted.seeds or wanted.latents):
        from zoo.training.sheets import translation_sheet

        return translation_sheet(run.sampler, wanted.drawn, wanted.seed)
    else:
        drawn = samples(run, wanted, in_rows=True)
    keep_latents(wanted, drawn)
    if wanted.mix and run.made_field.is_image:
        drawn = with_margins(run, wanted, drawn)
    return picture_of(run, drawn.samples, drawn.columns)


def picture_of(run: Run, samples: Any, columns: int | None = None) -> Any:
    """Samples as a user knows them as a picture; of (rows, columns, ...) as `Run.mix` returns them, in that grid."""
    of, made = run.made_field, np.asarray(samples)
    if made.ndim == len(of.shape) + 2:
        columns, made = columns or made.shape[1], made.reshape(-1, *made.shape[2:])
    if made.shape[1:] != of.shape and not (of.is_image and made.ndim == 4):
        raise ZooError(f"Expected samples (N, {', '.join(map(str, of.shape))}) of this run; got {made.shape}.")
    centres = run.record["dataset"]["description"].get("centres")
    return of.picture(made, columns, np.array(centres) if centres else None)


def with_margins(run: Run, wanted: Wanted, drawn: Drawn) -> Drawn:
    """Mixed samples with their origins: at the left what gave all styles, on top what gave the chosen ones."""
    left = chosen(run, replace(wanted, mix=(), styles=())).samples
    top = chosen(run, replace(wanted, seeds=wanted.mix, latents=None, plus=(), minus=(), mix=(), styles=())).samples
    made = drawn.samples.reshape(len(left), len(top), *drawn.samples.shape[1:])
    body = np.concatenate([left[:, None], made], axis=1)
    head = np.concatenate([np.full_like(top[:1], 255), top])[None]
    whole = np.concatenate([head, body])
    return Drawn(whole.reshape(-1, *whole.shape[2:]), len(top) + 1)
