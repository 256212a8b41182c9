"""The listeners of a run: found before it begins, made when it does, closed when it ends."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from zoo.catalogue import Catalogue
from zoo.errors import ZooError, ZooWarning
from zoo.extensions.loading import Extension, open_extension
from zoo.runs.directory import RunDirectory
from zoo.training.listeners import Listener

KIND = "listeners"


@dataclass(frozen=True)
class Factory:
    """What makes a listener of one kind, and the extension that brought it."""

    extension: Extension
    make: Callable[[RunDirectory], Listener]


def find_listeners(names: Sequence[str], catalogue: Catalogue) -> list[Factory]:
    """What makes the listeners of these names, each once; raises ZooError for one that can't work here."""
    found = {}
    for name in names:
        extension = open_extension(KIND, name, catalogue)
        make = extension.answer()
        if not callable(make):
            raise extension.must_return("a function or class that makes a zoo.extensions.Listener", make)
        found[extension.entry.name] = Factory(extension, make)
    return list(found.values())


@contextmanager
def following(directory: RunDirectory, factories: Sequence[Factory]) -> Iterator[Sequence[Listener]]:
    """The listeners of a run for as long as it trains."""
    with ExitStack() as stack:
        followers = []
        for each in factories:
            followers.append(Follower(each.extension, made(each, directory)))
            stack.push(followers[-1].leave)
        yield followers


def made(factory: Factory, directory: RunDirectory) -> Listener:
    """The listener of a run; raises ZooError where the factory makes anything else."""
    listener: Listener = factory.extension.blamed(factory.make, directory)
    factory.extension.check_members(listener, Listener, "what makes a zoo.extensions.Listener")
    return listener


class Follower:
    """A listener whose failures do not end the run that it follows.

    What fails when training begins is an error, because then nothing is lost yet. What fails later costs a warning, and
    the listener hears no more of the run.
    """

    def __init__(self, extension: Extension, listener: Listener) -> None:
        self.extension = extension
        self.listener = listener
        self.failed = False

    def begin(self) -> None:
        self.extension.blamed(self.listener.begin)

    def measured(self, line: Mapping[str, float]) -> None:
        self.attempt(self.listener.measured, line)

    def pictured(self, step: int, picture: Path) -> None:
        self.attempt(self.listener.pictured, step, picture)

    def scored(self, evaluation: Mapping[str, Any]) -> None:
        self.attempt(self.listener.scored, evaluation)

    def ended_by(self, error: BaseException) -> None:
        self.attempt(self.listener.ended_by, error)

    def close(self) -> None:
        self.attempt(self.listener.close)

    def leave(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The end of the run, as a context's end is told."""
        if error is not None:
            self.ended_by(error)
        self.close()

    def attempt(self, method: Callable[..., None], *arguments: Any) -> None:
        """Calls a method of the listener, unless one has failed before."""
        if self.failed:
            return
        try:
            self.extension.blamed(method, *arguments)
        except Exception as error:  # of the zoo's own listeners too: a tracker's library may raise anything
            self.failed = True
            known = isinstance(error, ZooError | OSError)
            what = str(error) if known else f"Listener '{self.extension.entry.name}': {type(error).__name__}: {error}"
            warnings.warn(f"The run goes on without this listener. {what}", ZooWarning, stacklevel=2)
