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

WARM_UP_STEPS = 3  # untimed steps, the first of which compile
COMPARED_STEPS, COMPARED_SECONDS = 10, 2.0  # limits of the steps that are timed without the profiler
TRACED_STEPS, TRACED_SECONDS = 20, 5.0  # limits of the steps that are traced

Advance = Callable[[], int]


class Recorder(Protocol):
    """The methods of an engine that record and read a trace."""

    def traced(self, folder: Path) -> AbstractContextManager[None]:
        """Records a trace of what runs inside the context into the folder."""

    def trace_events(self, folder: Path) -> list[Event]:
        """The events of the last trace in the folder."""


def profile_steps(advance: Advance, recorder: Recorder, phases: Phases, folder: Path) -> str:
    """Times some training steps, traces some more, and writes trace and summary into the folder; returns the summary.

    `advance` trains one step or a few, waits until they are computed, and returns their number, 0 after the last.
    Raises ZooError where training ends before a step was traced.
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
    """Trains until one of the limits, or the end of training, is reached; returns (steps, seconds)."""
    began = clock()
    steps, ended = 0, began
    while steps < most_steps and ended - began < most_seconds:
        finished = advance()
        if not finished:
            break
        steps, ended = steps + finished, clock()
    return steps, ended - began
