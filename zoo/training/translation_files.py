"""Images of a file, folder or zip, translated in batches of one size of the network and written beside one another."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from zoo import backend
from zoo.base.files import atomic_file, check_writable, unwritable
from zoo.base.interrupts import Interrupted
from zoo.base.pictures import as_rgb, grid, save_picture
from zoo.base.progress import Progress
from zoo.data import images
from zoo.data.sources.contract import shortened
from zoo.data.sources.trees import Entry, Tree
from zoo.errors import ZooError
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.training.names import SAMPLES
from zoo.training.run import Run
from zoo.training.translating import Size, Translator, direction_to, padded_side
from zoo.training.translation_places import Manifest, found_files, made_by, planned_image, targets_of

BATCH = 16  # images
MOST_PIXELS = 2**22  # of a batch
SHEET_ROWS = 5  # of a sheet, at most
SHEET_SIZE = 128  # pixels of an image of a sheet, at most
SHEET_COLUMNS = 4  # pairs, unless asked for others
LYING = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
LEFT_OUT = (*images.UNREADABLE, ZooError)  # a ZooError: too many pixels, or values of unknown range


@dataclass(frozen=True)
class Translation:
    """What is to be translated, and how."""

    to: str = SAMPLES
    classes: tuple[str, ...] = ()
    conditions: dict[str, Any] = field(default_factory=dict)
    from_samples: bool = False
    own_size: bool = True
    seed: int = 0
    batch: int = BATCH
    overwrite: bool = False  # what is in the folder, whoever made it

    @property
    def options(self) -> dict[str, Any]:
        """What results depend on, as a folder's manifest keeps it."""
        names = ("to", "classes", "conditions", "from_samples", "own_size", "seed")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Picture:
    """One image as it was read: pixels for the network, and its transparency, (H, W) uint8, where it has some."""

    name: str
    pixels: np.ndarray
    alpha: np.ndarray | None


@dataclass
class Account:
    """What became of the images."""

    images: int = 0  # translated now
    at_trained_size: int = 0
    left_out: dict[str, str] = field(default_factory=dict)  # why, by name
    first_of: list[str] = field(default_factory=list)  # files of several pictures, of which the first is translated
    first: set[str] = field(default_factory=set)  # that are shown on a sheet
    shown: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # before and after

    def lines(self, trained_size: Size) -> Iterator[str]:
        """What is to be said of it."""
        if self.at_trained_size:
            yield (
                f"{self.at_trained_size:,} images were translated at {' x '.join(map(str, trained_size))} pixels, as "
                "the network was trained, and enlarged or reduced to their own size."
            )
        if self.first_of:
            files = f"{len(self.first_of):,} ({shortened(self.first_of)})"
            yield f"Files of several pictures, of which the first was translated: {files}."
        if self.left_out:
            yield f"Unreadable, left out: {len(self.left_out):,} ({self.unreadable})."

    @property
    def unreadable(self) -> str:
        """`a.png, b.png and 3 more; a.png: no image, or a damaged one`, of the first one why."""
        name, why = next(iter(self.left_out.items()))
        return f"{shortened(list(self.left_out))}; {name}: {why.removeprefix(name).strip()}"


@backend.fixed()
def translate_files(
    run: Run,
    given: Path,
    out: Path,
    wanted: Translation,
    sheet: Path | None,
    progress: Progress,
    columns: int = SHEET_COLUMNS,
) -> dict[str, Any]:
    """Translate an image, or all below a folder or in a zip, into `out`: a file, or a folder with files of equal names.

    Every result is a PNG, in RGBA where the image is transparent somewhere. Unreadable files are left out and named.
    `sheet` is a picture of the first of them, `columns` in a row. What a folder's manifest says is done and unchanged
    is not made again. Raises ZooError where nothing can be read or written, and where a result would replace an image
    that is read or one made in another way; Interrupted, which says what is written, where a signal ends it.
    """
    translator = translator_of(run, wanted)
    files, entries = found_files(given, out)
    targets = targets_of([each.path for each in entries], given, out)
    check_places(targets, sheet)
    folder = None if out in targets.values() else out
    made = made_by(str(run.path), last_step(run), run.sampler, wanted.options)
    planned = {each.path: planned_image(each, given, targets[each.path], folder) for each in entries}
    manifest = Manifest.begun(folder, made, planned, wanted.overwrite)
    before = manifest.count(entries)
    work = Work(files, entries, translator, manifest, progress)
    try:
        work.translate(wanted, shown=0 if sheet is None else SHEET_ROWS * columns)
    except KeyboardInterrupt as ending:
        number = getattr(ending, "number", signal.SIGINT)
        written = f"{manifest.count(entries):,} of {len(entries):,} images are written to {out}"
        raise Interrupted(number, f"Interrupted: {written}. The same command goes on from there.") from ending
    finally:
        manifest.save()
    account = work.account
    if not account.images + before:
        raise ZooError(f"No image of {given} can be read: {account.unreadable}.")
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        save_picture(before_and_after([account.shown[name] for name in sorted(account.shown)], columns), sheet)
    for line in account.lines(translator.trained_size):
        progress.note(line)
    return {
        "run": str(run.path),
        "direction": translator.direction.name,
        "images": account.images,
        "made_before": before,
        "out": str(out),
        "at_trained_size": account.at_trained_size,
        "first_of": account.first_of,
        "left_out": list(account.left_out),
        "sheet": None if sheet is None else str(sheet),
    }


