"""Scopes that hold back writes to variables, on every backend: what a player may write is decided at their end."""

from collections.abc import Iterable
from typing import Any

import keras
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope


def inherited_scope(values: Iterable[tuple[keras.Variable, Any]] = ()) -> keras.StatelessScope:
    """A scope that sees the values of the scope around it, and `values` on top, and keeps its own writes to itself.

    Keras' own nested scope would forget what the surrounding one has written.
    """
    scope = keras.StatelessScope(state_mapping=list(values))
    if in_stateless_scope():
        scope.state_mapping = {**get_stateless_scope().state_mapping, **scope.state_mapping}
    return scope


def apply_writes(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> None:
    """Assign to each of `variables` what was written to it inside the scope; writes to all others are lost."""
    for variable in variables:
        value = scope.get_current_value(variable)
        if value is not None:
            variable.assign(value)
