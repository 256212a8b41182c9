"""Writes traces in the Trace Event Format, for Perfetto (https://ui.perfetto.dev) and chrome://tracing.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.backend.traces.events import Event
from zoo.profiling.kinds import operation_kind

MICROSECONDS = 1e6  # microseconds in a second


def write_trace(events: Sequence[Event], path: Path) -> None:
    """Writes all events as gzipped JSON, in which each place is a process."""
    places = {place: number for number, place in enumerate(dict.fromkeys(each.place for each in events), 1)}
    threads = {key: number for number, key in enumerate(dict.fromkeys((each.place, each.thread) for each in events), 1)}
    entries: list[dict[str, Any]] = [named("process_name", place, number, 0) for place, number in places.items()]
    entries += [named("thread_name", key[1], places[key[0]], number) for key, number in threads.items()]
    entries += [entry(each, places[each.place], threads[each.place, each.thread]) for each in events]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump({"displayTimeUnit": "ms", "traceEvents": entries}, file)


def named(what: str, name: str, process: int, thread: int) -> dict[str, Any]:
    """The entry that gives a process or a thread its name."""
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}


def entry(event: Event, process: int, thread: int) -> dict[str, Any]:
    """The entry of an event with its whole duration."""
    is_operation = event.category == "operation"
    return {
        "ph": "X",
        "name": event.name,
        "cat": operation_kind(event.computes, event.scope) if is_operation else event.category,
        "pid": process,
        "tid": thread,
        "ts": event.start_seconds * MICROSECONDS,
        "dur": event.seconds * MICROSECONDS,
        "args": {"scope": event.scope} if event.scope else {},
    }