def last_step(run: Run) -> int | None:
    """The step of the run's last checkpoint."""
    paths = run.directory.checkpoints.paths()
    return step_of_checkpoint(paths[-1]) if paths else None


@dataclass
class Work:
    """Images in batches of one size of the network, of which what is done already is not made again."""

    files: Tree
    entries: Sequence[Entry]
    translator: Translator
    manifest: Manifest
    progress: Progress
    account: Account = field(default_factory=Account)

    def translate(self, wanted: Translation, shown: int) -> None:
        """All of it; the first images, which are `shown` on a sheet, again where they were made before.

        Where layers draw noise, a batch is made whole or not at all, so that results do not depend on interruptions.
        """
        sizes = self.sizes()
        self.account.first = set(sorted(sizes)[:shown])
        missing = {name for name in sizes if name in self.account.first or not self.manifest.is_done(name)}
        done = len(self.entries) - len(missing)
        places = {each.path: place for place, each in enumerate(self.entries)}
        for batch in self.batches(sizes, missing, wanted.batch):
            read = [each for each in batch if self.is_noisy or each in missing]
            self.translate_batch(read, missing, wanted.seed + places[batch[0]])
            done += len(missing.intersection(batch))
            self.progress.counting("translating", done, len(self.entries))

    @property
    def is_noisy(self) -> bool:
        """Whether what an image becomes depends on its place in a batch."""
        return self.translator.sampler.generating.has_noise

    def sizes(self) -> dict[str, Size]:
        """(height, width) of each image that can be read, upright."""
        found = {}
        for number, entry in enumerate(self.entries):
            try:
                found[entry.path] = upright_size(self.files.read(entry), entry.path)
            except LEFT_OUT as error:
                self.account.left_out[entry.path] = reason(error)
            self.progress.counting("reading sizes", number + 1, len(self.entries))
        return found

    def batches(self, sizes: dict[str, Size], missing: set[str], most: int) -> Iterator[list[str]]:
        """Names of images that are translated at one size, in batches that hold something to be made.

        Each size comes once, so that its network is built once; what the network does not bear comes last.
        """
        trained = self.translator.trained_size
        groups: dict[Size, list[str]] = {}
        for name, size in sizes.items():
            key = size if size == trained else (padded_side(size[0]), padded_side(size[1]))
            groups.setdefault(key, []).append(name)
        at_trained_size = list[str]()
        for key, names in sorted(groups.items()):
            if not (self.is_noisy or missing.intersection(names)):
                continue
            computed = self.translator.size_for(key)
            if computed == trained:
                at_trained_size += names
            else:
                yield from chunks(names, missing, room(computed, most))
        yield from chunks(at_trained_size, missing, room(trained, most))

    def translate_batch(self, names: list[str], missing: set[str], seed: int) -> None:
        """Translate images of one size of the network, and write those that are missing."""
        pictures = [picture for name in names if (picture := self.picture(name)) is not None]
        if not pictures:
            return
        starts, made = self.translator.with_given([each.pixels for each in pictures], seed)
        for picture, start, result in zip(pictures, starts, made, strict=True):
            if picture.name not in missing:
                continue
            write(result, picture.alpha, self.manifest.target(picture.name))
            self.account.images += not self.manifest.is_done(picture.name)
            self.manifest.add(picture.name)
            self.account.at_trained_size += not self.translator.is_padded(picture.pixels.shape[:2])
            if picture.name in self.account.first:
                self.account.shown[picture.name] = (start, result)

    def picture(self, name: str) -> Picture | None:
        """An image as it is given to the network; None, noted, where it can't be read."""
        try:
            content = self.files.read(self.by_name[name])
            picture = opened(content, name, self.translator)
        except LEFT_OUT as error:
            self.account.left_out[name] = reason(error)
            return None
        if images.pages_of(content, name) > 1:
            self.account.first_of.append(name)
        return picture

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """What is read, by its name."""
        return {each.path: each for each in self.entries}


