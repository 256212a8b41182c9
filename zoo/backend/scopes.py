"""Scopes that hold back writes to variables, on every backend, so that an update can choose which of them to apply."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import keras

from zoo.backend.keras_internals import (
    SEED_STATE,
    UNINITIALIZED,
    AutocastScope,
    get_global_attribute,
    get_stateless_scope,
    in_stateless_scope,
    set_global_attribute,
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
    """Sees the values of the scope around it, and `values` on top, and keeps its own writes to itself.

    A nested keras.StatelessScope would lose what was written in the surrounding one.
    """

    def __init__(self, values: Iterable[tuple[keras.Variable, Any]] = ()) -> None:
        super().__init__(state_mapping=list(values))
        if in_stateless_scope():
            self.state_mapping.update({**get_stateless_scope().state_mapping, **self.state_mapping})
        self.written: dict[int, keras.Variable] = {}

    def add_update(self, update: tuple[keras.Variable, Any]) -> None:
        """Note a write."""
        self.written[id(update[0])] = update[0]
        super().add_update(update)

    def get_current_value(self, variable: keras.Variable) -> Any:
        """Raises RuntimeError for a trainable variable that no loss moves, where reads are checked."""
        if KNOWN and variable.trainable and id(variable) not in KNOWN[-1]:
            raise RuntimeError(
                f"'{variable.path}' is a weight of a model that no hook returned: no loss would train it, and it would "
                "be in no checkpoint. Return the model from the hook 'networks', trained with a player or frozen"
            )
        return super().get_current_value(variable)

    @property
    def writes(self) -> list[tuple[keras.Variable, Any]]:
        """Every variable that was written, with its last value."""
        return [(variable, self.get_current_value(variable)) for variable in self.written.values()]


class HookScope(Scope):
    """A scope in which hooks run: it refuses writes that would be lost, and variables that are made inside.

    `declared` are the plugins' variables by the names under which they were declared; `current_trace` tells what
    a backend traces at the time, and `refusal`, where given, why no declared variable can be assigned. The errors are
    RuntimeErrors, so that they are told with the plugin's name, hook and line.
    """

    def __init__(
        self,
        values: Iterable[tuple[keras.Variable, Any]],
        permitted: Iterable[keras.Variable],
        declared: Mapping[str, keras.Variable],
        current_trace: Callable[[], Any],
        refusal: str | None = None,
    ) -> None:
        super().__init__(values)
        self.permitted = {id(each) for each in permitted}
        self.names = {id(each): name for name, each in declared.items()}
        self.current_trace = current_trace
        self.refusal = refusal

    def __enter__(self) -> Self:
        self.trace = self.current_trace()
        self.made_before = get_global_attribute(UNINITIALIZED)
        set_global_attribute(UNINITIALIZED, NoVariables())
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        set_global_attribute(UNINITIALIZED, self.made_before)
        super().__exit__(*error)

    def add_update(self, update: tuple[keras.Variable, Any]) -> None:
        """Note a write; raises RuntimeError for one that would be lost, or not be what is meant."""
        variable = update[0]
        name = self.names.get(id(variable))
        if id(variable) not in self.permitted:
            raise RuntimeError(
                f"'{name or variable.path}' is assigned here, where the write would be lost, or be in no checkpoint. "
                "Declare state in the hook 'variables', move weights in the hook 'observe', put a layer that draws or "
                "counts into a model, and draw by the hook's 'seed'"
            )
        if self.current_trace() != self.trace:
            inside = "inside keras.ops.cond or a loop, where its {} can't be kept"
            if variable.path.endswith(SEED_STATE):
                raise RuntimeError(
                    f"the seed draws {inside.format('count')}. Draw outside, and use what is drawn there"
                )
            raise RuntimeError(
                f"'{name or variable.path}' is assigned {inside.format('value')}. Compute the value there and assign "
                "it outside, or decide by keras.ops.where"
            )
        if name is not None and self.refusal is not None:
            raise RuntimeError(f"'{name}' {self.refusal}")
        super().add_update(update)


class NoVariables(list[keras.Variable]):
    """Stands where Keras notes what is made inside of a stateless scope, and refuses it."""

    def append(self, variable: keras.Variable) -> None:
        """Raises RuntimeError."""
        raise RuntimeError(
            f"'{variable.path}' is made while the step is traced: nothing would save or train it. Make the layer or "
            "variable in the hook that builds a model, or declare it in 'variables' or 'networks'"
        )


def current_values(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> list[Any]:
    """The value of each variable at the end of a scope: the one written there, else the earlier one."""
    found = [(variable, scope.get_current_value(variable)) for variable in variables]
    return [variable.value if value is None else value for variable, value in found]


def exact_values() -> Any:
    """A scope inside a layer's call in which its weights are read without a cast, also in mixed precision."""
    return AutocastScope(None)
