"""Output that ends nothing: a reader that has gone away, a closed descriptor or a name that can't be encoded."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

GONE = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO, errno.ESHUTDOWN)  # nobody will read the stream any more
STREAMS = ("stdin", "stdout", "stderr")  # by their descriptors


class SteadyStream:
    """A text stream in whose place it stands, without errors: what can't be written is dropped.

    What the encoding lacks is written as an escape. The stream is asked for each time: a notebook, or a test, may
    replace it.
    """

    def __init__(self, stream: Callable[[], TextIO | None]) -> None:
        self._stream = stream
        self.is_gone = False  # whether nobody reads it any more
        self.lost: OSError | None = None  # the first other error, such as that of a full disk

    def write(self, text: str) -> int:
        self._attempt(lambda stream: self._write(stream, text))
        return len(text)

    def flush(self) -> None:
        self._attempt(lambda stream: stream.flush())

    def isatty(self) -> bool:
        stream = self._stream()
        return bool(not self.is_gone and stream is not None and not stream.closed and stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream(), name)

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def _attempt(self, act: Callable[[TextIO], object]) -> None:
        stream = self._stream()
        if stream is None or self.is_gone:
            return
        try:
            act(stream)
        except ValueError:  # it is closed
            self.is_gone = True
        except OSError as error:
            self.is_gone = error.errno in GONE
            self.lost = self.lost or (None if self.is_gone else error)
            if self.is_gone:
                silence(stream)


def silence(stream: TextIO) -> None:
    """Leads standard output or error into nothing, for libraries that write there, and for the end of the process."""
    with suppress(OSError, ValueError):
        if stream.fileno() in (1, 2):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


def steady_stderr() -> SteadyStream:
    """Standard error, whatever that is at the time of each write."""
    return SteadyStream(lambda: sys.stderr)


def steady_stdout() -> SteadyStream:
    """Standard output, whatever that is at the time of each write."""
    return SteadyStream(lambda: sys.stdout)


@contextmanager
def steady_output() -> Iterator[SteadyStream]:
    """Makes standard output and error steady; yields standard output.

    A closed descriptor, as `>&-` leaves it, is opened onto nothing: else the next file that is opened, such as a
    checkpoint, would take its number, and receive what libraries print.
    """
    open_descriptors()
    before = {name: getattr(sys, name) for name in STREAMS[1:]}
    steady = {name: SteadyStream(lambda stream=stream: stream) for name, stream in before.items()}  # type: ignore[misc]
    for name, stream in steady.items():
        setattr(sys, name, stream)
    try:
        yield steady["stdout"]
    finally:
        for name, stream in steady.items():
            stream.flush()
            if getattr(sys, name) is stream:
                setattr(sys, name, before[name])


def open_descriptors() -> None:
    """Opens those of the three standard descriptors that are closed."""
    for number, name in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            if getattr(sys, name) is None:
                mode = "r" if name == "stdin" else "w"
                setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
