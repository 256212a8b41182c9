"""A stack as it is written on the command line: `dcgan`, or `dcgan+lsgan+r1`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from zoo.catalogue.entries import Catalogue, VariantEntry, match
from zoo.errors import ZooError, unknown


@dataclass(frozen=True)
class StackPart:
    """One part of a stack: a variant with its plugins and recipe, or a single plugin."""

    name: str  # as registered
    kind: Literal["variant", "plugin"]
    plugins: tuple[str, ...]
    variant: VariantEntry | None = None


def parse_stack(text: str, catalogue: Catalogue) -> list[StackPart]:
    """The parts of `a+b+c`: the first is a variant before it is a plugin, each other one the other way round."""
    names = [name.strip() for name in text.split("+")]
    if not all(names):
        raise ZooError(f"Stack '{text}' has an empty part. Join names by single plus signs, such as variant+plugin.")
    parts = [_part(name, index == 0, catalogue) for index, name in enumerate(names)]
    _refuse_repeated_plugins(text, parts)
    return parts


def canonical_name(parts: Sequence[StackPart]) -> str:
    """The one text that stands for a stack however it was typed: its parts' registered names, joined by '+'."""
    return "+".join(part.name for part in parts)


def stack_plugins(parts: Sequence[StackPart]) -> tuple[str, ...]:
    """The names of the stack's plugins, from the lowest to the one that overrides all others."""
    return tuple(plugin for part in parts for plugin in part.plugins)


def _part(name: str, first: bool, catalogue: Catalogue) -> StackPart:
    variant, plugin = match(name, catalogue.variants), match(name, catalogue.plugins)
    if variant and (first or not plugin):
        entry = catalogue.variants[variant]
        return StackPart(variant, "variant", entry.plugins, entry)
    if plugin:
        return StackPart(plugin, "plugin", (plugin,))
    raise unknown("variant or plugin", name, {*catalogue.variants, *catalogue.plugins})


def _refuse_repeated_plugins(text: str, parts: Sequence[StackPart]) -> None:
    bringer: dict[str, str] = {}
    for part in parts:
        for plugin in part.plugins:
            if plugin in bringer:
                where = f"part '{bringer[plugin]}' already brings it, and '{part.name}' does again"
                raise ZooError(f"Stack '{text}' has the plugin '{plugin}' twice: {where}. Remove one of the two.")
            bringer[plugin] = part.name
