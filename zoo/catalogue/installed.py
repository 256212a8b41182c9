"""Plugins of installed packages: their entry points, read one by one and without importing any of them."""

import re
import warnings
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint, distributions

from zoo.catalogue.checks import MODULE, MODULE_RULE, NAME, NAME_RULE
from zoo.catalogue.entries import PluginEntry
from zoo.errors import ZooWarning

GROUP = "zoo"


def installed_plugins() -> list[PluginEntry]:
    """One entry for each entry point of the group; what cannot be one costs a ZooWarning that names it."""
    return [entry for owner, point in _entry_points() if (entry := _entry(owner, point))]


def _entry_points() -> Iterator[tuple[str, EntryPoint]]:
    seen = set()
    for distribution in distributions():
        # The text is looked at first: to read every package's metadata takes ten times as long.
        if f"[{GROUP}]" not in _text(distribution):
            continue
        name = distribution.name
        if _normalized(name) in seen:  # an older copy, further down sys.path than the one that is imported
            continue
        seen.add(_normalized(name))
        owner = f"entry point of {name} {distribution.version}"
        try:
            points = distribution.entry_points.select(group=GROUP)
        except Exception as error:  # importlib.metadata does not document how it fails on a malformed file
            _warn(f"The entry points of {name} {distribution.version} cannot be read: {type(error).__name__}: {error}")
            continue
        yield from ((owner, point) for point in points)


def _normalized(name: str) -> str:
    """The form in which the packaging standards compare distributions' names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _text(distribution: Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except (OSError, UnicodeDecodeError):  # then nothing says that the package has plugins
        return ""


def _entry(owner: str, point: EntryPoint) -> PluginEntry | None:
    if not NAME.match(point.name):
        _warn(f"Plugin '{point.name}' ({owner}) is left out: {NAME_RULE}.")
    elif not MODULE.match(point.value):
        _warn(f"Plugin '{point.name}' ({owner}) is left out: '{point.value}' {MODULE_RULE}.")
    else:
        return PluginEntry(point.name, point.value, None, owner)
    return None


def _warn(message: str) -> None:
    warnings.warn(message, ZooWarning, stacklevel=2)
