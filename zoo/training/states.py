"""The state of a training as arrays by name: the same names in every process, on every backend, in every checkpoint."""

import re
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from zoo.errors import ZooError

COUNTER = re.compile(r"_\d+")  # Keras numbers names by what else the process has built
MOST = 4  # names in an error
STEPS = "steps"  # how many are finished

Arrays = Mapping[str, np.ndarray]


def numbered(owners: Mapping[str, Iterable[keras.Variable]]) -> dict[str, keras.Variable]:
    """`generator/003/kernel` for each owner's variables, in their order."""
    return {
        f"{owner}/{index:03d}/{COUNTER.sub('', variable.name)}": variable
        for owner, variables in owners.items()
        for index, variable in enumerate(variables)
    }


def owned(state: Arrays, owner: str) -> list[np.ndarray]:
    """The arrays of one owner, in the order of its variables."""
    return [array for name, array in state.items() if name.startswith(f"{owner}/")]


def without_steps(state: Arrays) -> Arrays:
    """The arrays of variables alone."""
    return {name: array for name, array in state.items() if name != STEPS}


def misfit(state: Arrays, variables: Mapping[str, keras.Variable]) -> str:
    """What the arrays of a state have otherwise than these variables; empty where it fits."""
    if state.keys() != variables.keys():
        return f"The checkpoint holds other variables: {', '.join(sorted(state.keys() ^ variables.keys())[:MOST])}."
    for name, variable in variables.items():
        if tuple(variable.shape) != state[name].shape:
            return f"The checkpoint's '{name}' is {state[name].shape}, the model's {tuple(variable.shape)}."
    return ""


def assign(state: Arrays, variables: Mapping[str, keras.Variable]) -> None:
    """Give variables their arrays; ZooError where they belong to other models."""
    if found := misfit(state, variables):
        raise ZooError(
            f"{found} The stack builds other networks now than those that were trained: one of its plugins or the zoo "
            "has changed. Take the versions that began the run (run.yaml has them), or train anew."
        )
    for name, variable in variables.items():
        variable.assign(state[name])


def assign_model(state: Arrays, owner: str, model: keras.Model) -> None:
    """Give a model what its owner has in a state."""
    own = {name: array for name, array in state.items() if name.startswith(f"{owner}/")}
    assign(own, numbered({owner: model.variables}))
