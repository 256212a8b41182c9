"""Summarizes a trace: time by phase and by kind of operation, busy threads, the slowest operations."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoo.backend.traces.events import Event
from zoo.profiling.kinds import SCHEDULING, operation_kind
from zoo.profiling.phases import EVERYTHING_ELSE
from zoo.profiling.self_time import self_times

DEVICES = "/device:"
SLOWEST = 5  # number of slowest operations that are listed
MILLISECONDS = 1e3  # milliseconds in a second
OwnTimes = Sequence[tuple[Event, float]]


@dataclass(frozen=True)
class Part:
    """A part of a step: a phase, or the operations of a kind or of a name."""

    name: str
    milliseconds: float
    """Self time per step, without parts that are nested in this one."""
    share: float
    """Share (0 to 1) of the step for a phase, else of the time of all operations on all threads."""
    count: float = 0.0
    """Number of operations per step."""


@dataclass(frozen=True)
class Summary:
    """Where the time of the traced steps went."""

    steps: int
    milliseconds: float
    """Time of a step while the profiler recorded."""
    unprofiled_milliseconds: float
    """Time of a step without the profiler."""
    phases: list[Part]
    kinds: list[Part]
    threads: dict[str, float]
    """The fraction of the time in which each thread computed; a GPU's streams alone where there is a GPU."""
    slowest: list[Part]


def summarize(
    events: Iterable[Event], phases: Mapping[str, float], steps: int, seconds: float, unprofiled_seconds: float
) -> Summary:
    """The summary of `steps` traced steps that took `seconds` in all; untraced, a step takes `unprofiled_seconds`."""
    computed = [
        (event, own) for event, own in self_times(measured(events)) if event.category in ("operation", "scheduling")
    ]
    by_phase = sorted(phases.items(), key=lambda item: (item[0] == EVERYTHING_ELSE, -item[1]))
    return Summary(
        steps=steps,
        milliseconds=seconds / steps * MILLISECONDS,
        unprofiled_milliseconds=unprofiled_seconds * MILLISECONDS,
        phases=[Part(name, spent / steps * MILLISECONDS, spent / seconds) for name, spent in by_phase],
        kinds=parts(computed, kind, steps),
        threads=busy(computed, seconds),
        slowest=[part for part in parts(computed, label, steps) if part.name != SCHEDULING][:SLOWEST],
    )


def measured(events: Iterable[Event]) -> list[Event]:
    """The events that compute or wait: only the devices' where there are any, since the host launches their work."""
    found = [event for event in events if event.category != "other"]
    return [event for event in found if event.place.startswith(DEVICES)] or found


def parts(computed: OwnTimes, name: Callable[[Event], str], steps: int) -> list[Part]:
    """The events grouped by name(event), the longest group first; scheduling is one group."""
    seconds: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for event, own in computed:
        group = SCHEDULING if event.category == "scheduling" else name(event)
        seconds[group] += own
        counts[group] += 1
    total = sum(seconds.values())
    return [
        Part(group, own / steps * MILLISECONDS, own / total if total else 0.0, counts[group] / steps)
        for group, own in sorted(seconds.items(), key=lambda item: -item[1])
    ]


def kind(event: Event) -> str:
    """The kind of an event's operation, to group by."""
    return operation_kind(event.computes, event.scope)


def label(event: Event) -> str:
    """An operation's name, and its scopes where the name is not made of them."""
    return event.name if event.name.startswith(event.scope) else f"{event.name} {event.scope}"


def busy(computed: OwnTimes, seconds: float) -> dict[str, float]:
    """The fraction of the seconds in which each thread computed, the busiest first."""
    fractions: dict[str, float] = defaultdict(float)
    for event, own in computed:
        fractions[f"{event.place} {event.thread}"] += own / seconds
    return dict(sorted(fractions.items(), key=lambda item: -item[1]))
