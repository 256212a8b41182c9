"""The only code that knows TensorFlow: `current()` gives the module for Keras' backend, all of one contract.

player_gradients(compute, weights, state)   gradients of one player's loss, its writes held back in a scope
input_gradients(function, inputs)           differentiable gradients by inputs, for penalties
compiled(function)                          the function as the backend runs it fastest
devices(), version()                        for reports
STOCK_NORMALIZATIONS                        Keras layers whose second-order gradients are wrong on this backend
"""

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from zoo.errors import ZooError

SUPPORTED = ("tensorflow",)


def check_installed() -> str:
    """The backend's name, or a ZooError where it is one that we don't run or is not installed; imports nothing big."""
    name = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if name not in SUPPORTED:
        raise ZooError(
            f"KERAS_BACKEND is '{name}', which the zoo does not run. Available: {', '.join(SUPPORTED)}. "
            f"Unset it, or set KERAS_BACKEND={SUPPORTED[0]}."
        )
    if importlib.util.find_spec(name) is None:
        raise ZooError(
            "TensorFlow is not installed. Install it with pip install 'gan-zoo[cpu]', "
            "or 'gan-zoo[gpu]' for an NVIDIA GPU."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its notices would drown the progress
    return name


def prepare() -> None:
    """Import the backend before Keras does, without the lines that its libraries print whatever the log level."""
    name = check_installed()
    if name in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            importlib.import_module(name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def current() -> ModuleType:
    """The module for the backend that Keras runs on."""
    check_installed()
    import keras

    name = keras.backend.backend()
    if name not in SUPPORTED:
        raise ZooError(
            f"Keras was imported with the backend '{name}', which the zoo does not run. "
            f"Available: {', '.join(SUPPORTED)}. Set KERAS_BACKEND before Keras is imported."
        )
    return importlib.import_module(f"zoo.backend.{name}")
