"""What a plugin brings, read from its source without importing it: its family, its paper's year; and a variant's."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from zoo.catalogue.entries import PluginEntry, VariantEntry
from zoo.catalogue.kinds import is_marked, marks
from zoo.catalogue.plugins import parsed_source

PLUGIN_FAMILIES = (
    "networks", "losses", "penalties and regularizers", "augmentation", "conditional", "heads and layers", "training",
    "tasks",
)  # fmt: skip
VARIANT_FAMILIES = ("unconditional", "conditional", "translation")
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
PLAYERS = {"generator", "discriminator"}


@dataclass(frozen=True)
class Facts:
    """What `zoo list` says of a plugin."""

    summary: str  # the first line of its docstring: its paper and link
    hooks: Mapping[str, frozenset[str]]  # those that it answers, with the names of their arguments
    wrappers: frozenset[str]  # of these the ones that it wraps

    @property
    def year(self) -> int | None:
        """The first year that the summary names."""
        found = YEAR.search(self.summary)
        return int(found[0]) if found else None

    @property
    def family(self) -> str:
        """One of PLUGIN_FAMILIES, by the hooks that it answers."""
        own = set(self.hooks) - self.wrappers
        rules = {
            "networks": own >= PLAYERS,
            "tasks": "derive" in own,
            "heads and layers": "judged_shape" in own,
            "augmentation": "augment" in own,
            "losses": "discriminator_loss" in own,
            "conditional": bool(self.wrappers & PLAYERS) and (self.takes("classes") or "latents" in self.wrappers),
            "training": "move_latents" in own,
            "penalties and regularizers": bool(own & {"discriminator_penalty", "generator_penalty"}),
        }
        others = "heads and layers" if self.wrappers & PLAYERS else "training"
        return next((family for family, holds in rules.items() if holds), others)

    def takes(self, argument: str) -> bool:
        """Whether what builds its players asks for an argument."""
        return any(argument in self.hooks[player] for player in PLAYERS & set(self.hooks))


def facts_of(plugin: PluginEntry) -> Facts:
    """Read from its source; empty where that can't be read."""
    tree = parsed_source(plugin)
    hooks: dict[str, frozenset[str]] = {}
    wrappers = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(map(is_marked, marks(node))):
            hooks[node.name] = frozenset(each.arg for each in (*node.args.args, *node.args.kwonlyargs))
            wrappers.update([node.name] if any(map(is_wrapping, node.decorator_list)) else [])
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and is_marked(node.value.func):
            hooks |= {each.id: frozenset() for each in node.targets if isinstance(each, ast.Name)}
    return Facts((ast.get_docstring(tree) or "").partition("\n")[0], hooks, frozenset(wrappers))


def is_wrapping(decorator: ast.expr) -> bool:
    """Whether a decorator says `wrapper=True`."""
    return isinstance(decorator, ast.Call) and any(each.arg == "wrapper" for each in decorator.keywords)


def family_of_variant(variant: VariantEntry, facts: Mapping[str, Facts]) -> str:
    """One of VARIANT_FAMILIES, by what its plugins ask for to build their players."""
    plugins = [facts[name] for name in variant.plugins if name in facts]
    if any("fields" in each.hooks.get("generator", ()) for each in plugins):
        return "translation"
    return "conditional" if any(each.takes("classes") for each in plugins) else "unconditional"


def year_of_variant(variant: VariantEntry, facts: Mapping[str, Facts]) -> int | None:
    """That of its youngest plugin."""
    years = [facts[name].year for name in variant.plugins if name in facts]
    return max((each for each in years if each), default=None)
