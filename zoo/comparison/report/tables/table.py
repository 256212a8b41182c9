"""A table as data: columns, rows, cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.comparison.report.reading import Variant


@dataclass(frozen=True)
class Column:
    """A column's title, the group above it, and its initial sorting: `ascending`, `descending` or ""."""

    title: str
    part: str  # the switch of the page that hides it: last, best, runs, cost, or ""
    group: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell's text, the value to sort by, a note below the text, and the mark of statistics (`best`, ...)."""

    text: str
    value: float | str | None = None
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Row:
    """A variant, and a cell for each column."""

    variant: Variant
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Table:
    """Columns, and rows in the order of the ranks of their variants."""

    columns: Sequence[Column]
    rows: Sequence[Row]

    @property
    def groups(self) -> list[tuple[str, list[Column]]]:
        """(group, columns) of adjacent columns with one group; a column without a group is alone."""
        made: list[tuple[str, list[Column]]] = []
        for column in self.columns:
            if column.group and made and made[-1][0] == column.group:
                made[-1][1].append(column)
            else:
                made.append((column.group, [column]))
        return made

    def outcomes_in_words(self) -> "Table":
        """The table with one column for all outcomes of runs in place of one for each; these must be adjacent."""
        places = [index for index, column in enumerate(self.columns) if column.part == "runs"]
        first, last = places[0], places[-1] + 1
        columns = [*self.columns[:first], Column("finished", "runs", "runs"), *self.columns[last:]]
        rows = [
            Row(
                row.variant,
                [*row.cells[:first], in_words(self.columns[first:last], row.cells[first:last]), *row.cells[last:]],
            )
            for row in self.rows
        ]
        return Table(columns, rows)

    def only(self, *parts: str) -> "Table":
        """The table with the columns of the given parts, and those of no part."""
        kept = [index for index, column in enumerate(self.columns) if column.part in ("", *parts)]
        rows = [Row(row.variant, [row.cells[index] for index in kept]) for row in self.rows]
        return Table([self.columns[index] for index in kept], rows)


def in_words(columns: Sequence[Column], cells: Sequence[Cell]) -> Cell:
    """`8 of 10: 1 collapsed, 1 diverged`."""
    others = [f"{cell.text} {column.title}" for column, cell in zip(columns[1:], cells[1:], strict=True) if cell.value]
    return Cell(f"{cells[0].text}{': ' if others else ''}{', '.join(others)}", cells[0].value)
