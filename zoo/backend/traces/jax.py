"""Traces by JAX's profiler."""

from contextlib import AbstractContextManager
from pathlib import Path

import jax

from zoo.backend.traces.events import Event
from zoo.backend.traces.xspace import newest_events

PYTHON_CALLS = 0  # none: they are many, and none is an operation
HOST_DETAIL = 2  # of 3: operations and what schedules them


def trace(folder: Path) -> AbstractContextManager[None]:
    """Record what runs inside the context, for TensorBoard and `events`, into a new folder below `folder`."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = PYTHON_CALLS
    options.host_tracer_level = HOST_DETAIL
    return jax.profiler.trace(folder, profiler_options=options)


def events(folder: Path) -> list[Event]:
    """What was recorded last into the folder."""
    return newest_events(folder)
