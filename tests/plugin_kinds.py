"""Which plugins a test must try in training, and which bring formulas alone, tried as such."""

from collections.abc import Iterable
from typing import Any

from zoo.catalogue import load_plugin, read_catalogue
from zoo.hookspecs import PROJECT

FORMULAS = {
    "recipe", "check", "advice", "discriminator_loss", "generator_loss", "discriminator_penalty", "generator_penalty",
}  # fmt: skip
MARKED = f"{PROJECT}_impl"


def hooks_of(module: Any) -> set[str]:
    """The hooks that a plugin answers."""
    return {name for name, each in vars(module).items() if hasattr(each, MARKED)}


def formulas_alone() -> set[str]:
    """The registered plugins without models, state or anything else that lasts from one update to the next."""
    catalogue = read_catalogue()
    return {name for name, entry in catalogue.plugins.items() if hooks_of(load_plugin(entry)) <= FORMULAS}


def untried(stacks: Iterable[str]) -> set[str]:
    """The registered plugins with models or state that are in none of these stacks."""
    catalogue = read_catalogue()
    words = {word for stack in stacks for word in stack.split("+")}
    tried = words | {plugin for word in words & set(catalogue.variants) for plugin in catalogue.variants[word].plugins}
    return set(catalogue.plugins) - tried - formulas_alone()
