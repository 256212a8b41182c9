"""The rows of a source that a split expression selects: `train`, `test`, `all`, slices and sums of them.

A source has splits of its own, each with a count of rows. `train` and `test` are what registry.yaml says for them,
else the source's own. Where a source has no test split, a seeded tenth of its only split is held out as `test`, and
`train` is the rest, so that no evaluation sees what was trained on; `all` is everything in any case.
Slices read and round as those of TFDS (https://www.tensorflow.org/datasets/splits).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.errors import ZooError, unknown

TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "validation", "valid", "val", "dev", "eval", "evaluation")
HELD_OUT_SHARE = 0.1
MOST_HELD_OUT = 10_000  # rows, as many as an evaluation compares
DIVISION_SEED = 20140610  # the date of the first paper on GANs
END = r"-?\d{1,15}(?:(?:\.\d{1,15})?%)?"  # one end of a slice: a row number, or a percentage
TERM = re.compile(rf"(?P<name>[\w.-]+)(?:\[(?P<start>{END})?:(?P<stop>{END})?\])?\Z")


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of one of a source's own splits."""

    split: str
    rows: np.ndarray  # int64, ascending

    @property
    def range(self) -> tuple[int, int] | None:
        """(first, last + 1) where the rows are contiguous, else None."""
        if not len(self.rows):
            return None
        first, last = int(self.rows[0]), int(self.rows[-1])
        return (first, last + 1) if last + 1 - first == len(self.rows) else None

    def within(self, start: int, stop: int) -> np.ndarray:
        """The rows in [start, stop), less `start`: indices into a block that holds these rows."""
        first, last = np.searchsorted(self.rows, (start, stop))
        return self.rows[first:last] - start


@dataclass(frozen=True, eq=False)
class Selection:
    """The rows that a split expression selects, in the order of its terms."""

    expression: str
    parts: tuple[Part, ...]
    division: (
        Mapping[str, Any] | None
    )  # the rule by which a single split was divided into `train` and `test`; None where it was not

    @property
    def count(self) -> int:
        return sum(len(part.rows) for part in self.parts)

    @property
    def description(self) -> dict[str, Any]:
        """The record of the selection in meta.json and run.yaml."""
        return {
            "split": self.expression,
            "rows": [{"split": part.split, "count": len(part.rows), "range": part.range} for part in self.parts],
            "division": self.division,
        }


