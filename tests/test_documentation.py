"""What the documents promise, checked against the code."""

import re
from pathlib import Path

import pytest

import zoo
from zoo.catalogue import read_catalogue
from zoo.cli import cli

SOURCES = Path(zoo.__file__).parents[1]
needs_documents = pytest.mark.skipif(not (SOURCES / "README.md").exists(), reason="an installed wheel has no documents")


@needs_documents
def test_the_example_plugin_of_the_contributing_guide_trains(tmp_path, tiny_dataset):
    code = re.search(r"```python\n(.*?)```", (SOURCES / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
    (tmp_path / "lsgan.py").write_text(code)
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.trainer import Trainer

    catalogue = read_catalogue([tmp_path / "lsgan.py"])
    trainer = Trainer(resolve_stack("dcgan+lsgan", catalogue, settings=["width=2", "batch_size=4"]), tiny_dataset())
    trainer.players.discriminator.layers[-1].kernel.assign(0.0 * trainer.players.discriminator.layers[-1].kernel)
    assert trainer.step()["discriminator_loss"] == pytest.approx(0.5)  # zero logits: ((0 - 1)^2 + 0^2) / 2


@needs_documents
@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_file_and_command_that_a_document_names_exists(document):
    text = (SOURCES / document).read_text()
    linked = re.findall(r"\]\((?!http|#)([^)#]+)", text) + re.findall(r'src="(?!http)([^"]+)"', text)
    tables = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    files = linked + [name for cell in tables for name in re.findall(r"`((?:zoo|plugins|benchmarks)/[^`]*)`", cell)]
    assert [each for each in files if not (SOURCES / each).exists()] == []
    commands = re.findall(r"^ {4}zoo ([a-z]+)", text, re.MULTILINE)
    assert [each for each in commands if each not in cli.commands] == []


@needs_documents
def test_the_readme_names_every_variant_modifier_and_dataset_of_the_catalogue():
    text = (SOURCES / "README.md").read_text()
    catalogue = read_catalogue()
    names = {*catalogue.variants, "r1", "label_smoothing", *catalogue.datasets}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
