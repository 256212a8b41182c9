"""What can be named, of every source: plugins, variants, datasets and more; read without importing any, or Keras."""

from zoo.catalogue.entries import BenchmarkEntry, Catalogue, DatasetEntry, ExtractorEntry, PluginEntry, VariantEntry
from zoo.catalogue.plugins import find_plugin_source, load_every_plugin, load_plugin, plugin_summary
from zoo.catalogue.sources import read_catalogue
from zoo.catalogue.stacks import StackPart, canonical_name, parse_stack, stack_plugins
from zoo.catalogue.strict_yaml import parse_document, parse_value

__all__ = [
    "BenchmarkEntry",
    "Catalogue",
    "DatasetEntry",
    "ExtractorEntry",
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
