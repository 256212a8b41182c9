"""The user's own images: a flat folder or one subfolder for each class, or either of these below `train` and `test`."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from zoo.data.images import centre_square
from zoo.data.local_source import LocalSource
from zoo.data.writer import Contents
from zoo.errors import ZooError

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
BATCH = 256  # images
NAMED = 5  # unreadable files in a message
GRAY_MODES = ("1", "L")


@dataclass(frozen=True)
class FolderSource(LocalSource):
    """Images in the order of their names; a label is the index of the image's subfolder."""

    @cached_property
    def root(self) -> Path:
        """The folder of this split: `train` or `test` below the path where both are there, else the path itself."""
        if all((self.path / split).is_dir() for split in ("train", "test")):
            return self.path / self.split
        if self.split == "train":
            return self.path
        raise ZooError(f"{self.path} has no test split: sort its images into the subfolders train and test.")

    @cached_property
    def files(self) -> list[Path]:
        """Every image, sorted; raises ZooError when there are none, or some lie beside the subfolders of classes."""
        found = sorted(file for file in self.root.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
        if not found:
            raise ZooError(f"There are no images in {self.root}. Known endings: {', '.join(ENDINGS)}")
        depths = {len(file.relative_to(self.root).parts) for file in found}
        if depths not in ({1}, {2}):
            raise ZooError(
                f"{self.root} must hold either images alone or one subfolder for each class with images in it, "
                "not both and nothing deeper."
            )
        return found

    @property
    def class_names(self) -> tuple[str, ...]:
        """The subfolders' names, sorted; none for a flat folder."""
        return tuple(sorted({file.parent.name for file in self.files if file.parent != self.root}))

    @property
    def identity(self) -> Mapping[str, Any]:
        """Every file with its size and time: a changed folder is prepared anew."""
        status = [
            (str(file.relative_to(self.root)), file.stat().st_size, file.stat().st_mtime_ns) for file in self.files
        ]
        return {
            "source": f"folder {self.path}",
            "split": self.split,
            "image_size": self.image_size,
            "files": hashlib.sha256(json.dumps(status).encode()).hexdigest(),
        }

    def contents(self) -> Contents:
        """The images, cropped to their centre square and resized; gray only where every image is."""
        sizes, modes = self._headers()
        if self.image_size is None and len(sizes) > 1:
            raise ZooError(f"The images in {self.root} have different sizes: choose one with --image-size 64")
        size = self.image_size or min(next(iter(sizes)))
        mode = "L" if modes <= set(GRAY_MODES) else "RGB"
        return Contents(
            shape=(len(self.files), size, size, len(mode)),
            dtype=np.uint8,
            batches=self._batches(mode, size),
            class_names=self.class_names,
            description={**self.identity, "count": len(self.files)},
        )

    def _headers(self) -> tuple[set[tuple[int, int]], set[str]]:
        """The sizes and modes that occur; raises ZooError naming the files that are no images."""
        sizes, modes, unreadable = set(), set(), []
        for file in self.files:
            try:
                with Image.open(file) as image:
                    sizes.add(image.size)
                    modes.add(image.mode)
            except (OSError, SyntaxError, ValueError):
                unreadable.append(file)
        if unreadable:
            raise _unreadable(unreadable)
        return sizes, modes

    def _batches(self, mode: str, size: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        number = {name: index for index, name in enumerate(self.class_names)}
        for first in range(0, len(self.files), BATCH):
            files = self.files[first : first + BATCH]
            images = np.stack([_image(file, mode, size) for file in files])
            yield images, np.array([number[file.parent.name] for file in files]) if number else None


def _image(file: Path, mode: str, size: int) -> np.ndarray:
    try:
        with Image.open(file) as image:
            pixels = np.asarray(ImageOps.exif_transpose(image).convert(mode))
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable([file]) from error
    return centre_square(pixels[..., np.newaxis] if mode == "L" else pixels, None, size)


def _unreadable(files: list[Path]) -> ZooError:
    more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    return ZooError(
        f"These are no readable images: {', '.join(map(str, files[:NAMED]))}{more}. Remove or replace them."
    )
