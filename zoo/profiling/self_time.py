"""Self times of events: their durations without those of events nested in them on the same thread."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from zoo.backend.traces.events import Event


def self_times(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """Every event with its self time in seconds; a thread's self times sum to the time that its events cover."""

    def thread(event: Event) -> tuple[str, str]:
        return event.place, event.thread

    ordered = sorted(events, key=lambda each: (thread(each), each.start_seconds, -each.seconds))
    for _, on_thread in groupby(ordered, key=thread):
        yield from thread_self_times(on_thread)


def thread_self_times(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """`self_times` of one thread's events, which are sorted by start, the longest first of equal starts."""
    running: list[tuple[Event, float]] = []  # nested events, outermost first, with their self times so far
    for event in events:
        while running and end(running[-1][0]) <= event.start_seconds:
            yield running.pop()
        if running:
            around, own = running.pop()
            within = min(end(event), end(around)) - event.start_seconds
            running.append((around, own - within))
        running.append((event, event.seconds))
    yield from reversed(running)


def end(event: Event) -> float:
    """The event's end, in seconds since the trace began."""
    return event.start_seconds + event.seconds
