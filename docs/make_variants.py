"""Writes docs/variants: a page for each plugin and an index, from the plugins themselves and registry.yaml.

python -m docs.make_variants; a test says when it is to be run again.
"""

import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from zoo.backend import prepare

prepare()  # before Keras imports TensorFlow, loudly

from docs.measurements import measurements  # noqa: E402
from zoo.catalogue import ADVICE, Catalogue, VariantEntry, load_plugin, plugin_advice, read_catalogue  # noqa: E402
from zoo.catalogue.families import (  # noqa: E402
    PLUGIN_FAMILIES,
    VARIANT_FAMILIES,
    Facts,
    facts_of,
    family_of_variant,
    year_of_variant,
)
from zoo.recipe import Recipe  # noqa: E402
from zoo.stacks.stack import FORMULAS  # noqa: E402

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "variants"
RESULTS = ROOT / "benchmarks" / "results"
ANIMALS, GARMENTS = RESULTS / "animals", RESULTS / "fashion_mnist"
GALLERIES = {  # comparisons whose samples the index shows side by side, and what they say
    "losses": "One network, fifteen losses and penalties",
    "regularizers": "One network and its loss, seventeen regularizers",
    "networks": "Eleven networks, each with its own loss",
    "few-data": "A thousand garments",
}
COLUMNS = 5  # of a gallery
NEEDED = {"instance_noise": "--set horizon=100000"}  # options that a plugin can't do without
LINK = re.compile(r"(?<!\()https://arxiv\.org/abs/([\w.]+)")


def main() -> None:
    """Write every page, and remove those of plugins that there are no more."""
    PAGES.mkdir(exist_ok=True)
    written = pages(read_catalogue())
    for path in set(PAGES.glob("*.md")) - {PAGES / name for name in written}:
        path.unlink()
    for name, text in written.items():
        (PAGES / name).write_text(text)
    sys.stderr.write(f"{len(written)} pages in {PAGES.relative_to(ROOT)}\n")


def pages(catalogue: Catalogue) -> dict[str, str]:
    """The text of every file of the folder, by its name."""
    facts = {name: facts_of(each) for name, each in catalogue.plugins.items()}
    modules = {name: load_plugin(each) for name, each in catalogue.plugins.items()}
    of_plugins = {f"{name}.md": page(name, modules[name], facts[name], catalogue) for name in catalogue.plugins}
    return {"README.md": index(catalogue, facts), **of_plugins}


def index(catalogue: Catalogue, facts: Mapping[str, Facts]) -> str:
    """All variants and all plugins, by family."""
    lines = [
        "# Variants and plugins",
        "",
        "A **variant** is a stack of plugins with a recipe, by one name: `zoo run NAME`. A **plugin** on top of any",
        "stack is joined by `+`: `zoo run dcgan+hinge+r1`. `zoo show NAME` prints networks, formulas and where each",
        "value comes from.",
    ]
    for name, title in GALLERIES.items():
        lines += gallery(name, title)
    for family in VARIANT_FAMILIES:
        lines += ["", f"## Variants, {family}", "", "| variant | year | what it is | plugins |", "|---|---|---|---|"]
        lines += [
            f"| `{each.name}` | {year_of_variant(each, facts) or ''} | {each.summary} | {linked(each)} |"
            for each in catalogue.variants.values()
            if family_of_variant(each, facts) == family
        ]
    for family in PLUGIN_FAMILIES:
        lines += ["", f"## Plugins, {family}", "", "| plugin | paper |", "|---|---|"]
        lines += [
            f"| [`{name}`]({name}.md) | {with_links(each.summary)} |"
            for name, each in facts.items()
            if each.family == family
        ]
    return "\n".join(lines) + "\n"


def gallery(name: str, title: str) -> list[str]:
    """Samples of all variants of a comparison, best first, each with its score; nothing where it was not run."""
    ranked = [each for each in measurements() if each.comparison == name and each.picture]
    if not ranked:
        return []
    lines = ["", f"## {title}", "", f"{ranked[0].benchmark}; best first. {ranked[0].told}", ""]
    for start in range(0, len(ranked), COLUMNS):
        row = ranked[start : start + COLUMNS]
        lines += [f"| {' | '.join(f'`{each.label}`, {each.score}' for each in row)} |", "|---" * len(row) + "|"]
        shown = (f'<img src="{each.picture}" alt="Samples of {each.label}" width="150">' for each in row)
        lines += [f"| {' | '.join(shown)} |", ""]
    return lines[:-1]


def linked(variant: VariantEntry) -> str:
    """The plugins of a variant, each a link to its page."""
    return " + ".join(f"[`{name}`]({name}.md)" for name in variant.plugins)


