"""The events of a trace, which are the same for every backend."""

from dataclasses import dataclass
from typing import Literal

Category = Literal["operation", "scheduling", "waiting", "other"]


@dataclass(frozen=True)
class Event:
    """Something that ran on one thread for a while; two events of a thread lie apart or one within the other."""

    name: str
    category: Category
    place: str
    """`/host:CPU`, or a device such as `/device:GPU:0`."""
    thread: str
    """A thread of the host, or a stream of a device."""
    start_seconds: float
    """Start, in seconds since the trace began."""
    seconds: float
    computes: str = ""
    """What an operation computes: TensorFlow's type of it, XLA's instructions, a kernel's name."""
    scope: str = ""
    """The scopes in which an operation was traced, separated by slashes."""
