"""What there is to run: plugins, variants and datasets of every source, read without importing a plugin or Keras."""

from zoo.catalogue.entries import Catalogue, DatasetEntry, PluginEntry, VariantEntry
from zoo.catalogue.plugins import find_plugin_source, load_every_plugin, load_plugin, plugin_summary
from zoo.catalogue.sources import read_catalogue
from zoo.catalogue.stacks import StackPart, canonical_name, parse_stack, stack_plugins
from zoo.catalogue.strict_yaml import parse_document, parse_value

__all__ = [
    "Catalogue",
    "DatasetEntry",
    "PluginEntry",
    "StackPart",
    "VariantEntry",
    "canonical_name",
    "find_plugin_source",
    "load_every_plugin",
    "load_plugin",
    "parse_document",
    "parse_stack",
    "parse_value",
    "plugin_summary",
    "read_catalogue",
    "stack_plugins",
]
