"""Measures the time of the training loop's phases on the host's clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

EVERYTHING_ELSE = "everything else"
NOTHING = nullcontext()


class Phases:
    """Measures the time of phases, which may be nested; costs next to nothing before `begin`."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.is_timing = False
        self.seconds: dict[str, float] = {}
        self.current = EVERYTHING_ELSE
        self.counted = 0.0  # the time on the clock up to which all seconds are in `seconds`

    def begin(self) -> None:
        """Discards earlier measurements, and starts a new one."""
        self.seconds, self.current = {}, EVERYTHING_ELSE
        self.is_timing, self.counted = True, self.clock()

    def end(self) -> dict[str, float]:
        """Stops measuring; returns the seconds of each phase since `begin`, which sum to the total time."""
        self.enter(EVERYTHING_ELSE)
        self.is_timing = False
        return self.seconds

    def timing(self, phase: str) -> AbstractContextManager[None]:
        """A context whose time counts for the phase, except that of phases nested in it."""
        return self.inside(phase) if self.is_timing else NOTHING

    @contextmanager
    def inside(self, phase: str) -> Iterator[None]:
        """`timing` while a measurement runs."""
        around = self.enter(phase)
        try:
            yield
        finally:
            self.enter(around)

    def enter(self, phase: str) -> str:
        """Adds the time since the last switch to the current phase, and switches to `phase`; returns the former one."""
        now, before = self.clock(), self.current
        self.seconds[before] = self.seconds.get(before, 0.0) + now - self.counted
        self.current, self.counted = phase, now
        return before
