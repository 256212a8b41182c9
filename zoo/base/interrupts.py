"""Ctrl-C and SIGTERM as a wish that the loop reads between steps, so that nothing is lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """The run was saved and stopped because a signal asked for it."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program that a signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


class StopRequest:
    """Holds the number of the signal that arrived, if any."""

    number: int | None = None


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Note the first signal; the second of its kind acts as it would without us."""
    stop_request = StopRequest()
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers there alone
        yield stop_request
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        stop_request.number = number
        signal.signal(number, before[signal.Signals(number)])

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield stop_request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
