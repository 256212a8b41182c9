"""The signals that end a process, as a request to stop that is heeded where nothing is lost by it."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

# Ctrl-C; kill and a shutdown; a closed terminal or lost connection; Ctrl-\; those that batch systems send before a time
# limit; a limit of processor time; a failing power supply.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGPWR")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
# What a run heeds whoever handled it before, and though a shell has jobs in the background ignore Ctrl-C.
ASKED = (signal.SIGINT, signal.SIGTERM)
BURST = 0.5  # seconds in which several Ctrl-C are one: a key that is held down
STDERR = 2
Handler = Callable[[int, FrameType | None], None]


class Interrupted(KeyboardInterrupt):
    """Raised where a process is to end because of the signal `number`."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells expect: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + self.number


def interrupt(number: int, frame: FrameType | None) -> None:
    """A signal handler that ends what is done at once, so that it can still tidy up."""
    raise Interrupted(number, f"Interrupted by {signal.Signals(number).name}.")


class StopRequest:
    """The number of the first signal that arrived; None while there was none.

    Only Ctrl-C is from somebody who waits: `patience` further ones are told what goes on, the next one ends it at once.
    Others may come twice without being meant so, from `timeout` or a closing terminal, and are noted alone.
    """

    def __init__(self, patience: int = 0) -> None:
        self.number: int | None = None
        self._patience = patience
        self._pressed = 0.0  # when Ctrl-C arrived last, by time.monotonic
        self._interruptible = False

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """For work that may be cut short, since it is done again later: any signal raises Interrupted in it at once."""
        if self.number is not None:
            raise Interrupted(self.number, "")
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def receive(self, number: int, frame: FrameType | None) -> None:
        """The handler of every signal that ends a process."""
        first, self.number = self.number is None, self.number or number
        if self._interruptible:
            self._interruptible = False  # or a second signal would cut short how the work is left
            raise Interrupted(number, "")
        if number != signal.SIGINT:
            return
        now = time.monotonic()
        is_new, self._pressed = now - self._pressed > BURST, now
        if first or not is_new:
            return
        if self._patience == 0:
            raise Interrupted(number, "Ended at once, without saving; what was saved before is kept.")
        self._patience -= 1
        with suppress(OSError):  # a print could meet one that this signal has interrupted
            os.write(STDERR, b"\nThe step is finished and saved, one moment. Ctrl-C once more ends it unsaved.\n")


@contextmanager
def until_ctrl_c() -> Iterator[None]:
    """For what has no other end: Ctrl-C ends it well, any other signal as ever."""
    try:
        yield
    except KeyboardInterrupt as ending:
        if getattr(ending, "number", signal.SIGINT) != signal.SIGINT:
            raise


@contextmanager
def stop_requests(patience: int = 0) -> Iterator[StopRequest]:
    """Notes signals in the request for as long as the context lasts, instead of ending the process.

    Other signals that are ignored, as nohup has SIGHUP, stay so, and those that the program handles itself with it.
    """
    stop_request = StopRequest(patience)
    with handling(stop_request.receive, ASKED):
        yield stop_request


@contextmanager
def signals_interrupting() -> Iterator[None]:
    """Raises Interrupted for any signal that would end the process, so that files that are half written are removed."""
    with handling(interrupt):
        yield


@contextmanager
def handling(handler: Handler, anyway: Sequence[signal.Signals] = ()) -> Iterator[None]:
    """Has the ending signals handled by `handler`, where nobody but the zoo does, or `anyway`."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python sets signal handlers in the main thread alone
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ours = (signal.SIG_DFL, signal.default_int_handler, interrupt)
    taken = [each for each in SIGNALS if before[each] in ours or each in anyway]
    for number in taken:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)  # None: a handler that no Python can put back
