"""The metrics of a run as a list of its lines, as arrays, or as a table."""

import importlib.util
from typing import TYPE_CHECKING, Any

from zoo.base.html import paragraph, table
from zoo.errors import ZooError

if TYPE_CHECKING:
    import numpy as np

SHOWN_ROWS, SHOWN_NAMES = 5, 8  # of the table that a notebook shows


class Metrics(list[dict[str, Any]]):
    """The lines of metrics.jsonl as dictionaries, earliest first; `arrays` and `to_pandas` have them by name."""

    @property
    def arrays(self) -> "dict[str, np.ndarray]":
        """The numbers by name, each float64 (lines,), nan where a line lacks it."""
        import numpy as np

        return {name: np.array([line.get(name, np.nan) for line in self], "float64") for name in self.names}

    @property
    def names(self) -> list[str]:
        """What is measured, in the order in which it appears; some of it not in every line."""
        every = (name for line in self for name, value in line.items() if isinstance(value, int | float))
        return list(dict.fromkeys(every))

    def to_pandas(self) -> Any:
        """A pandas.DataFrame with a column for each name, by step; raises ZooError where pandas is missing."""
        pandas = pandas_or("`metrics.arrays` has the same without it")
        columns = self.arrays
        steps = pandas.Index(columns.pop("step", ()), name="step", dtype="int64")
        return pandas.DataFrame(columns, index=steps)

    def _repr_html_(self) -> str:
        """The last lines and the first names, as a notebook shows them."""
        names = self.names[:SHOWN_NAMES]
        rows = [[number_text(line.get(name)) for name in names] for line in self[-SHOWN_ROWS:]]
        text = f"{len(self)} lines of {len(self.names)} numbers: `.arrays`, `.to_pandas()`"
        return table(names, rows) + paragraph(text)


def pandas_or(otherwise: str) -> Any:
    """The module pandas; raises ZooError, which says what is there without it, where it is missing."""
    if importlib.util.find_spec("pandas") is None:
        raise ZooError(f"A table needs pandas: pip install pandas. {otherwise}.")
    import pandas

    return pandas


def number_text(value: Any) -> str:
    """A number in four digits, or whole; nothing for None."""
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
