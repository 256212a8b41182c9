"""The candidates of a comparison: stacks with recipe values, written as `vanilla,generator_units=64,64`."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.catalogue import Catalogue, canonical_name, parse_stack
from zoo.errors import ZooError


@dataclass(frozen=True)
class Candidate:
    """A stack, and the recipe values by which it differs from its recipe in the registry."""

    stack: str  # the stack's registered name
    settings: tuple[str, ...] = ()  # each `key=value`

    @property
    def label(self) -> str:
        """`vanilla,generator_units=64,64`: the name in tables and on the command line."""
        return ",".join([self.stack, *self.settings])


def parse_candidate(text: str, catalogue: Catalogue) -> Candidate:
    """Parses `stack,key=value,...`; a part without an equals sign continues the value before it, as a list.

    Raises ZooError for an unknown stack, and where the first part after it has no equals sign.
    """
    stack, *parts = text.split(",")
    settings: list[str] = []
    for part in parts:
        if "=" in part:
            settings.append(part.strip())
        elif settings:
            settings[-1] += f",{part.strip()}"
        else:
            raise ZooError(
                f"Can't read '{text}': after the first comma come recipe values, as in "
                f"{stack},batch_size=32. Separate variants by spaces."
            )
    return Candidate(canonical_name(parse_stack(stack, catalogue)), tuple(settings))


def parse_sweep(text: str) -> tuple[str, tuple[str, ...]]:
    """Parses `key=a,b,c` into the key and its values; semicolons separate lists: `units=64,64;128,128`."""
    key, equals, values = text.partition("=")
    found = tuple(each.strip() for each in values.split(";" if ";" in values else ",") if each.strip())
    if not equals or not key.strip() or not found:
        raise ZooError(f"--sweep {text}: expected key=value,value,... such as --sweep batch_size=32,64.")
    if repeated := [each for each in found if found.count(each) > 1]:
        raise ZooError(f"--sweep {text}: the value {repeated[0]} stands twice.")
    return key.strip(), found


def swept(candidates: Sequence[Candidate], sweeps: Sequence[str]) -> list[Candidate]:
    """Every candidate with every combination of the sweeps' values, without duplicates."""
    pairs = [[f"{key}={value}" for value in values] for key, values in map(parse_sweep, sweeps)]
    every = [
        Candidate(each.stack, (*each.settings, *combination))
        for each in candidates
        for combination in itertools.product(*pairs)
    ]
    return list(dict.fromkeys(every))
