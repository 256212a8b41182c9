"""Profiles a few steps of a training loop: a trace for TensorBoard and for Perfetto, and a summary of one screen."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from zoo.backend.traces.events import Event
from zoo.errors import ZooError
from zoo.profiling.chrome import write_trace
from zoo.profiling.phases import Phases
from zoo.profiling.screen import shown
from zoo.profiling.summary import summarize

__all__ = ["Phases", "profile_steps"]

WARM_UP_STEPS = 3  # the first of them compile
COMPARED_STEPS, COMPARED_SECONDS = 10, 2.0  # at most, without the profiler
TRACED_STEPS, TRACED_SECONDS = 20, 5.0  # at most

Advance = Callable[[], int]


class Recorder(Protocol):
    """A backend's profiler, as an engine has it."""

    def traced(self, folder: Path) -> AbstractContextManager[None]:
        """Record into the folder what runs inside the context."""

    def trace_events(self, folder: Path) -> list[Event]:
        """What was recorded last into the folder."""


def profile_steps(advance: Advance, recorder: Recorder, phases: Phases, folder: Path) -> str:
    """Train some steps, trace some more, write what was found into the folder; returns the summary's text.

    `advance` trains a step or a few, waits until they are computed, and returns how many; 0 where training has ended.
    """
    advanced(advance, WARM_UP_STEPS, float("inf"), phases.clock)
    compared, compared_seconds = advanced(advance, COMPARED_STEPS, COMPARED_SECONDS, phases.clock)
    with recorder.traced(folder):
        phases.begin()
        steps, seconds = advanced(advance, TRACED_STEPS, TRACED_SECONDS, phases.clock)
        spent = phases.end()
    if not steps:
        raise ZooError(
            "Training ended before a step could be profiled. "
            f"Give --steps {WARM_UP_STEPS + COMPARED_STEPS + TRACED_STEPS} more than are trained already."
        )
    events = recorder.trace_events(folder)
    summary = summarize(events, spent, steps, seconds, compared_seconds / compared)
    text = shown(summary)
    write_trace(events, folder / "trace.json.gz")
    (folder / "summary.json").write_text(json.dumps(asdict(summary), indent=2) + "\n")
    (folder / "summary.txt").write_text(text + "\n", encoding="utf-8")
    return text


def advanced(advance: Advance, most_steps: int, most_seconds: float, clock: Callable[[], float]) -> tuple[int, float]:
    """Train until there are so many steps or seconds, or nothing is left; how many steps, and in how many seconds."""
    began = clock()
    steps, ended = 0, began
    while steps < most_steps and ended - began < most_seconds:
        finished = advance()
        if not finished:
            break
        steps, ended = steps + finished, clock()
    return steps, ended - began
