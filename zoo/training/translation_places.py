"""Where translations lie: what is read, the files that results become, and what a folder's manifest says of them."""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from keras import ops

from zoo.base.files import read_json, unwritable, write_json
from zoo.base.plain_data import plain
from zoo.data import images
from zoo.data.sources.trees import ZIP, Entry, Tree, tree
from zoo.errors import ZooError
from zoo.runs.directory import differences
from zoo.training.sampler import Sampler

PNG = ".png"
MANIFEST = "translation.json"
SAVED_EVERY = 10.0  # seconds
SHORT = 16  # digits of a hash
SAME = ("weights", "options")  # of a manifest: what made its files; the run's name and place may change


def is_image_file(path: Path) -> bool:
    """Whether a path is a file with an image's ending."""
    return path.is_file() and path.suffix.lower() in images.ENDINGS


def found_files(given: Path, out: Path) -> tuple[Tree, list[Entry]]:
    """The tree below which images lie, and its images, without those that lie in `out`: earlier translations."""
    if not given.exists():
        raise ZooError(f"There is no {given}: expected an image, a folder or a .zip of images.")
    if is_image_file(given):
        status = given.stat()
        return tree(given.parent), [Entry(given.name, status.st_size, status.st_mtime_ns)]
    if given.is_file() and given.suffix.lower() != ZIP:
        raise ZooError(f"{given} is no image: known endings are {', '.join(images.ENDINGS)}.")
    files = tree(given)
    inside = f"{out.resolve().relative_to(given.resolve()).as_posix()}/" if lies_below(out, given) else None
    found = [each for each in files.entries if each.path.lower().endswith(images.ENDINGS)]
    found = [each for each in found if inside is None or not each.path.startswith(inside)]
    if not found:
        raise ZooError(f"There are no images in {given}. Known endings: {', '.join(images.ENDINGS)}.")
    return files, found


def lies_below(path: Path, folder: Path) -> bool:
    """Whether a path lies somewhere in a folder, and is not the folder itself."""
    return folder.is_dir() and folder.resolve() in path.resolve().parents


def targets_of(names: Sequence[str], given: Path, out: Path) -> dict[str, Path]:
    """The file that each image's translation becomes: of the image's name with .png for its ending.

    Where several names differ in their ending alone, all but a .png keep it: a.jpg beside a.png becomes a.jpg.png.
    Raises ZooError where `out` can't hold them, two still have one name, or a result would replace what is read.
    """
    if is_image_file(given) and out.suffix and not out.is_dir():
        if out.suffix.lower() != PNG:
            raise ZooError(f"Translations are written as PNG, which keeps them as they are; received --out {out}.")
        targets = {names[0]: out}
    else:
        check_folder(given, out)
        plain_names = {name: str(PurePosixPath(name).with_suffix(PNG)) for name in names}
        counts = Counter(plain_names.values())
        targets = {
            name: out / (f"{name}{PNG}" if counts[each] > 1 and name != each else each)
            for name, each in plain_names.items()
        }
    check_targets(given, targets)
    return targets


def check_folder(given: Path, out: Path) -> None:
    """Raise ZooError where `out` is no folder, and can't become one."""
    if out.is_file():
        raise ZooError(f"--out {out} is a file. Choose a folder, or for a single image a file that ends in {PNG}.")
    if not out.exists() and out.suffix.lower() in images.ENDINGS:
        raise ZooError(
            f"--out {out} is the name of an image, and the translations of {given} are several. Choose a folder: "
            f"--out {out.with_suffix('')}."
        )


def check_targets(given: Path, targets: Mapping[str, Path]) -> None:
    """Raises ZooError where two results have one name, or a result would replace what is read."""
    known: dict[Path, str] = {}
    for name, target in targets.items():
        if (other := known.setdefault(target, name)) != name:
            raise ZooError(f"{other} and {name} would both become {target}. Rename one of them.")
    folder = given if given.is_dir() else given.parent
    read = {(folder / name).resolve() for name in targets}
    if given.suffix.lower() != ZIP and (lost := [each for each in targets.values() if each.resolve() in read]):
        raise ZooError(f"{lost[0]} would be replaced by its translation. Choose another folder with --out.")