def reason(error: Exception) -> str:
    """Why a file can't be read; Pillow's own words mean nothing to its user."""
    return str(error).partition(". ")[0] if isinstance(error, ZooError) else "no image, or a damaged one"


def room(size: Size, most: int) -> int:
    """How many images of a size are translated at once."""
    return max(1, min(most, MOST_PIXELS // (size[0] * size[1])))


def chunks(names: list[str], missing: set[str], count: int) -> Iterator[list[str]]:
    """The names, `count` at a time, without parts of which nothing is missing."""
    parts = (names[start : start + count] for start in range(0, len(names), count))
    yield from (each for each in parts if missing.intersection(each))


def upright_size(content: bytes, name: str) -> Size:
    """(height, width) of an image as it is seen, from its header; raises one of LEFT_OUT where it is none."""
    image = images.opened(content, name)
    turned = image.getexif().get(ExifTags.Base.Orientation) in LYING
    return (image.width, image.height) if turned else (image.height, image.width)


def translator_of(run: Run, wanted: Translation) -> Translator:
    """The run's generator as it is asked for."""
    sampler = run.sampler
    direction = direction_to(sampler, wanted.to)
    conditions = dict(wanted.conditions)
    if wanted.classes:
        if len(wanted.classes) > 1:
            raise ZooError("Images are translated to one class at a time: give --class once.")
        conditions["labels"] = run.class_numbers(wanted.classes)[0]
    return Translator(sampler, direction, conditions, wanted.from_samples, wanted.own_size)


def check_places(targets: Mapping[str, Path], sheet: Path | None) -> None:
    """Raises ZooError, before the work, where translations or the sheet can't be written."""
    for option, path in (("--out", next(iter(targets.values()))), ("--sheet", sheet)):
        if path is not None:
            check_writable(path, option)


def opened(content: bytes, name: str, translator: Translator) -> Picture:
    """An image upright, in the channels that the network is given, and with its transparency."""
    image = ImageOps.exif_transpose(images.opened(content, name))
    channels = translator.given.shape[-1]
    alpha = None
    if "A" in image.getbands() or ("transparency" in image.info and not image.mode.startswith("I")):
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    if channels in (2, 4) and translator.is_derived and not translator.from_samples:  # holes to fill are transparent
        known = np.full((image.height, image.width), 255, np.uint8) if alpha is None else alpha
        opaque = image.convert("RGBA").convert("RGB") if alpha is not None else image
        colours = images.with_channels(opaque, name, channels - 1)
        return Picture(name, np.concatenate([colours, known[..., None]], axis=-1), None)
    transparent = alpha is not None and alpha.min() < 255 and channels != 4
    return Picture(name, images.with_channels(image, name, channels), alpha if transparent else None)


def write(result: np.ndarray, alpha: np.ndarray | None, path: Path) -> None:
    """Write a translation as PNG, with the transparency of the image that it was made of."""
    image = Image.fromarray(result[..., 0] if result.shape[-1] == 1 else result)
    if alpha is not None:
        image = image.convert("RGB")
        image.putalpha(Image.fromarray(alpha).resize(image.size, Image.Resampling.BICUBIC))
    content = BytesIO()
    image.save(content, format="PNG")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            file.write(content.getvalue())
    except OSError as error:
        raise unwritable(path, error, "--out") from error


def before_and_after(shown: list[tuple[np.ndarray, np.ndarray]], columns: int) -> Image.Image:
    """Pairs of what was translated and what it became, beside one another, at most so many in a row."""
    largest = max(max(each.shape[:2]) for pair in shown for each in pair)
    side = min(largest, SHEET_SIZE)
    tiles = [tile(each, side) for pair in shown for each in pair]
    return grid(np.stack(tiles), 2 * min(columns, len(shown)))


def tile(pixels: np.ndarray, side: int) -> np.ndarray:
    """An image in the middle of a white square, as large as it fits in."""
    image = Image.fromarray(np.ascontiguousarray(as_rgb(pixels)))
    factor = side / max(image.size)
    method = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BICUBIC
    image = image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))), method)
    page = Image.new("RGB", (side, side), "white")
    page.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(page)
