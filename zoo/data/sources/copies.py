"""A dataset that TFDS knows, read from the user's own files, which are not the originals that TFDS accepts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data.sources.contract import Contents, Source
from zoo.data.splits import Selection, Splits


@dataclass(frozen=True)
class Copy(Source):
    """A local source under a TFDS dataset's name; that it is a copy is recorded."""

    local: Source
    builder: Any  # the TFDS builder of the original

    @property
    def name(self) -> str:
        """`celeb_a-copy`."""
        return f"{self.builder.name}-copy"

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"copy_of": str(self.builder.info.full_name), **self.local.identity}

    def splits(self) -> Splits:
        return self.local.splits()

    def contents(self, selection: Selection) -> Contents:
        return self.local.contents(selection)
