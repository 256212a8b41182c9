"""Where a step's time goes by our own parts of the loop, on the host's clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

EVERYTHING_ELSE = "everything else"
NOTHING = nullcontext()


class Phases:
    """Divides time into phases that may lie in one another; until `begin` it costs next to nothing."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.is_timing = False
        self.seconds: dict[str, float] = {}
        self.current = EVERYTHING_ELSE
        self.counted = 0.0  # on the clock: up to here every second is in `seconds`

    def begin(self) -> None:
        """Forget what was timed, and time from now on."""
        self.seconds, self.current = {}, EVERYTHING_ELSE
        self.is_timing, self.counted = True, self.clock()

    def end(self) -> dict[str, float]:
        """Stop timing; the seconds of each phase since `begin`, which sum to all that passed."""
        self.enter(EVERYTHING_ELSE)
        self.is_timing = False
        return self.seconds

    def timing(self, phase: str) -> AbstractContextManager[None]:
        """What passes inside the context is the phase's, save what a phase within it takes."""
        return self.inside(phase) if self.is_timing else NOTHING

    @contextmanager
    def inside(self, phase: str) -> Iterator[None]:
        """Count for the phase, then again for the one around it."""
        around = self.enter(phase)
        try:
            yield
        finally:
            self.enter(around)

    def enter(self, phase: str) -> str:
        """Count what has passed for the current phase, and make this one current; returns the one before."""
        now, before = self.clock(), self.current
        self.seconds[before] = self.seconds.get(before, 0.0) + now - self.counted
        self.current, self.counted = phase, now
        return before
