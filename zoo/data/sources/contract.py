"""The contract of a source of samples: it fetches what it needs, names its splits, and yields their rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from zoo.data.fields import Kind
from zoo.data.splits import Selection, Splits

NAMED = 5  # files that a message or meta.json names, at most
UNREADABLE_IMAGES = "unreadable images"
Batches = Iterator[tuple[np.ndarray, np.ndarray | None]]


class Reporter(Protocol):
    """Receives the progress of long work."""

    def note(self, text: str) -> None:
        """Prints a line of text."""

    def counting(self, what: str, done: int, total: int) -> None:
        """`done` of `total` items of the work called `what` are finished."""


@dataclass(frozen=True)
class Contents:
    """The samples of a selection: `batches` yields (samples, labels or None) in the order of the rows.

    Labels are (B,), numbers of classes; or (B, K), zeros and ones of the K attributes that `class_names` names, which
    become the vector field `attributes`.
    """

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
    read: Sequence[str] = ()
    """What is taken for splits, labels, black and white, and what is cropped, each in a few words for the user."""
    others: Mapping[str, "OtherField"] = field(default_factory=dict)
    """Further fields by name; they are read after the samples."""
    labels_from: Sequence[str] = ()
    """What `--label` may name: told where none are read and a stack needs some."""


@dataclass(frozen=True)
class OtherField:
    """A further field: `batches` yields its rows, in the order of the samples' where it is `aligned` with them."""

    kind: Kind
    shape: tuple[int, ...]
    """(N, H, W, C) of an image, uint8; (N, K) of a vector, float32; N as the samples'."""
    batches: Iterator[np.ndarray]
    aligned: bool = True
    names: tuple[str, ...] = ()  # of a vector's numbers, where they have any


@dataclass
class Skipped:
    """What was left out; filled while batches are read."""

    names: list[str] = field(default_factory=list)
    """Of samples that could not be read."""
    others: dict[str, dict[str, int]] = field(default_factory=dict)
    """By kind, such as `links to nothing`: of each file how many."""

    def leave(self, kind: str, names: Iterable[str], count: int = 1) -> None:
        """`count` of a kind were left out of each of these files."""
        for name in names:
            self.others.setdefault(kind, {})[name] = count

    @property
    def kinds(self) -> dict[str, dict[str, int]]:
        """Everything that was left out, by kind and file."""
        unreadable = {UNREADABLE_IMAGES: dict.fromkeys(sorted(self.names), 1)} if self.names else {}
        return {**unreadable, **{kind: dict(sorted(files.items())) for kind, files in self.others.items()}}

    @property
    def text(self) -> str:
        """`unreadable images: 2 (a.png, b.png); pages or frames after the first: 29 (c.gif)`, or nothing."""
        return "; ".join(
            f"{kind}: {sum(files.values()):,} ({shortened([*files])})" for kind, files in self.kinds.items()
        )

    @property
    def record(self) -> dict[str, dict[str, Any]]:
        """By kind how many were left out, and the first of the files."""
        return {kind: {"count": sum(files.values()), "first": [*files][:NAMED]} for kind, files in self.kinds.items()}


def shortened(names: Sequence[str]) -> str:
    """`a.png, b.png and 3 more`."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


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
