"""What the user's own files have in common, be it a folder or an array."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LocalSource:
    """A path on this machine, of which one split is read at one size."""

    path: Path
    image_size: int | None
    split: str

    @property
    def name(self) -> str:
        """The file's or folder's name."""
        return self.path.name

    @property
    def slug(self) -> str:
        """`faces-train-64px`."""
        size = f"-{self.image_size}px" if self.image_size else ""
        return f"{self.path.name}-{self.split}{size}"

    def prepare(self) -> None:
        """Nothing: the files are here."""
