"""The only code that knows TensorFlow or JAX; `engine()` returns the engine of the backend that Keras runs on.

contract.py             the interface of an engine
options.py              the user's options of an engine
policy.py               how a step is compiled, by backend, device and networks
idle.py                 a GPU or oneDNN that lies idle
tensorflow.py, jax.py   the engines, with workarounds in tensorflow_draws.py and jax_convolutions.py
normalization.py        a backend's own kernel for batch normalization
scopes.py               scopes that hold back writes to variables
settings/               what else in a process changes numbers: fixed, refused or recorded
traces/                 records and reads the traces of profilers
"""

import gc
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.backend import settings
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.backend.settings import fixed
from zoo.base.output import SteadyStream
from zoo.errors import ZooError, unknown

__all__ = [
    "advice",
    "check_installed",
    "choose",
    "chosen",
    "divide",
    "engine",
    "fixed",
    "peak_device_memory",
    "prepare",
    "running",
    "set_defaults",
    "silenced",
    "use_whole_process",
]

if TYPE_CHECKING:  # the contract imports Keras
    from zoo.backend.contract import Engine

VARIABLE = "KERAS_BACKEND"  # the environment variable that Keras reads when it is imported
NAMES = {
    "tensorflow": ("TensorFlow", "cpu", "gpu"),
    "jax": ("JAX", "jax", "jax-gpu"),
}  # title, and the extras that install it
SUPPORTED = tuple(NAMES)
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
STDOUT, STDERR = 1, 2  # file descriptors
# What Keras imports where it is installed, for functions that the zoo never calls: a third of the time of its import.
UNUSED = ("matplotlib.pyplot", "pandas", "sklearn")
_is_whole_process = False


def choose(name: str | None) -> None:
    """Selects the backend that Keras will run on; None keeps the environment's.

    Raises ZooError for an unknown name, and where Keras was imported with another backend.
    """
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
    """The backend's name; raises ZooError where it is not supported or not installed. It is not imported."""
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
    settings.check_environment(name)
    set_defaults()
    return name


def set_defaults() -> None:
    """Sets what TensorFlow reads from the environment when it is loaded, unless the user has set it.

    By itself it computes by oneDNN only on processors with AVX512 or newer; on others that is half as fast again.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its notices would bury the progress lines
    if "tensorflow" not in sys.modules and platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault(ONEDNN, "1")


def prepare() -> None:
    """Imports the backend before Keras does, without the lines that its libraries print at any log level."""
    name = check_installed()
    if name in sys.modules:
        return
    with silenced(STDERR), uncollected():
        if _is_whole_process:
            with hidden(UNUSED):
                importlib.import_module(name)
                importlib.import_module("keras")
        else:
            importlib.import_module(name)


def use_whole_process() -> None:
    """Says that this process runs the zoo alone, so that Keras need not import what the zoo never calls.

    In other processes, such as a notebook's, Keras has all that it can have.
    """
    global _is_whole_process
    _is_whole_process = True


@contextmanager
def hidden(names: Sequence[str]) -> Iterator[None]:
    """Lets imports of these modules fail, unless they have been imported before."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # an import of None fails
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


@contextmanager
def uncollected() -> Iterator[None]:
    """Holds the garbage collector back, which spends a fifth of the time of an import on objects that all stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def silenced(descriptor: int) -> Iterator[None]:
    """Redirects the file descriptor of stdout or stderr to the null device, which silences C++ code too."""
    for stream in (sys.stdout, sys.stderr):
        SteadyStream(lambda stream=stream: stream).flush()  # type: ignore[misc]
    try:
        kept = os.dup(descriptor)
    except OSError:  # it is closed, and so silent
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), descriptor)
            yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def divide(devices: int) -> None:
    """Divides the CPU into virtual devices, where the backend runs on it; must precede any computation.

    Raises ZooError where the backend has already computed on fewer devices.
    """
    prepare()
    importlib.import_module(f"zoo.backend.{os.environ[VARIABLE]}").divide(devices)


def running() -> str:
    """Imports Keras and returns the name of its backend; raises ZooError where the zoo does not support that."""
    prepare()
    import keras

    name = str(keras.backend.backend())
    if name not in SUPPORTED:
        raise ZooError(
            f"Keras was imported with the backend '{name}', which the zoo does not run. "
            f"Available: {', '.join(SUPPORTED)}. Set {VARIABLE} before Keras is imported."
        )
    return name


def engine(options: EngineOptions = DEFAULT_ENGINE) -> "Engine":
    """A new engine of the backend that Keras runs on; raises ZooError where the zoo does not support that."""
    made: Engine = importlib.import_module(f"zoo.backend.{running()}").ENGINE(options)
    return made


def advice(kind: str) -> list[str]:
    """A sentence for each part of the machine that lies idle while `kind` computes."""
    from zoo.backend import idle

    title, _, extra = NAMES[running()]
    return idle.advice(title, extra, kind)


def peak_device_memory() -> int | None:
    """The peak memory of this process on one GPU, in bytes; None on a CPU, and before anything was computed."""
    name = chosen()
    if name not in sys.modules:
        return None
    found: int | None = importlib.import_module(f"zoo.backend.{name}").peak_device_memory()
    return found