def made_by(run: str, step: int | None, sampler: Sampler, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of how its files were made: `weights` are the sha256 of the generator and average."""
    digest = hashlib.sha256()
    for each in (*sampler.generator.variables, *sampler.average):
        digest.update(ops.convert_to_numpy(each).tobytes())
    return dict(plain({"run": run, "step": step, "weights": digest.hexdigest()[:SHORT], "options": dict(options)}))


def planned_image(entry: Entry, given: Path, target: Path, folder: Path | None) -> dict[str, Any]:
    """The record of an image: the file it becomes, what it is read of, in which state, and that it is not `done`."""
    return {
        "file": str(target if folder is None else target.relative_to(folder)),
        "of": str(given.resolve() if is_image_file(given) else given.resolve() / entry.path),
        "stamp": [entry.size, entry.stamp],
        "done": False,
    }


@dataclass
class Manifest:
    """A folder's record of its translations, by which the same command goes on where it was interrupted.

    `images` are `planned_image`s by the name of what is read. A single file (`folder` None) has no manifest.
    """

    folder: Path | None
    made: Mapping[str, Any]
    images: dict[str, dict[str, Any]]
    saved: float = field(default=0.0, init=False)  # when, by time.monotonic

    @classmethod
    def begun(
        cls,
        folder: Path | None,
        made: Mapping[str, Any],
        images: dict[str, dict[str, Any]],
        overwrite: bool,
    ) -> "Manifest":
        """The record of images that are to be translated, with what a folder has of them already.

        Raises ZooError, unless `overwrite`, where files of the folder were made in another way, or by nobody known.
        """
        manifest = cls(folder, made, images)
        if folder is not None:
            manifest.take_over(read_json(folder / MANIFEST), (folder / MANIFEST).exists(), overwrite)
            manifest.save()
        return manifest

    def take_over(self, earlier: Mapping[str, Any] | None, exists: bool, overwrite: bool) -> None:
        """Keep what an earlier call has made; raises ZooError for files that would be lost."""
        changed = [line for name in SAME for line in differences(name, (earlier or {}).get(name), self.made[name])]
        if exists and changed and not overwrite:
            raise ZooError(
                f"{self.folder} holds translations that were made in another way ({earlier_run(earlier)}): "
                f"{'; '.join(changed)}. Choose another folder with --out, or replace them: --overwrite."
            )
        before = dict(earlier["images"]) if earlier is not None and not changed else {}
        if not overwrite:
            self.check_lost(before)
        for name, each in self.images.items():
            known = before.get(name, {})
            same = all(known.get(key) == each[key] for key in ("file", "stamp"))
            each["done"] = bool(same and known.get("done") and self.path(each["file"]).exists())
        self.images = {**before, **self.images}

    def check_lost(self, before: Mapping[str, Mapping[str, Any]]) -> None:
        """Raise ZooError where a file would be replaced that is not the translation of the same image."""
        known = {each["file"]: each for each in before.values()}
        for each in self.images.values():
            other = known.get(each["file"])
            same = other is not None and (other["of"] == each["of"] or other["stamp"] == each["stamp"])
            if not same and self.path(each["file"]).exists():
                of = f"is the translation of {other['of']}" if other else "is there already, made by something else"
                raise ZooError(
                    f"{self.path(each['file'])} {of}. Choose another folder with --out, or replace it: --overwrite."
                )

    def path(self, file: str) -> Path:
        """Where a file of the record lies."""
        return Path(file) if self.folder is None else self.folder / file

    def target(self, name: str) -> Path:
        """The file that an image's translation becomes."""
        return self.path(self.images[name]["file"])

    def count(self, entries: Sequence[Entry]) -> int:
        """How many of the images are translated."""
        return sum(self.is_done(each.path) for each in entries)

    def is_done(self, name: str) -> bool:
        """Whether an image, as it is now, was translated before."""
        return bool(self.images[name]["done"])

    def add(self, name: str) -> None:
        """Note that an image is translated; the file follows every few seconds."""
        self.images[name]["done"] = True
        if time.monotonic() - self.saved > SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Write the record beside the translations."""
        self.saved = time.monotonic()
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / MANIFEST, {**self.made, "images": self.images})
        except OSError as error:
            raise unwritable(self.folder / MANIFEST, error, "--out") from error


def earlier_run(manifest: Mapping[str, Any] | None) -> str:
    """`runs/cyclegan/emoji/0, step 400`."""
    if manifest is None or "run" not in manifest:
        return f"its {MANIFEST} can't be read"
    return f"{manifest['run']}, step {manifest.get('step')}"
