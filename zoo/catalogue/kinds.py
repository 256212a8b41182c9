"""The kinds of extensions, and which of them a plugin is, read from its source without importing it."""

import ast

from zoo.catalogue.entries import HOOKS, Catalogue, ExtensionEntry, PluginEntry, match
from zoo.catalogue.plugins import parsed_source
from zoo.errors import unknown

MARKER = "hookimpl"


def extensions_of(plugin: PluginEntry) -> list[ExtensionEntry]:
    """A plugin as each kind of extension whose hook its source defines; none where the source cannot be read."""
    tree = parsed_source(plugin)
    defined = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and any(map(is_marked, marks(node)))
    }
    kinds = [kind for kind, hook in HOOKS.items() if hook in defined]
    return [ExtensionEntry(plugin.name, plugin.module, plugin.file, plugin.source, kind) for kind in kinds]


def find_extension(kind: str, name: str, catalogue: Catalogue) -> PluginEntry:
    """The extension of a kind that is called so; raises ZooError with those that there are.

    A plugin whose source does not show what it answers is returned too: it is known when it is loaded.
    """
    known = catalogue.extensions[kind]
    if found := match(name, known):
        return known[found]
    if found := match(name, catalogue.plugins):
        return catalogue.plugins[found]
    raise unknown(HOOKS[kind], name, known)


def marks(function: ast.FunctionDef) -> list[ast.expr]:
    """The decorators of a function, each without its arguments."""
    return [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]


def is_marked(decorator: ast.expr) -> bool:
    """Whether a decorator is `hookimpl` or `zoo.hookimpl`."""
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name == MARKER
