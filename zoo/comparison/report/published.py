"""Published scores on a dataset, with their source and protocol, to be shown beside those of a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """One source's scores on one dataset, in its own notation."""

    source: str
    link: str
    protocol: str
    scores: Mapping[str, Mapping[str, str]]  # scores by variant, then by name
    disputed: tuple[str, ...] = ()  # variants whose scores differ between papers that quote this source

    @property
    def names(self) -> list[str]:
        """The names of the scores that any variant has."""
        return list(dict.fromkeys(name for each in self.scores.values() for name in each))


@cache
def read() -> dict[str, tuple[Published, ...]]:
    """The content of published.yaml by dataset."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        dataset: tuple(Published(**{**each, "disputed": tuple(each.get("disputed", ()))}) for each in entries)
        for dataset, entries in content.items()
    }


def published_of(dataset: str) -> tuple[Published, ...]:
    """The published scores on a dataset, of any `:version`; subsets and derivatives are other datasets."""
    return read().get(dataset.partition(":")[0], ())
