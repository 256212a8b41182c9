"""A dataset that TFDS knows, taken from files of the user's own that are not the ones TFDS would take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data.sources.contract import Contents, Source
from zoo.data.splits import Selection, Splits


@dataclass(frozen=True)
class Copy(Source):
    """Read as the local source that it is, and known by the dataset's name; that it is a copy is recorded."""

    local: Source
    builder: Any  # of TFDS, which it stands for

    @property
    def name(self) -> str:
        """The builder's name, with `copy`."""
        return f"{self.builder.name}-copy"

    @property
    def identity(self) -> Mapping[str, Any]:
        """The local source's."""
        return {"copy_of": str(self.builder.info.full_name), **self.local.identity}

    def splits(self) -> Splits:
        """The local source's."""
        return self.local.splits()

    def contents(self, selection: Selection) -> Contents:
        """The local source's."""
        return self.local.contents(selection)
