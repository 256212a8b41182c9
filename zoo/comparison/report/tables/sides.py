"""Recipes and protocols side by side, their differences separated from what they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.comparison.report.reading import Comparison, Variant, variants_of
from zoo.comparison.report.words import NONE, plain, shortened


@dataclass(frozen=True)
class Entry:
    """A field's value in one variant's recipe as text, and the source of that value."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Field:
    """A recipe field, with an entry for each variant."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def differs(self) -> bool:
        """Whether variants differ in the value, whatever its source."""
        return len({entry.text for entry in self.entries}) > 1


@dataclass(frozen=True)
class Sides:
    """The variants with a recipe, and every field that any of these recipes has."""

    variants: list[Variant]
    fields: list[Field]

    @property
    def differing(self) -> int:
        return sum(field.differs for field in self.fields)


def recipes_of(comparison: Comparison, dataset: str) -> Sides:
    """The recipes for a dataset, differing fields first."""
    recipes = {
        variant: found
        for variant in variants_of(comparison)
        if (found := (comparison.get("recipes", {}).get(variant.label) or {}).get(dataset))
    }
    names = list(dict.fromkeys(name for recipe in recipes.values() for name in recipe))
    fields = [Field(name, tuple(entry(recipe.get(name)) for recipe in recipes.values())) for name in names]
    return Sides(list(recipes), sorted(fields, key=lambda field: not field.differs))


def entry(found: Mapping[str, Any] | None) -> Entry:
    """The entry of a recipe's value, or of a missing one."""
    return Entry(NONE) if found is None else Entry(plain(found.get("value")), str(found.get("source") or ""))


@dataclass(frozen=True)
class Protocols:
    """Protocols as (name, value) pairs: those that all scores share, and each score's own."""

    shared: list[tuple[str, str]]
    own: dict[str, list[tuple[str, str]]]


def protocols_of(comparison: Comparison) -> Protocols:
    """The protocols of all scores, shared parts separated."""
    flat = {name: flattened(protocol) for name, protocol in (comparison.get("protocols") or {}).items()}
    keys = list(dict.fromkeys(key for each in flat.values() for key in each))
    shared = [key for key in keys if len({each.get(key) for each in flat.values()}) == 1]
    return Protocols(
        [(key, next(iter(flat.values()))[key]) for key in shared],
        {name: [(key, value) for key, value in each.items() if key not in shared] for name, each in flat.items()},
    )


def flattened(value: Any, path: str = "") -> dict[str, str]:
    """`{"real": {"count": 2000}}` as `{"real.count": "2000"}`."""
    if not isinstance(value, Mapping) or not value:
        return {path: shortened(plain(value if value != {} else None))}
    made: dict[str, str] = {}
    for key, each in value.items():
        made.update(flattened(each, f"{path}.{key}" if path else str(key)))
    return made
