"""`zoo new --project`: a folder for the images of one's own field, with all that the zoo's commands want there."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.base.files import WRITING
from zoo.catalogue.checks import NAME, NAME_RULE
from zoo.catalogue.entries import BenchmarkEntry, DatasetEntry, VariantEntry, match
from zoo.catalogue.registry import CHANNELS
from zoo.catalogue.scaffold import FOLDER
from zoo.catalogue.sources import read_catalogue
from zoo.errors import ZooError

FILES = {"registry.yaml": "project_registry.txt", "README.md": "project_readme.txt", "report.md": "project_report.txt"}
IGNORED = ("data", "runs", "reports", "augmented")  # by git: large, and perhaps not to be shared
SPLITS = ("train", "test")
CLASSES = ("negative", "positive")
SMALLEST, LARGEST = 4, 1024  # pixels


def write_project(
    name: str, directory: Path, classes: Sequence[str] = CLASSES, image_size: int = 64, channels: int = 1
) -> Path:
    """Writes the folder NAME into `directory`, whole or not at all, and returns its path; overwrites nothing.

    Raises ZooError for a name that is taken or can't be one, and where something of that name lies there.
    """
    target = directory / name
    check_names(name, classes)
    if not SMALLEST <= image_size <= LARGEST:
        raise ZooError(f"--image-size is {SMALLEST} to {LARGEST} pixels, not {image_size}.")
    if channels not in CHANNELS:
        raise ZooError(f"--channels is 1, 3 or 4, not {channels}.")
    if target.exists():
        raise ZooError(f"'{target}' exists already. Choose another name, or remove it.")
    check_free(name)
    folders = [f"data/{split}/{each}" for split in SPLITS for each in classes]
    values = {
        "my_project": name,
        "SIZE": str(image_size),
        "CHANNELS": str(channels),
        "FOLDERS": "\n".join(f"    {folder}/" for folder in folders),
    }
    scratch = directory / f"{WRITING}{name}"
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        for folder in (*folders, "reports"):
            (scratch / folder).mkdir(parents=True)
        for file, template in FILES.items():
            text = (FOLDER / template).read_text(encoding="utf-8")
            for word, value in values.items():
                text = text.replace(word, value)
            (scratch / file).write_text(text, encoding="utf-8")
        (scratch / ".gitignore").write_text("".join(f"/{each}/\n" for each in IGNORED))
        scratch.rename(target)
    except OSError as error:
        raise ZooError(f"Cannot write '{target}': {error.strerror or error}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def check_names(name: str, classes: Sequence[str]) -> None:
    """Raises ZooError for a name or a class that could not be a folder's, and for classes that are no two."""
    for kind, each in (("project", name), *(("class", each) for each in classes)):
        if not NAME.match(each):
            raise ZooError(f"'{each}' cannot be a {kind}'s name: {NAME_RULE}.")
    if len({each.lower() for each in classes}) != len(classes):
        raise ZooError(f"Two classes have one name: {', '.join(classes)}. On some systems folders have no case.")
    if reserved := sorted({each for each in classes if each.lower() in SPLITS}):
        raise ZooError(f"'{reserved[0]}' cannot be a class's name: folders of that name are splits.")
    if len(classes) < 2:
        raise ZooError(f"A project has two classes or more; received {', '.join(classes) or 'none'}.")


def check_free(name: str) -> None:
    """Raises ZooError for a name under which the zoo has something else."""
    catalogue = read_catalogue()
    kinds: dict[str, Mapping[str, DatasetEntry | BenchmarkEntry | VariantEntry]] = {
        "dataset": catalogue.datasets,
        "benchmark": catalogue.benchmarks,
        "variant": catalogue.variants,
    }
    for kind, known in kinds.items():
        for each in (name, f"{name}-gan", f"{name}-plain"):
            if taken := match(each, known):
                raise ZooError(f"There is a {kind} '{taken}' already ({known[taken].source}). Choose another name.")
