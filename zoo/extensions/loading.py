"""From an extension's entry in the catalogue to what its hook answers, with errors that name plugin and hook."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeVar

import pluggy

from zoo import extensions
from zoo.catalogue import HOOKS, Catalogue, PluginEntry, find_extension, load_plugin
from zoo.catalogue.entries import ExtensionEntry
from zoo.catalogue.plugins import described_error
from zoo.errors import ZooError, ZooWarning, nearest_name
from zoo.hookspecs import PROJECT

Made = TypeVar("Made")


@dataclass(frozen=True)
class Extension:
    """A loaded module that answers the hook of one kind."""

    entry: PluginEntry
    hook: str
    arguments: tuple[str, ...]  # those that its function names, in their order
    caller: Any  # of pluggy

    @property
    def title(self) -> str:
        """The beginning of a sentence about it."""
        return f"Plugin '{self.entry.name}' ({self.entry.source}), hook '{self.hook}'"

    @property
    def shipped(self) -> bool:
        """Whether it comes with the zoo."""
        return isinstance(self.entry, ExtensionEntry) and self.entry.shipped

    def answer(self, **arguments: Any) -> Any:
        """What the hook returns."""
        return self.blamed(self.caller, **arguments)

    def blamed(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """What a function of the extension returns; an exception becomes a ZooError that names plugin, hook and line.

        A ZooError stays what it is, and so does an exception of the zoo's own code, which is no user's mistake.
        """
        try:
            return function(*arguments, **named)
        except ZooError:
            raise
        except Exception as error:
            if self.shipped:
                raise
            raise ZooError(f"{self.title}: {described_error(error, self.entry)}") from error

    def must_return(self, expected: str, received: object) -> ZooError:
        """The error for an answer of another type than the contract's."""
        return ZooError(f"{self.title}: must return {expected}; received {type(received).__name__}.")

    def check_members(self, value: object, protocol: type, expected: str) -> None:
        """Raises ZooError unless a value has all that a protocol names."""
        public = {name for name in {*vars(protocol), *protocol.__annotations__} if not name.startswith("_")}
        if missing := sorted(name for name in public if inspect.getattr_static(value, name, None) is None):
            names = ", ".join(f"'{name}'" for name in missing)
            raise ZooError(f"{self.title}: must return {expected}; {type(value).__name__} has no {names}.")


def open_extension(kind: str, name: str, catalogue: Catalogue) -> Extension:
    """The extension that is called so; raises ZooError where there is none, or where it can't be loaded."""
    return load_extension(kind, find_extension(kind, name, catalogue))


def load_extension(kind: str, entry: PluginEntry) -> Extension:
    """The extension of an entry; raises ZooError where it can't be imported or has no such hook."""
    hook = HOOKS[kind]
    function: Any = getattr(load_plugin(entry), hook, None)
    if not hasattr(function, f"{PROJECT}_impl"):
        raise ZooError(
            f"'{entry.name}' ({entry.source}) is no {hook}: it has no function `{hook}` marked with @hookimpl. "
            f"See what there is: zoo list {kind}."
        )
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(extensions)
    found = Extension(entry, hook, tuple(inspect.signature(function).parameters), getattr(manager.hook, hook))
    check_arguments(found)
    manager.register(SimpleNamespace(**{hook: function}), entry.name)  # no other hook that the module answers
    return found


def check_arguments(extension: Extension) -> None:
    """Raises ZooError for an argument that the contract does not have."""
    known = extension.caller.spec.argnames
    for argument in extension.arguments:
        if argument not in known:
            nearest = nearest_name(argument, known)
            suggestion = f" Did you mean '{nearest}'?" if nearest else ""
            available = ", ".join(known) or "none"
            raise ZooError(f"{extension.title}: unknown argument '{argument}'.{suggestion} Available: {available}.")


def load_each(kind: str, entries: Iterable[ExtensionEntry], made: Callable[[Extension], Made]) -> Iterator[Made]:
    """What is made of the extension of each entry; one from outside that fails costs a ZooWarning and is left out."""
    for entry in entries:
        try:
            found = made(load_extension(kind, entry))
        except ZooError as error:
            if entry.shipped:
                raise
            warnings.warn(str(error), ZooWarning, stacklevel=2)
        else:
            yield found