@dataclass(frozen=True)
class Splits:
    """A source's own splits, and what `train` and `test` mean for it where registry.yaml says so."""

    counts: Mapping[str, int]
    source: str  # for messages
    train: str | None = None
    test: str | None = None
    divides: bool = True  # whether a source's only split is divided into `train` and `test`

    def select(self, expression: str) -> Selection:
        """The rows of an expression; raises ZooError, with the splits there are, for an unknown split or no rows."""
        parts = tuple(part for term in terms(expression) for part in self._term(*term) if len(part.rows))
        selection = Selection(expression, parts, self._division(expression))
        if not selection.count:
            raise ZooError(f"The split '{expression}' of {self.source} has no rows. It has {self.listed()}.")
        return selection

    def listed(self) -> str:
        """`train (60,000), test (10,000)`."""
        return ", ".join(f"{name} ({count:,})" for name, count in self.counts.items())

    @property
    def divided(self) -> str | None:
        """The name of the only split where `train` and `test` are parts of it, else None."""
        own = self.train or self.test or not self.divides
        return None if own or len(self.counts) != 1 else next(iter(self.counts))

    def _term(self, name: str, start: str | None, stop: str | None) -> Iterator[Part]:
        parts = list(self._named(name))
        total = sum(len(part.rows) for part in parts)
        try:
            first, last = bounds(start, stop, total)
        except ValueError as error:
            raise ZooError(f"The slice of '{name}' in {self.source}, which has {total:,} rows: {error}") from error
        for part in parts:
            yield Part(part.split, part.rows[max(first, 0) : max(last, 0)])
            first, last = first - len(part.rows), last - len(part.rows)

    def _named(self, name: str) -> Iterator[Part]:
        if name == "all" and "all" not in self.counts:
            yield from (self._whole(each) for each in self.counts)
        elif self.divided and name in ("train", "test"):
            yield self._held_out(name == "test")
        elif name == "train" and self.train:
            yield from self._own_splits(self.train)
        elif name == "test" and self.test:
            yield from self._own_splits(self.test)
        elif found := self._own(name):
            yield self._whole(found)
        else:
            raise ZooError(
                f"{unknown(f'split of {self.source}', name, {*self.counts, 'all'})} A part is written as train[:80%], "
                "several as train+test; `train:` and `test:` of the dataset in registry.yaml say what those mean."
            )

    def _own_splits(self, expression: str) -> Iterator[Part]:
        """The rows of registry.yaml's expression for a role; `train` in it is the source's own split, never a part."""
        own = replace(self, train=None, test=None, divides=False)
        return (part for term in terms(expression) for part in own._term(*term))

    def _own(self, name: str) -> str | None:
        candidates = {"train": TRAIN_NAMES, "test": TEST_NAMES}.get(name, (name,))
        return next((each for each in candidates if each in self.counts), None)

    def _whole(self, name: str) -> Part:
        return Part(name, np.arange(self.counts[name]))

    def _held_out(self, test: bool) -> Part:
        name = next(iter(self.counts))
        count = self.counts[name]
        order = np.random.Generator(np.random.Philox(DIVISION_SEED)).permutation(count)
        held_out = order[: held_out_count(count)]
        rows = held_out if test else order[len(held_out) :]
        return Part(name, np.sort(rows))

    def _division(self, expression: str) -> Mapping[str, Any] | None:
        if not self.divided or not {name for name, _, _ in terms(expression)} & {"train", "test"}:
            return None
        return {
            "of": self.divided,
            "held_out": held_out_count(self.counts[self.divided]),
            "seed": DIVISION_SEED,
            "rule": "test: the first rows of numpy Generator(Philox(seed)).permutation(count), sorted; train: the rest",
        }


def held_out_count(count: int) -> int:
    """How many of `count` rows are held out as a test split: a tenth, rounded up, at most 10,000, never all."""
    return min(-(-count // round(1 / HELD_OUT_SHARE)), MOST_HELD_OUT, count - 1)


def terms(expression: str) -> list[tuple[str, str | None, str | None]]:
    """(name, start, stop) of each term of an expression such as `train[:80%]+test`."""
    matches = [TERM.match(term.strip()) for term in expression.split("+")]
    if not all(matches):
        raise ZooError(
            f"'{expression}' is no split. Write train, test, all, or a split's own name; a part as train[:80%] or "
            "train[1000:2000]; several as train+test."
        )
    return [(match["name"], match["start"], match["stop"]) for match in matches if match]


def bounds(start: str | None, stop: str | None, total: int) -> tuple[int, int]:
    """(first, last + 1) of a slice; raises ValueError where it leads beyond `total` rows or mixes rows and percents."""
    ends = [end for end in (start, stop) if end and float(end.removesuffix("%"))]
    if len({end.endswith("%") for end in ends}) > 1:
        raise ValueError(f"write {start} and {stop} both as rows or both as percents.")
    return 0 if start is None else bound(start, total), total if stop is None else bound(stop, total)


def bound(text: str, total: int) -> int:
    """The row that one end of a slice means, from 0 to `total`; percents round to the nearest row, as TFDS' do."""
    value = float(text.removesuffix("%"))
    row = round(value * total / 100) if text.endswith("%") else int(value)
    if abs(value) > (100 if text.endswith("%") else total):
        raise ValueError(f"{text} lies beyond them.")
    return row + total if value < 0 else row  # -1% of ten rows is the end, not row 0 as in TFDS