def page(name: str, module: ModuleType, facts: Facts, catalogue: Catalogue) -> str:
    """A plugin's page."""
    _, *paragraphs = inspect.cleandoc(module.__doc__ or "").split("\n\n")
    idea = "\n\n".join(each for each in paragraphs if not each.startswith(ADVICE))
    lines = [f"# {name}", "", with_links(facts.summary), *(["", *literal(idea)] if idea else [])]
    formulas = [(hook, first_paragraph(getattr(module, hook))) for hook in FORMULAS if hook in facts.hooks]
    if formulas:
        lines += ["", "| | |", "|---|---|", *(f"| `{hook}` | {cell(text)} |" for hook, text in formulas)]
    if advice := plugin_advice(catalogue.plugins[name]):
        lines += ["", "## When to use it", "", *literal(textwrap.fill(advice[0].upper() + advice[1:], 120))]
    lines += recipe_of(module)
    variants = [each for each in catalogue.variants.values() if name in each.plugins]
    lines += ["", "## Use", ""]
    lines += [f"    zoo run {each.name}{dataset_of(each, catalogue)}" for each in variants] or [
        f"    zoo run {stack(name, facts)}"
    ]
    for each in dict.fromkeys([name, *(each.name for each in variants if each.plugins[-1] == name)]):
        for picture, told in (
            (GARMENTS / each / "samples.png", "../results.md"),
            (ANIMALS / f"{each}.png", "../../benchmarks/results/animals/README.md"),
        ):
            if picture.exists():
                lines += ["", f"![Samples of {each}](../../{picture.relative_to(ROOT)})", ""]
                lines += [f"*`{each}`: [how it was made]({told}).*"]
    lines += measured_of(name, catalogue)
    source = f"plugins/{name}.py"
    lines += ["", f"Source: [{source}](../../{source}). Back to [all of them](README.md)."]
    return "\n".join(lines) + "\n"


def measured_of(name: str, catalogue: Catalogue) -> list[str]:
    """The plugin's rows in the committed comparisons, of stacks that it is the last of, with their samples."""
    rows = [each for each in measurements() if last_plugin(each.label, catalogue) == name]
    if not rows:
        return []
    lines = ["", "## Measured", "", "| comparison | stack | score | 95% of the mean | place by the mean | seeds |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [
        f"| [{each.comparison}](../../benchmarks/results/comparisons/{each.comparison}/report.md): {each.benchmark} | "
        f"`{each.label}` | {each.metric}: {each.score} | {each.interval} | {each.place} | {each.seeds} |"
        for each in rows
    ]
    for each in rows:
        if each.picture:
            lines += ["", f"![Samples of {each.label}]({each.picture})", ""]
            lines += [f"*`{each.label}`, the run of {each.comparison} with the median score.*"]
    return lines


def last_plugin(label: str, catalogue: Catalogue) -> str:
    """The plugin on top of the stack that a comparison's label names."""
    top = label.partition(",")[0].rpartition("+")[2]
    return catalogue.variants[top].plugins[-1] if top in catalogue.variants else top


def stack(name: str, facts: Facts) -> str:
    """An example of a stack with the plugin on top."""
    options = f" {NEEDED[name]}" if name in NEEDED else ""
    return {"tasks": f"pix2pix+{name}"}.get(facts.family, f"dcgan+{name}") + options


def dataset_of(variant: VariantEntry, catalogue: Catalogue) -> str:
    """What a variant for points alone is to be told."""
    tuned = [each for each in variant.datasets if each in catalogue.datasets]
    return f" --dataset {tuned[0]}" if tuned and "fashion_mini" not in tuned else ""


def recipe_of(module: ModuleType) -> list[str]:
    """The plugin's recipe: its own fields, and the values that it gives to the zoo's, be they the zoo's own."""
    if not hasattr(module, "recipe"):
        return []
    values = module.recipe()
    plain = {each.name: each.default for each in dataclasses.fields(Recipe)}
    named = set(inspect.get_annotations(type(values)))
    rows = [
        f"| `{each.name}` | {cell(str(getattr(values, each.name)))} |"
        for each in dataclasses.fields(values)
        if each.name not in plain or each.name in named or getattr(values, each.name) != plain[each.name]
    ]
    about = " ".join((inspect.getdoc(type(values)) or "").partition("\n\n")[0].split())
    return ["", "## Recipe", "", cell(about), "", "| `--set` | value |", "|---|---|", *rows] if rows else []


def first_paragraph(function: object) -> str:
    """Of a function's docstring."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def literal(text: str) -> list[str]:
    """A docstring's further paragraphs, as they are."""
    return [with_links(line.replace("*", r"\*").replace("<", "&lt;")) for line in inspect.cleandoc(text).splitlines()]


def cell(text: str) -> str:
    """Text that a table and Markdown leave as it is."""
    return with_links(re.sub(r"([|*_])", r"\\\1", text).replace("<", "&lt;"))


def with_links(text: str) -> str:
    """Bare addresses of papers as links."""
    return LINK.sub(r"[\1](https://arxiv.org/abs/\1)", text)


if __name__ == "__main__":
    main()
