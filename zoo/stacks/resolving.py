"""From a stack's name to a checked stack: the catalogue's plugins loaded, its recipe values laid over theirs."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

from zoo.catalogue import Catalogue, StackPart, VariantEntry, canonical_name, load_plugin, parse_stack, stack_plugins
from zoo.errors import ZooError
from zoo.recipe import Setting, field_types, parse_setting, setting_problems
from zoo.stacks.stack import Stack, build_stack


def resolve_stack(
    text: str,
    catalogue: Catalogue,
    dataset: str | None = None,
    settings: Sequence[str] = (),
    changes: Sequence[Setting] = (),
) -> Stack:
    """The stack that `text` names, such as `dcgan` or `dcgan+r1`, with its recipe for the dataset.

    Recipe values rise in precedence along the stack: a plugin's own; for a variant then registry.yaml's for the
    variant, then for the variant on this dataset; then the plugins after it; then the `settings`, each `key=value`;
    last the `changes` of a run.
    """
    if problems := override_problems(catalogue):
        raise ZooError("\n".join(problems))
    parts = parse_stack(text, catalogue)
    plugins = {name: load_plugin(catalogue.plugins[name]) for name in stack_plugins(parts)}
    layers = [
        (part.plugins[-1], table_settings(catalogue, part.variant, table))
        for part in parts
        if part.variant
        for table in tables_for(part, dataset)
    ]
    layers.append(("", [*(parse_setting(each) for each in settings), *changes]))
    return build_stack(canonical_name(parts), plugins, layers)


def tables_for(part: StackPart, dataset: str | None) -> list[str | None]:
    """Which of a variant's tables count on a dataset: that for all, called None, and that for the dataset."""
    return [None, dataset] if part.variant and dataset in part.variant.datasets else [None]


def table_settings(catalogue: Catalogue, variant: VariantEntry, dataset: str | None) -> list[Setting]:
    """What registry.yaml sets for a variant on every dataset (None) or on one, with the line of each value."""
    table: Mapping[str, Any] = variant.recipe if dataset is None else variant.datasets[dataset]
    return [Setting(field, value, catalogue.location(variant.name, field, dataset)) for field, value in table.items()]


def override_problems(catalogue: Catalogue) -> list[str]:
    """Every recipe value in a registry.yaml that no plugin of its variant has or that is of another type.

    Variants with a plugin that can't be loaded are passed over: who runs them is told.
    """
    problems = []
    for variant in catalogue.variants.values():
        tables = [None, *variant.datasets]
        settings = [setting for table in tables for setting in table_settings(catalogue, variant, table)]
        try:
            plugins = [(name, load_plugin(catalogue.plugins[name])) for name in variant.plugins] if settings else []
        except ZooError:
            continue
        if plugins:
            problems += setting_problems(recipe_types(variant.name, *plugins), settings)
    return list(dict.fromkeys(problems))


@lru_cache(maxsize=512)
def recipe_types(name: str, *plugins: tuple[str, ModuleType]) -> Mapping[str, Any]:
    """Of the fields of a stack's recipe: found once, since every variant's are asked for when any stack is resolved."""
    return field_types(type(build_stack(name, dict(plugins)).recipe))
