"""Families and years, read from sources that are not imported."""

from pathlib import Path

import pytest

from zoo.catalogue import plugin_advice, read_catalogue
from zoo.catalogue.entries import PluginEntry
from zoo.catalogue.families import facts_of, family_of_variant, year_of_variant

CATALOGUE = read_catalogue()
FACTS = {name: facts_of(each) for name, each in CATALOGUE.plugins.items()}


@pytest.mark.parametrize(
    ("plugin", "family", "year"),
    [
        ("dcgan", "networks", 2015),
        ("resnext", "networks", 2024),
        ("gat", "networks", 2025),  # though it derives a field, too
        ("cyclegan", "networks", 2017),  # though it augments, too
        ("wgan_gp", "losses", 2017),  # though it penalizes, too
        ("hinge", "losses", 2017),  # its hooks are functions of zoo.losses
        ("r1", "penalties and regularizers", 2018),
        ("projection", "conditional", 2018),
        ("acgan", "conditional", 2016),  # though it penalizes, too
        ("infogan", "conditional", 2016),  # on codes of its own
        ("pacgan", "heads and layers", 2017),
        ("diffaugment", "augmentation", 2020),
        ("ada", "augmentation", 2020),
        ("edges", "tasks", 2016),
        ("label_smoothing", "training", 2016),
        ("negative", "tasks", None),
    ],
)
def test_a_plugins_family_follows_from_its_hooks_and_its_year_from_its_first_line(
    plugin: str, family: str, year: int | None
) -> None:
    assert (FACTS[plugin].family, FACTS[plugin].year) == (family, year)


@pytest.mark.parametrize(
    ("variant", "family", "year"),
    [
        ("dcgan", "unconditional", 2015),
        ("r3gan", "unconditional", 2024),
        ("cgan-projection", "conditional", 2018),
        ("infogan", "unconditional", 2016),  # it takes no classes
        ("pix2pix-edges", "translation", 2016),
        ("cyclegan", "translation", 2017),
    ],
)
def test_a_variants_family_follows_from_what_its_players_are_built_of(variant: str, family: str, year: int) -> None:
    entry = CATALOGUE.variants[variant]
    assert (family_of_variant(entry, FACTS), year_of_variant(entry, FACTS)) == (family, year)


def test_a_file_that_can_not_be_parsed_has_neither_hooks_nor_summary(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def (")
    facts = facts_of(PluginEntry("broken", None, path, "--plugin broken.py"))
    assert (facts.summary, dict(facts.hooks), facts.family, facts.year) == ("", {}, "training", None)


@pytest.mark.parametrize("name", CATALOGUE.plugins)
def test_every_plugin_says_when_to_use_it(name: str) -> None:
    assert len(plugin_advice(CATALOGUE.plugins[name]).split()) > 5
