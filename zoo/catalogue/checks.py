"""What a value in a registry.yaml may be: its keys, its type and its name, with an error for everything else."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from zoo.catalogue.strict_yaml import Document, Keys
from zoo.errors import nearest_name

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
NAME_RULE = "a name is letters, digits, '-', '_' and '.', and begins with a letter or digit"
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")
MODULE_RULE = "is no module's name, such as package.module"

Types = type | tuple[type, ...]  # that a value may have
TYPE_NAMES: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


def checked_mapping(document: Document, keys: Keys, value: Any, allowed: Mapping[str, Types]) -> dict[str, Any]:
    """The part of `value` whose keys are known and whose values have the allowed types; the rest are errors."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        what = f"'{keys[-1]}'" if keys else "the file"
        document.error(keys, f"{what} must be a mapping of {_listed(allowed)}, but is {type_name(value)}.")
        return {}
    result = {}
    for key, each in value.items():
        if key not in allowed:
            document.error((*keys, key), _unknown_key(key, keys, allowed))
        elif type(each) in types_of(allowed[key]):  # isinstance would take true for a whole number
            result[key] = each
        elif each is not None or allowed[key] is not dict:  # a mapping may be left empty
            wanted = " or ".join(TYPE_NAMES[kind] for kind in types_of(allowed[key]))
            document.error((*keys, key), f"'{key}' must be {wanted}, but is {type_name(each)}.")
    return result


def types_of(allowed: Types) -> tuple[type, ...]:
    """The types that a value may have."""
    return allowed if isinstance(allowed, tuple) else (allowed,)


def check_name(document: Document, section: str, name: str) -> None:
    """Keeps an error where `name` could not be typed as a part of a stack or as a dataset."""
    if not NAME.match(name):
        document.error_at(document.line((section, name)), f"'{name}' cannot be a name: {NAME_RULE}.")


def type_name(value: Any) -> str:
    """How messages call the type of a value."""
    return TYPE_NAMES[type(value)]


def _unknown_key(key: str, keys: Keys, allowed: Iterable[str]) -> str:
    where = f" in '{keys[-1]}'" if keys else ""
    nearest = nearest_name(key, allowed)
    suggestion = f" Did you mean '{nearest}'?" if nearest else ""
    return f"unknown key '{key}'{where}.{suggestion} Available: {', '.join(sorted(allowed))}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
