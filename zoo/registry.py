"""From a stack's name to a checked stack: the catalogue's plugins loaded, its recipe values laid over theirs."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.catalogue import Catalogue, StackPart, canonical_name, load_plugin, parse_stack
from zoo.recipe import Setting, parse_setting
from zoo.stack import Stack, build_stack


def resolve_stack(text: str, catalogue: Catalogue, dataset: str | None = None, settings: Sequence[str] = ()) -> Stack:
    """The stack that `text` names, such as `dcgan` or `dcgan+r1`, with its recipe for the dataset.

    Recipe values rise in precedence along the stack: a plugin's own; for a variant then registry.yaml's for the
    variant, then for the variant on this dataset; then the plugins after it; last the `settings`, each `key=value`.
    """
    parts = parse_stack(text, catalogue)
    plugins = {name: load_plugin(catalogue.plugins[name]) for part in parts for name in part.plugins}
    layers = [layer for part in parts for layer in variant_settings(part, catalogue, dataset)]
    layers.append(("", [parse_setting(each) for each in settings]))
    return build_stack(canonical_name(parts), plugins, layers)


def variant_settings(part: StackPart, catalogue: Catalogue, dataset: str | None) -> list[tuple[str, list[Setting]]]:
    """What registry.yaml lays over the last plugin of a variant, with the line of each value."""
    if part.variant is None:
        return []
    variant = part.variant
    tables: list[tuple[str | None, Mapping[str, Any]]] = [(None, variant.recipe)]
    if dataset is not None and dataset in variant.datasets:
        tables.append((dataset, variant.datasets[dataset]))
    settings = [
        Setting(field, value, catalogue.location(variant.name, field, table_dataset))
        for table_dataset, table in tables
        for field, value in table.items()
    ]
    return [(part.plugins[-1], settings)]
