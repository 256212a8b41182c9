"""Scopes that hold back writes to variables, on every backend, so that an update can choose which of them to apply."""

from collections.abc import Iterable
from typing import Any

import keras
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope
from keras.src.backend.common.variables import AutocastScope


def inherited_scope(values: Iterable[tuple[keras.Variable, Any]] = ()) -> keras.StatelessScope:
    """A stateless scope that reads the values of the surrounding one, overridden by `values`, and holds back writes.

    A nested keras.StatelessScope would lose what was written in the surrounding one.
    """
    scope = keras.StatelessScope(state_mapping=list(values))
    if in_stateless_scope():
        scope.state_mapping = {**get_stateless_scope().state_mapping, **scope.state_mapping}
    return scope


def current_values(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> list[Any]:
    """The value of each variable at the end of a scope: the one written there, else the earlier one."""
    found = [(variable, scope.get_current_value(variable)) for variable in variables]
    return [variable.value if value is None else value for variable, value in found]


def exact_values() -> AutocastScope:
    """A scope inside a layer's call in which its weights are read without a cast, also in mixed precision."""
    return AutocastScope(None)
