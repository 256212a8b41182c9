"""Ctrl-C and SIGTERM as a request to stop that the training loop reads between steps, so that nothing is lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Raised once a run is saved and stopped because of the signal `number`."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells expect: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


class StopRequest:
    """The number of the first signal that arrived; None while there was none."""

    number: int | None = None


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Notes the first signal in the request; a second one of its kind acts as it would without this context."""
    stop_request = StopRequest()
    if (
        threading.current_thread() is not threading.main_thread()
    ):  # Python sets signal handlers in the main thread alone
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
