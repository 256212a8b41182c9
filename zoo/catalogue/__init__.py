"""What can be named, wherever it comes from: plugins, variants, datasets, metrics and more; none is imported."""

from zoo.catalogue.entries import (
    HOOKS,
    BenchmarkEntry,
    Catalogue,
    DatasetEntry,
    ExtensionEntry,
    PluginEntry,
    VariantEntry,
)
from zoo.catalogue.kinds import find_extension
from zoo.catalogue.plugins import (
    ADVICE,
    find_plugin_source,
    load_every_plugin,
    load_plugin,
    plugin_advice,
    plugin_summary,
)
from zoo.catalogue.sources import read_catalogue
from zoo.catalogue.stacks import StackPart, canonical_name, parse_stack, stack_plugins
from zoo.catalogue.strict_yaml import dump_document, parse_document, parse_value

__all__ = [
    "ADVICE",
    "HOOKS",
    "BenchmarkEntry",
    "Catalogue",
    "DatasetEntry",
    "ExtensionEntry",
    "PluginEntry",
    "StackPart",
    "VariantEntry",
    "canonical_name",
    "dump_document",
    "find_extension",
    "find_plugin_source",
    "load_every_plugin",
    "load_plugin",
    "parse_document",
    "parse_stack",
    "parse_value",
    "plugin_advice",
    "plugin_summary",
    "read_catalogue",
    "stack_plugins",
]
