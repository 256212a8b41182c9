"""The entries of the catalogue, each with the place that it came from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOOKS = {  # each kind of extension, which is a section of registry.yaml, and the hook that its modules answer
    "metrics": "metric",
    "extractors": "extractor",
    "sources": "source",
    "executors": "executor",
    "listeners": "listener",
}


@dataclass(frozen=True)
class PluginEntry:
    """One plugin: a module to import, or a file to execute, never both."""

    name: str
    module: str | None
    file: Path | None  # absolute
    source: str  # "registry.yaml:12", "entry point of DISTRIBUTION VERSION" or "--plugin FILE.py"


@dataclass(frozen=True)
class ExtensionEntry(PluginEntry):
    """A plugin that answers one of the hooks of `zoo.extensions`."""

    kind: str  # the section of registry.yaml: "metrics", "extractors", "sources", "executors" or "listeners"
    summary: str = ""  # empty where the first line of the module says it
    shipped: bool = False  # whether it comes with the zoo


# Of data that hints tell apart: "pairs" and "unpaired" have a field `source`, in the samples' order or in its own.
KINDS = IMAGES, POINTS, WITH_PAIRS, UNPAIRED = ("images", "points", "pairs", "unpaired")


@dataclass(frozen=True)
class VariantEntry:
    """A named stack of plugins with the recipe values that it overrides, for every dataset and for single ones."""

    name: str
    plugins: tuple[str, ...]
    recipe: Mapping[str, Any]
    datasets: Mapping[str, Mapping[str, Any]]
    summary: str
    source: str  # file:line
    suggested_for: tuple[str, ...] = ()  # kinds of data, of KINDS, for which hints name it


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset by name: where its samples come from, with the keys, the crop and the size to read it by."""

    name: str
    kind: str  # the name of its source; "files" for a path, which the sources from outside are offered first
    reference: str = ""  # what the dataset is called there: a builder of TFDS, a set of points, a path
    path: Path | None = None  # the user's own files, absolute
    image_key: str | None = None
    label_key: str | None = None
    crop: int | str | None = None  # pixels, the side of the centre crop; or `square` or `none`
    image_size: int | None = None  # pixels
    channels: int | None = None
    layout: str | None = None  # these six decide what may be read in two ways
    values: str | None = None
    folders: str | None = None
    source_from: str | None = None
    source_size: int | None = None  # pixels
    source_order: str | None = None
    extractor: str | None = None  # in which it is scored unless asked otherwise
    epochs: int | None = None  # how long `zoo run` trains without a budget
    train: str | None = None  # the split that training reads
    test: str | None = None
    license: str = ""  # of the data, as SPDX calls it; empty where it is not stated
    summary: str = ""
    source: str = ""  # file:line


@dataclass(frozen=True)
class BenchmarkEntry:
    """On what variants are compared: datasets, a budget, how it is scored, and over how many seeds."""

    name: str
    datasets: tuple[str, ...]
    variants: tuple[
        str, ...
    ] = ()  # that are compared unless others are named; `vanilla,generator_units=64` with values
    images: int | None = None  # real ones that the discriminator sees: one of these four is the budget
    epochs: int | None = None
    steps: int | None = None
    minutes: float | None = None
    seeds: int = 5  # 0 and those that follow
    evaluations: int = 10  # of each run, evenly spread, the last at its end
    metrics: tuple[str, ...] = ()  # the first decides; the usual ones where none is named
    until: float | None = None  # a first score as good as this ends a run before its budget is spent
    samples: int = 10_000  # generated, and at most so many real ones
    extractor: str | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)  # laid over every variant's
    summary: str = ""
    source: str = ""  # file:line


@dataclass(frozen=True)
class Catalogue:
    """Everything that can be named, by its name."""

    plugins: dict[str, PluginEntry] = field(default_factory=dict)
    variants: dict[str, VariantEntry] = field(default_factory=dict)
    datasets: dict[str, DatasetEntry] = field(default_factory=dict)
    extensions: dict[str, dict[str, ExtensionEntry]] = field(default_factory=lambda: {kind: {} for kind in HOOKS})
    """By kind, then by name, in the order in which they are listed and metrics are measured."""
    benchmarks: dict[str, BenchmarkEntry] = field(default_factory=dict)
    locations: dict[tuple[str, str | None, str], str] = field(default_factory=dict)

    def suggestions(self, kind: str) -> list[str]:
        """The names of the variants that hints name for a kind of data, one of KINDS."""
        return [each.name for each in self.variants.values() if kind in each.suggested_for]

    def location(self, variant: str, field: str, dataset: str | None = None) -> str:
        """The `file:line` where `variant` overrides the recipe's `field`, or of the variant if it does not."""
        return self.locations.get((variant, dataset, field)) or self.variants[variant].source


def same_name(name: str) -> str:
    """The form of `name` by which names are compared: '-' and '_' are the same."""
    return name.replace("-", "_")


def match(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is `name`, or is but for '-' and '_', or None."""
    candidates = list(names)
    if name in candidates:
        return name
    return next((each for each in candidates if same_name(each) == same_name(name)), None)
