"""Records traces with JAX's profiler."""

from contextlib import AbstractContextManager
from pathlib import Path

import jax

from zoo.backend.traces.events import Event
from zoo.backend.traces.xspace import newest_events

PYTHON_CALLS = 0  # level 0 records no calls of Python functions, which are many and no operations
HOST_DETAIL = 2  # level 2 of 3 records operations and their scheduling


def trace(folder: Path) -> AbstractContextManager[None]:
    """A context that records a trace, for TensorBoard and `events`, into a new folder below `folder`."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = PYTHON_CALLS
    options.host_tracer_level = HOST_DETAIL
    return jax.profiler.trace(folder, profiler_options=options)


def events(folder: Path) -> list[Event]:
    """The events of the last trace in the folder."""
    return newest_events(folder)
