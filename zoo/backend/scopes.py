"""Scopes that hold back writes to variables, on every backend, so that an update can choose which of them to apply."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from zoo.backend.keras_internals import (
    UNINITIALIZED,
    AutocastScope,
    get_global_attribute,
    get_stateless_scope,
    in_stateless_scope,
    raw_value,
    set_global_attribute,
)
from zoo.errors import ZooError

ASSIGNED_INSIDE = (
    "A hook assigns the variable '{variable}' inside keras.ops.cond or a loop, where its value can't be kept. Compute "
    "the value there and assign it outside, or decide by keras.ops.where."
)


KNOWN: list[set[int]] = []  # ids of the variables that may be read while a loss is computed


@contextmanager
def reading_only(variables: Iterable[keras.Variable]) -> Iterator[None]:
    """A context in which scopes refuse reads of other trainable variables than these."""
    KNOWN.append({id(each) for each in variables})
    try:
        yield
    finally:
        KNOWN.pop()


class Scope(keras.StatelessScope):
    """Keeps writes to itself, and refuses those to variables that are not `permitted` (None permits all)."""

    def __init__(
        self, values: Iterable[tuple[keras.Variable, Any]], permitted: Iterable[keras.Variable] | None = None
    ) -> None:
        super().__init__(state_mapping=list(values))
        self.permitted = None if permitted is None else {id(each) for each in permitted}
        self.written: dict[int, keras.Variable] = {}

    def add_update(self, update: tuple[keras.Variable, Any]) -> None:
        """Note a write; raises RuntimeError for one that would be lost or be in no checkpoint."""
        variable = update[0]
        if self.permitted is not None and id(variable) not in self.permitted:
            raise RuntimeError(
                f"'{variable.path}' is assigned here, where the write would be lost, or be in no checkpoint. Declare "
                "state in the hook 'variables', move weights in the hook 'observe', put a layer that draws or counts "
                "into a model, and draw by the hook's 'seed'"
            )
        self.written[id(variable)] = variable
        super().add_update(update)

    def __exit__(self, *error: Any) -> None:
        """Raises ZooError where variables were made inside: nothing would save or train them."""
        made = get_global_attribute(UNINITIALIZED) if self.permitted is not None else None
        if made and error == (None, None, None):
            names = ", ".join(f"'{each.path}'" for each in made)
            set_global_attribute(UNINITIALIZED, [])
            super().__exit__(*error)
            raise ZooError(
                f"A hook makes a layer or variable ({names}) while the step is traced: nothing would save or train it. "
                "Make it in the hook that builds a model, or declare it in 'variables' or 'networks'."
            )
        super().__exit__(*error)

    def get_current_value(self, variable: keras.Variable) -> Any:
        """Raises RuntimeError for a trainable variable that no loss moves, where reads are checked."""
        made_here = raw_value(variable) is None  # which `__exit__` refuses
        if KNOWN and variable.trainable and not made_here and id(variable) not in KNOWN[-1]:
            raise RuntimeError(
                f"'{variable.path}' is a weight of a model that no hook returned: no loss would train it, and it would "
                "be in no checkpoint. Return the model from the hook 'networks', trained with a player or frozen"
            )
        return super().get_current_value(variable)

    @property
    def writes(self) -> list[tuple[keras.Variable, Any]]:
        """Every variable that was written, with its last value."""
        return [(variable, self.get_current_value(variable)) for variable in self.written.values()]


def inherited_scope(
    values: Iterable[tuple[keras.Variable, Any]] = (), permitted: Iterable[keras.Variable] | None = None
) -> Scope:
    """A scope that sees the values of the scope around it, and `values` on top, and keeps its own writes to itself.

    A nested keras.StatelessScope would lose what was written in the surrounding one.
    """
    scope = Scope(values, permitted)
    if in_stateless_scope():
        scope.state_mapping = {**get_stateless_scope().state_mapping, **scope.state_mapping}
    return scope


def current_values(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> list[Any]:
    """The value of each variable at the end of a scope: the one written there, else the earlier one."""
    found = [(variable, scope.get_current_value(variable)) for variable in variables]
    return [variable.value if value is None else value for variable, value in found]


def exact_values() -> Any:
    """A scope inside a layer's call in which its weights are read without a cast, also in mixed precision."""
    return AutocastScope(None)
