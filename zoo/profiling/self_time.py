"""How long each event ran itself, without the events that lie within it on its thread."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from zoo.backend.traces.events import Event


def self_times(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """Every event with its own seconds; those of all events of a thread sum to the time that any of them covers."""

    def thread(event: Event) -> tuple[str, str]:
        return event.place, event.thread

    ordered = sorted(events, key=lambda each: (thread(each), each.start_seconds, -each.seconds))
    for _, on_thread in groupby(ordered, key=thread):
        yield from thread_self_times(on_thread)


def thread_self_times(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """The same for one thread's events, by start, of equal starts the longest first."""
    running: list[tuple[Event, float]] = []  # each lies in the one before it, with what is its own so far
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
    """When the event ended, in seconds since the recording began."""
    return event.start_seconds + event.seconds
