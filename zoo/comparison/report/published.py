"""Published numbers of a dataset, to be shown beside ours with the protocol and source of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """One source's numbers on one dataset, as it wrote them."""

    source: str
    link: str
    protocol: str
    scores: Mapping[str, Mapping[str, str]]  # of each variant, by the score's name
    disputed: tuple[str, ...] = ()  # variants whose numbers differ between the copies that we could read

    @property
    def names(self) -> list[str]:
        """The scores that any variant has."""
        return list(dict.fromkeys(name for each in self.scores.values() for name in each))


@cache
def read() -> dict[str, tuple[Published, ...]]:
    """All of them by dataset."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        dataset: tuple(Published(**{**each, "disputed": tuple(each.get("disputed", ()))}) for each in entries)
        for dataset, entries in content.items()
    }


def published_of(dataset: str) -> tuple[Published, ...]:
    """What is known of a dataset, whichever of its versions is meant; a part or relative of it is another dataset."""
    return read().get(dataset.partition(":")[0], ())
