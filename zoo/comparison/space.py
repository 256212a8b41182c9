"""The search space of `zoo tune`: which recipe values are tried, read from YAML.

generator_learning_rate: {low: 1e-5, high: 1e-2, log: true}
critic_steps: {low: 1, high: 5}
generator_units: {choices: [[64, 64], [128, 128]]}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from zoo.catalogue.strict_yaml import Document, read_document
from zoo.comparison.results import as_typed
from zoo.errors import ZooError

KEYS = ("choices", "low", "high", "log", "step")
KINDS = "{low: 1e-5, high: 1e-2, log: true}, {low: 1, high: 5} or {choices: [16, 32]}"


class Suggesting(Protocol):
    """The part of Optuna's Trial that suggests values; ranges include both ends."""

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> str: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...


@dataclass(frozen=True)
class Dimension:
    """One recipe field and the values that it may take."""

    field: str
    choices: tuple[str, ...] = ()  # values as the command line takes them
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None

    def suggested(self, trial: Suggesting) -> str:
        """`field=value` with the value that a trial suggests."""
        if self.choices:
            return f"{self.field}={trial.suggest_categorical(self.field, self.choices)}"
        if isinstance(self.low, int) and isinstance(self.high, int):
            value = trial.suggest_int(self.field, self.low, self.high, step=int(self.step or 1), log=self.log)
            return f"{self.field}={value}"
        return f"{self.field}={trial.suggest_float(self.field, self.low, self.high, step=self.step, log=self.log):.6g}"


def read_space(path: Path) -> list[Dimension]:
    """The dimensions of a YAML file; raises ZooError with every mistake and its line."""
    document = read_document(path, path.name)
    if not document.errors and (not isinstance(document.data, dict) or not document.data):
        document.error((), f"expected recipe fields, each with {KINDS}.")
    content: Mapping[str, Any] = document.data if isinstance(document.data, dict) else {}
    found = [dimension(document, field, value) for field, value in content.items()]
    if document.errors:
        raise ZooError("\n".join(document.messages()))
    return found


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a YAML value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def dimension(document: Document, field: str, value: Any) -> Dimension:
    """The dimension of one field; mistakes are added to the document's errors."""
    if not isinstance(value, dict):
        document.error((field,), f"'{field}' must be {KINDS}.")
        return Dimension(field)
    for key in value:
        if key not in KEYS:
            document.error((field, key), f"unknown key '{key}' in '{field}'. Available: {', '.join(KEYS)}.")
    choices, low, high = value.get("choices"), value.get("low"), value.get("high")
    if choices is not None:
        if not isinstance(choices, list) or not choices or low is not None or high is not None:
            document.error((field,), f"'{field}' needs a list of choices alone, such as {{choices: [16, 32]}}.")
            return Dimension(field)
        return Dimension(field, tuple(as_typed(each) for each in choices))
    log, step = value.get("log", False), value.get("step")
    if not is_number(low) or not is_number(high) or low >= high or (log and (low <= 0 or step)):
        document.error((field,), f"'{field}' must be {KINDS}: low below high, and with log above 0 and without a step.")
        return Dimension(field)
    return Dimension(field, (), low, high, bool(log), step)
