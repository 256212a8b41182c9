"""The contract of a source of samples: it fetches what it needs, names its splits, and yields their rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from zoo.data.splits import Selection, Splits

Batches = Iterator[tuple[np.ndarray, np.ndarray | None]]


class Reporter(Protocol):
    """Receives the progress of long work."""

    def note(self, text: str) -> None:
        """Prints a line of text."""

    def counting(self, what: str, done: int, total: int) -> None:
        """`done` of `total` items of the work called `what` are finished."""


@dataclass(frozen=True)
class Contents:
    """The samples of a selection: `batches` yields (samples, labels or None) in the order of the rows."""

    shape: tuple[int, ...]  # (N, H, W, C) or (N, D); N is an upper bound where unreadable samples are skipped
    dtype: type[np.generic]  # uint8 or float32
    batches: Batches
    class_names: tuple[str, ...] = ()
    scale: float = 1.0
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The values of `image_size`, `channels`, `label` and `image_key` where these options are not given."""
    resolved: Mapping[str, Any] = field(default_factory=dict)
    """The values of these options that were used."""
    description: Mapping[str, Any] = field(default_factory=dict)
    skipped: "Skipped | None" = None  # known once `batches` is exhausted


@dataclass
class Skipped:
    """The names of samples that could not be read and were skipped; filled while batches are read."""

    names: list[str] = field(default_factory=list)


class Source(ABC):
    """Yields samples, whichever splits are selected, by the given options."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The source's own name, with which the names of its prepared folders begin."""

    @property
    def lock(self) -> str:
        """The name of the lock that keeps two processes from preparing it at once."""
        return self.name

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """JSON-ready data of all but the rows that changes what is stored; `source` says in words where it is from."""

    @abstractmethod
    def splits(self) -> Splits:
        """The source's own splits; `prepare` must have been called unless `is_at_hand`."""

    @abstractmethod
    def contents(self, selection: Selection) -> Contents:
        """The selected samples; raises ZooError where they can't be read with the source's options."""

    def is_at_hand(self) -> bool:
        """Whether `splits` and `contents` work without a call of `prepare`."""
        return True

    def prepare(self, progress: Reporter) -> None:  # noqa: B027  most sources have nothing to fetch
        """Downloads or otherwise fetches what `contents` reads, unless it is there already."""
