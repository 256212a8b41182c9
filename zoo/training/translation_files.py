"""Images of a file, folder or zip, translated one batch after the other and written beside one another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from zoo import backend
from zoo.base.files import atomic_file, check_writable
from zoo.base.pictures import as_rgb, grid, save_picture
from zoo.base.progress import Progress
from zoo.data import images
from zoo.data.sources.contract import shortened
from zoo.data.sources.trees import Tree, tree
from zoo.errors import ZooError
from zoo.training.names import SAMPLES
from zoo.training.run import Run
from zoo.training.translating import Translator, direction_to

BATCH = 16  # images
MOST_PIXELS = 2**22  # of a batch
SHEET_ROWS = 5  # of a sheet, at most
SHEET_SIZE = 128  # pixels of an image of a sheet, at most
SHEET_COLUMNS = 4  # pairs, unless asked for others
PNG = ".png"


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


@dataclass(frozen=True)
class Picture:
    """One image as it was read: pixels for the network, and its transparency, (H, W) uint8, where it has some."""

    name: str
    pixels: np.ndarray
    alpha: np.ndarray | None


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
    `sheet` is a picture of the first of them, `columns` in a row.
    Raises ZooError where nothing can be read or written, and where a result would replace an image that is read.
    """
    translator = translator_of(run, wanted)
    files, names = found_files(given)
    targets = {name: target_of(name, given, out) for name in names}
    check_targets(given, targets)
    check_places(targets, sheet)
    left_out: list[str] = []
    shown: list[tuple[np.ndarray, np.ndarray]] = []
    at_trained_size = done = 0
    for number, batch in enumerate(batches(files, names, translator, wanted.batch, left_out)):
        pixels = np.stack([each.pixels for each in batch])
        size = (pixels.shape[1], pixels.shape[2])
        at_trained_size += len(batch) * (translator.size_for(size) == translator.trained_size != size)
        starts, made = translator.with_given(pixels, wanted.seed + number)
        for picture, start, result in zip(batch, starts, made, strict=True):
            write(result, picture.alpha, targets[picture.name])
            if len(shown) < SHEET_ROWS * columns:
                shown.append((start, result))
        done += len(batch)
        progress.counting("translating", done + len(left_out), len(names))
    if not done:
        raise ZooError(f"No image of {given} can be read: {shortened(left_out)}.")
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        save_picture(before_and_after(shown, columns), sheet)
    if at_trained_size:
        progress.note(
            f"{at_trained_size:,} images were translated at {' x '.join(map(str, translator.trained_size))} pixels, as "
            "the network was trained, and enlarged or reduced to their own size."
        )
    if left_out:
        progress.note(f"Unreadable, left out: {len(left_out):,} ({shortened(left_out)}).")
    return {
        "run": str(run.path),
        "direction": translator.direction.name,
        "images": done,
        "out": str(out),
        "at_trained_size": at_trained_size,
        "left_out": left_out,
        "sheet": None if sheet is None else str(sheet),
    }


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


def found_files(given: Path) -> tuple[Tree, list[str]]:
    """The tree below which images lie, and their names in it."""
    if not given.exists():
        raise ZooError(f"There is no {given}: expected an image, a folder or a .zip of images.")
    if given.is_file() and given.suffix.lower() in images.ENDINGS:
        return tree(given.parent), [given.name]
    if given.is_file() and given.suffix.lower() != ".zip":
        raise ZooError(f"{given} is no image: known endings are {', '.join(images.ENDINGS)}.")
    files = tree(given)
    names = [each.path for each in files.entries if each.path.lower().endswith(images.ENDINGS)]
    if not names:
        raise ZooError(f"There are no images in {given}. Known endings: {', '.join(images.ENDINGS)}.")
    return files, names


def target_of(name: str, given: Path, out: Path) -> Path:
    """The file that an image's translation is written to."""
    is_image = given.is_file() and given.suffix.lower() in images.ENDINGS
    if is_image and out.suffix:
        if out.suffix.lower() != PNG:
            raise ZooError(f"Translations are written as PNG, which keeps them as they are; received --out {out}.")
        return out
    return out / PurePosixPath(name).with_suffix(PNG)


def check_targets(given: Path, targets: dict[str, Path]) -> None:
    """Raises ZooError where two results have one name, or a result would replace what is read."""
    known: dict[Path, str] = {}
    for name, target in targets.items():
        if (other := known.setdefault(target, name)) != name:
            raise ZooError(f"{other} and {name} would both become {target}. Rename one of them.")
    folder = given if given.is_dir() else given.parent
    read = {(folder / name).resolve() for name in targets}
    if given.suffix.lower() != ".zip" and (lost := [each for each in targets.values() if each.resolve() in read]):
        raise ZooError(f"{lost[0]} would be replaced by its translation. Choose another folder with --out.")


def check_places(targets: dict[str, Path], sheet: Path | None) -> None:
    """Raises ZooError, before the work, where translations or the sheet can't be written."""
    for option, path in (("--out", next(iter(targets.values()))), ("--sheet", sheet)):
        if path is not None:
            check_writable(path, option)


def batches(files: Tree, names: list[str], translator: Translator, most: int, left_out: list[str]) -> Iterator[Any]:
    """Lists of pictures of one size that follow one another; names of unreadable ones are added to `left_out`."""
    entries = {each.path: each for each in files.entries}
    waiting: list[Picture] = []
    for name in names:
        try:
            picture = opened(files.read(entries[name]), name, translator)
        except images.UNREADABLE:
            left_out.append(name)
            continue
        room = max(1, min(most, MOST_PIXELS // (picture.pixels.shape[0] * picture.pixels.shape[1])))
        if waiting and (waiting[0].pixels.shape != picture.pixels.shape or len(waiting) >= room):
            yield waiting
            waiting = []
        waiting.append(picture)
    if waiting:
        yield waiting


def opened(content: bytes, name: str, translator: Translator) -> Picture:
    """An image upright, in the channels that the network is given, and with its transparency."""
    image = ImageOps.exif_transpose(images.opened(content, name))
    channels = translator.given.shape[-1]
    alpha = None
    if "A" in image.getbands() or "transparency" in image.info:
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
        raise ZooError(f"Can't write {path}: {error.strerror or error}. Choose another place with --out.") from error


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
