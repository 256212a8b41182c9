"""Which plugins a test must try in training, and which bring formulas alone, tried as such."""

from collections.abc import Callable, Iterable
from typing import Any

from zoo.catalogue import load_plugin, read_catalogue
from zoo.hookspecs import PROJECT

FORMULAS = {
    "recipe", "check", "advice", "discriminator_loss", "generator_loss", "discriminator_penalty", "generator_penalty",
}  # fmt: skip
TASK = {"recipe", "derive"}  # what is derived of a batch; tests/plugins/test_plugin_translation.py has all on JAX
MODIFIERS = (  # all at once, each of which has something that lasts
    "dcgan+virtual_batch_norm+minibatch_discrimination+lecam+path_length+historical_averaging+instance_noise+top_k"
    "+diffaugment+ada"
)
STATE = {"variables", "observe"}
MARKED = f"{PROJECT}_impl"


def hooks_of(module: Any) -> set[str]:
    """The hooks that a plugin answers."""
    return {name for name, each in vars(module).items() if hasattr(each, MARKED)}


def registered(holds: Callable[[set[str]], bool]) -> set[str]:
    """The registered plugins of whose hooks that holds."""
    entries = read_catalogue().plugins.items()
    return {name for name, entry in entries if holds(hooks_of(load_plugin(entry)))}


def formulas_alone() -> set[str]:
    """The plugins without models, state or anything else that lasts from one update to the next."""
    return registered(lambda hooks: hooks <= FORMULAS)


def with_state() -> set[str]:
    """The plugins with variables of their own, or that observe updates; networks and schedules are of tests/stacks."""
    return registered(lambda hooks: bool(hooks & STATE))


def named_in(stacks: Iterable[str]) -> set[str]:
    """The plugins of these stacks."""
    variants = read_catalogue().variants
    words = {word for stack in stacks for word in stack.split("+")}
    return words | {plugin for word in words & set(variants) for plugin in variants[word].plugins}


def tasks() -> set[str]:
    """The plugins that derive fields of a batch, and do nothing else."""
    return registered(lambda hooks: hooks == TASK)


def untried(stacks: Iterable[str]) -> set[str]:
    """The plugins with more than formulas or a derived field that are in none of these stacks."""
    return set(read_catalogue().plugins) - formulas_alone() - tasks() - named_in(stacks)
