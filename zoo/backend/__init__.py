"""The only code that knows TensorFlow or JAX; `engine()` gives the one that Keras runs on.

contract.py             what an engine does
options.py              what a user may choose of it
policy.py               how a step is compiled, by backend, device and networks
tensorflow.py, jax.py   the engines, each with a file for what needs mending: tensorflow_draws.py, jax_convolutions.py
normalization.py        a backend's own kernel for batch normalization
scopes.py               holding back what is written to variables
traces/                 what the profilers record
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.errors import ZooError, unknown

if TYPE_CHECKING:  # it imports Keras
    from zoo.backend.contract import Engine

VARIABLE = "KERAS_BACKEND"  # of the environment, which Keras reads when it is imported
NAMES = {"tensorflow": ("TensorFlow", "cpu", "gpu"), "jax": ("JAX", "jax", "jax-gpu")}  # and the extras that bring it
SUPPORTED = tuple(NAMES)
STDOUT, STDERR = 1, 2  # file descriptors


def choose(name: str | None) -> None:
    """Make the backend of that name the one that Keras will run on; None leaves what the environment says."""
    if name is None:
        return
    if name not in SUPPORTED:
        raise unknown("backend", name, SUPPORTED)
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != name:
        running = sys.modules["keras"].backend.backend()
        raise ZooError(f"Keras runs on {running} already. Set {VARIABLE}={name} before anything imports Keras.")
    os.environ[VARIABLE] = name


def chosen() -> str:
    """The name of the backend that Keras will run on."""
    return os.environ.setdefault(VARIABLE, SUPPORTED[0])


def check_installed() -> str:
    """The backend's name, or a ZooError where it is one that we don't run or is not installed; imports nothing big."""
    name = chosen()
    if name not in SUPPORTED:
        raise ZooError(
            f"{VARIABLE} is '{name}', which the zoo does not run. Available: {', '.join(SUPPORTED)}. "
            f"Unset it, or set {VARIABLE}={SUPPORTED[0]}."
        )
    if importlib.util.find_spec(name) is None:
        title, cpu, gpu = NAMES[name]
        others = [each for each in SUPPORTED if each != name and importlib.util.find_spec(each)]
        raise ZooError(
            f"{title} is not installed. Install it with pip install 'gan-zoo[{cpu}]', or 'gan-zoo[{gpu}]' for an "
            f"NVIDIA GPU.{''.join(f' Or take what is installed: --backend {each}.' for each in others)}"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its notices would drown the progress
    return name


def prepare() -> None:
    """Import the backend before Keras does, without the lines that its libraries print whatever the log level."""
    name = check_installed()
    if name not in sys.modules:
        with silenced(STDERR):
            importlib.import_module(name)


@contextmanager
def silenced(descriptor: int) -> Iterator[None]:
    """Nothing comes out of stdout or stderr, not even from C++."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(descriptor)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), descriptor)
            yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def divide(devices: int) -> None:
    """Make so many devices of the CPU, where that is what the backend runs on, before anything computes there.

    Raises ZooError where the backend has computed on fewer.
    """
    prepare()
    importlib.import_module(f"zoo.backend.{os.environ[VARIABLE]}").divide(devices)


def engine(options: EngineOptions = DEFAULT_ENGINE) -> "Engine":
    """The engine of the backend that Keras runs on."""
    check_installed()
    import keras

    name = keras.backend.backend()
    if name not in SUPPORTED:
        raise ZooError(
            f"Keras was imported with the backend '{name}', which the zoo does not run. "
            f"Available: {', '.join(SUPPORTED)}. Set {VARIABLE} before Keras is imported."
        )
    made: Engine = importlib.import_module(f"zoo.backend.{name}").ENGINE(options)
    return made


def peak_device_memory() -> int | None:
    """The most bytes that this process held on one GPU; None on a CPU, and where nothing was computed yet."""
    name = chosen()
    if name not in sys.modules:
        return None
    found: int | None = importlib.import_module(f"zoo.backend.{name}").peak_device_memory()
    return found
