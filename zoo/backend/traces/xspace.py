"""Reads the trace files that both backends' profilers write, without importing either.

A file is an XSpace: planes (the host, devices) of lines (threads, streams) of events,
https://github.com/openxla/xla/blob/main/third_party/tsl/tsl/profiler/protobuf/xplane.proto
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.backend.traces.events import Category, Event
from zoo.backend.traces.protobuf import Message, message
from zoo.backend.traces.xla_programs import Operation, Program, fitting_program, program_operations

PLANES = 1
PLANE_NAME, LINES, EVENT_KINDS, STATISTIC_NAMES = 2, 3, 4, 5
LINE_ID, LINE_NAME, LINE_NANOSECONDS, EVENTS = 1, 2, 3, 4
EVENT_KIND, OFFSET, DURATION, STATISTICS = 1, 2, 3, 4  # fields of XEvent, its times in picoseconds
NAME, TYPE, KIND_STATISTICS = 2, 4, 5  # fields of XEventMetadata; NAME of XStatMetadata too
STATISTIC, UNSIGNED, SIGNED, TEXT, BYTES, REFERENCE = 1, 3, 4, 5, 6, 7
KEY, VALUE = 1, 2  # fields of a map's entry
PICOSECONDS, NANOSECONDS = 1e-12, 1e-9  # seconds

PROGRAMS = "/host:metadata"  # the plane that holds XLA's programs
DEVICES = "/device:"
STREAM = "Stream"  # prefix of the GPU's lines that hold operations; other lines repeat these in groups
SCHEDULERS = ("ExecutorState::Process", "ThunkExecutor::Execute")
WAITS = ("BlockUntilReady", "ThunkExecutor::Execute (wait for completion)")

ProgramKey = tuple[str, str]  # a program's name, and its number when it was compiled


def newest_events(folder: Path) -> list[Event]:
    """The events of the last trace in a folder, sorted by start; [] where there is none."""
    paths = sorted(folder.glob("plugins/profile/*/*.xplane.pb"))  # each trace is in a folder named by its time
    return events_of(paths[-1].read_bytes()) if paths else []


def events_of(space: bytes) -> list[Event]:
    """The events of a serialized XSpace with a duration, sorted by start, the longest first of equal starts."""
    planes = [Plane.of(each) for each in message(memoryview(space)).messages(PLANES)]
    programs = [program for plane in planes if plane.name == PROGRAMS for program in plane.programs()]
    began = min((line.integers.get(LINE_NANOSECONDS, 0) for plane in planes for line in plane.lines), default=0)
    events = [event for plane in planes for event in plane.events(began, programs)]
    return sorted(events, key=lambda each: (each.start_seconds, -each.seconds))


@dataclass(frozen=True)
class Plane:
    """A plane, with the tables that its events refer to by number."""

    name: str
    lines: list[Message]
    kinds: dict[int, Message]
    """The metadata that events of one name share."""
    statistic_names: dict[int, str]
    """The names of statistics, and the texts that statistics refer to."""

    @classmethod
    def of(cls, plane: Message) -> "Plane":
        """A plane from the message of an XPlane."""
        names = {key: each.text(NAME) for key, each in entries(plane, STATISTIC_NAMES)}
        lines = [line for line in plane.messages(LINES) if EVENTS in line.parts]
        return cls(plane.text(PLANE_NAME), lines, dict(entries(plane, EVENT_KINDS)), names)

    def programs(self) -> Iterator[Program]:
        """Yields the programs of XLA that the plane holds."""
        for kind in self.kinds.values():
            for statistic in kind.messages(KIND_STATISTICS):
                if BYTES in statistic.parts:
                    yield kind.text(NAME), program_operations(statistic.parts[BYTES][-1])

    def events(self, began: int, programs: Sequence[Program]) -> Iterator[Event]:
        """Yields the plane's events, their starts counted from `began`, in nanoseconds."""
        timed = [
            (line, event, self.statistics(event))
            for line in self.lines
            for event in line.messages(EVENTS)
            if event.integers.get(DURATION)
        ]
        used = used_programs([statistics for _, _, statistics in timed], programs)
        for line, event, statistics in timed:
            program = used.get(program_key(statistics), {})
            yield self.event(line, event, began, program.get(statistics.get("hlo_op", ""), Operation()), statistics)

    def event(
        self, line: Message, event: Message, began: int, operation: Operation, statistics: Mapping[str, str]
    ) -> Event:
        """The Event of a line's XEvent; `operation` is empty where XLA has none."""
        kind = self.kinds[event.integers.get(EVENT_KIND, 0)]
        name, thread = kind.text(NAME), line.text(LINE_NAME) or str(line.integers.get(LINE_ID, 0))
        if kind.text(TYPE) and not operation.computes:  # an operation of TensorFlow itself, named path:type
            operation = Operation(kind.text(TYPE), name.removesuffix(f":{kind.text(TYPE)}"))
        line_began = (line.integers.get(LINE_NANOSECONDS, 0) - began) * NANOSECONDS
        return Event(
            name=name,
            category=self.category(name, thread, bool(kind.text(TYPE)) or "hlo_op" in statistics),
            place=self.name,
            thread=thread,
            start_seconds=line_began + event.integers.get(OFFSET, 0) * PICOSECONDS,
            seconds=event.integers[DURATION] * PICOSECONDS,
            computes=f"{name} {operation.computes}" if self.is_device else operation.computes,
            scope=operation.scope or statistics.get("tf_op", ""),
        )

    def category(self, name: str, thread: str, is_operation: bool) -> Category:
        """An event's category, by its name, its thread, and whether it is an operation of the host."""
        if self.is_device:
            return "operation" if thread.startswith(STREAM) else "other"
        if is_operation:
            return "operation"
        if name in SCHEDULERS:
            return "scheduling"
        return "waiting" if name in WAITS else "other"

    @property
    def is_device(self) -> bool:
        """Whether the plane is an accelerator's."""
        return self.name.startswith(DEVICES)

    def statistics(self, event: Message) -> dict[str, str]:
        """An event's statistics by name as text, "" for floats."""
        return {
            self.statistic_names[each.integers.get(STATISTIC, 0)]: self.value(each)
            for each in event.messages(STATISTICS)
        }

    def value(self, statistic: Message) -> str:
        """A statistic's value as text."""
        if REFERENCE in statistic.integers:
            return self.statistic_names[statistic.integers[REFERENCE]]
        number = statistic.integers.get(UNSIGNED, statistic.integers.get(SIGNED, ""))
        return statistic.text(TEXT) or str(number)


def entries(plane: Message, number: int) -> Iterator[tuple[int, Message]]:
    """Yields the (key, value) entries of a map field from numbers to messages."""
    for entry in plane.messages(number):
        yield entry.integers.get(KEY, 0), next(entry.messages(VALUE), Message())


def used_programs(
    events: Iterable[Mapping[str, str]], programs: Sequence[Program]
) -> dict[ProgramKey, Mapping[str, Operation]]:
    """The operations of the programs that the events refer to, by key."""
    names: dict[ProgramKey, set[str]] = defaultdict(set)
    for statistics in events:
        if "hlo_op" in statistics:
            names[program_key(statistics)].add(statistics["hlo_op"])
    return {key: fitting_program(*key, operations, programs) for key, operations in names.items()}


def program_key(statistics: Mapping[str, str]) -> ProgramKey:
    """The key of the program that an event belongs to."""
    return statistics.get("hlo_module", ""), statistics.get("program_id", "")
