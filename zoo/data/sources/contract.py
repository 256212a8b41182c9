"""What a source of samples is: it fetches what it needs, says which splits it has, and gives their rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from zoo.data.splits import Selection, Splits

Batches = Iterator[tuple[np.ndarray, np.ndarray | None]]


class Reporter(Protocol):
    """Who is told how long work goes on."""

    def note(self, text: str) -> None:
        """Something happened that is worth a line."""

    def counting(self, what: str, done: int, total: int) -> None:
        """`done` of `total` are finished."""


@dataclass(frozen=True)
class Contents:
    """What a source gives to be written: `batches` yields (samples, labels or None) in the order of the rows."""

    shape: tuple[int, ...]  # (N, H, W, C) or (N, D); N is an upper bound where unreadable samples are skipped
    dtype: type[np.generic]  # uint8 or float32
    batches: Batches
    class_names: tuple[str, ...] = ()
    scale: float = 1.0
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What an option that is left open means here: `image_size`, `channels`, `label`, `image_key`."""
    resolved: Mapping[str, Any] = field(default_factory=dict)
    """The same options as they were used."""
    description: Mapping[str, Any] = field(default_factory=dict)
    skipped: "Skipped | None" = None  # known once `batches` is exhausted


@dataclass
class Skipped:
    """Samples that could not be read and were left out; filled while batches are read."""

    names: list[str] = field(default_factory=list)


class Source(ABC):
    """Where samples come from, whatever part of them is wanted, with the options that were asked for."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The source's own name, which begins its prepared folders' names."""

    @property
    def lock(self) -> str:
        """The name of the lock that keeps two processes from preparing it at once."""
        return self.name

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Everything but the rows that changes what is stored, for JSON; `source` says in words where it is from."""

    @abstractmethod
    def splits(self) -> Splits:
        """The splits that it has of its own, once `prepare` was called."""

    @abstractmethod
    def contents(self, selection: Selection) -> Contents:
        """The selected samples, to be written."""

    def is_at_hand(self) -> bool:
        """Whether `splits` and `contents` can be asked without `prepare`."""
        return True

    def prepare(self, progress: Reporter) -> None:  # noqa: B027  most have nothing to do
        """Fetches what `contents` reads, once; nothing where it is at hand."""
