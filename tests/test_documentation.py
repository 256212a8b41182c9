"""What the documents promise, checked against the code."""

import dataclasses
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo import backend, hookspecs, losses, networks
from zoo.catalogue import parse_value, read_catalogue
from zoo.cli import cli
from zoo.recipe import Setting, checked
from zoo.stacks.resolving import resolve_stack
from zoo.testing.subject import Subject, steps
from zoo.training.players import build_players
from zoo.training.trainer import Trainer

SOURCES = Path(zoo.__file__).parents[1]
PLUGIN_PAGES = sorted((SOURCES / "docs" / "plugins").glob("*.md"))
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(str(page.relative_to(SOURCES)) for page in (SOURCES / "docs").rglob("*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^ {4}zoo run (.*)$", re.MULTILINE)
TINY = {"fashion_mini": ((28, 28, 1), 10), "ring8": ((2,), None)}  # in the place of datasets: shape and classes
needs_documents = pytest.mark.skipif(not (SOURCES / "README.md").exists(), reason="an installed wheel has no documents")


@dataclass(frozen=True)
class Example:
    """A block of Python in a page: a plugin's file where a command follows that trains it, else a script."""

    page: Path
    number: int
    code: str
    command: tuple[str, ...]  # what follows `zoo run`

    @property
    def name(self) -> str:
        """For the name of a test."""
        return f"{self.page.stem}: {self.file or f'block {self.number}'}"

    @property
    def trains(self) -> bool:
        """Whether the command trains a stack on data that there is a tiny stand-in for."""
        return bool(self.values("--plugin")) and self.dataset in TINY

    @property
    def dataset(self) -> str:
        """What the command trains on."""
        return (self.values("--dataset") or ["fashion_mini"])[0]

    @property
    def file(self) -> str | None:
        """The plugin's file."""
        return self.values("--plugin")[-1] if self.command else None

    def values(self, option: str) -> list[str]:
        """What the command gives for an option."""
        return [value for name, value in zip(self.command, self.command[1:], strict=False) if name == option]

    def subject(self, folder: Path) -> Subject:
        """The stack that the command trains, on tiny random data in the place of its dataset."""
        shape, classes = TINY[self.dataset]
        files = [folder / each for each in self.values("--plugin")]
        settings = dict(each.split("=") for each in self.values("--set"))
        return Subject(self.command[0], shape, files, classes, settings=settings)


def examples_of(page: Path) -> Iterator[Example]:
    """Every block of a page, with the command that follows it before the next."""
    text = page.read_text()
    blocks = list(BLOCK.finditer(text))
    ends = [*(block.start() for block in blocks[1:]), len(text)]
    for number, (block, end) in enumerate(zip(blocks, ends, strict=True)):
        command = COMMAND.search(text, block.end(), end)
        example = Example(page, number, block[1], tuple(shlex.split(command[1])) if command else ())
        yield example if example.trains else replace(example, command=())


EXTENSIONS = "extensions"  # the page whose examples are no plugins of stacks; tests/extensions has them
EXAMPLES = [example for page in PLUGIN_PAGES if page.stem != EXTENSIONS for example in examples_of(page)]
PLUGINS = [each for each in EXAMPLES if each.file]


def write_plugins(page: Path, folder: Path) -> None:
    """Write every plugin of a page into the folder."""
    for example in examples_of(page):
        if example.file:
            (folder / example.file).write_text(example.code)


@needs_documents
@pytest.mark.parametrize("example", PLUGINS, ids=lambda each: each.name)
def test_every_plugin_of_the_documents_trains_by_the_command_below_it(example: Example, tmp_path: Path) -> None:
    write_plugins(example.page, tmp_path)
    trainer = example.subject(tmp_path).trainer()
    metrics = steps(trainer, 2)
    assert all(np.isfinite(value) for value in metrics.values()), metrics
    samples = trainer.sampler.samples(trainer.sampler.latents(3, seed=0))
    assert samples.shape == (3, *trainer.dataset.sample_shape)


@needs_documents
@pytest.mark.parametrize("page", PLUGIN_PAGES, ids=lambda each: each.stem)
def test_every_script_of_the_documents_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as in a notebook, beside the plugins of the page."""
    monkeypatch.chdir(tmp_path)
    write_plugins(page, tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for example in examples_of(page):
        if not example.file:
            exec(compile(example.code, f"{page.name}, block {example.number}", "exec"), names)


@needs_documents
@pytest.mark.parametrize("hook", [name for name, each in vars(hookspecs).items() if hasattr(each, "zoo_spec")])
def test_every_hook_has_an_example_and_a_line_in_the_table(hook: str) -> None:
    texts = [example.code for example in EXAMPLES] + BLOCK.findall((SOURCES / "CONTRIBUTING.md").read_text())
    assert any(re.search(rf"^@hookimpl.*\ndef {hook}\(", text, re.MULTILINE) for text in texts)
    assert f"\n| `{hook}` |" in (SOURCES / "docs/plugins/README.md").read_text()


@needs_documents
def test_the_plugin_pages_list_every_recipe_field_with_its_default() -> None:
    text = (SOURCES / "docs/plugins/README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w.-]+) \|", text, re.MULTILINE))
    expected = {field.name: field.default for field in dataclasses.fields(zoo.Recipe)}
    written = {
        name: checked(Setting(name, parse_value(rows[name]), "docs"), type(default))
        for name, default in expected.items()
    }
    assert written == expected


@needs_documents
@pytest.mark.parametrize("module", [losses, networks], ids=lambda each: each.__name__)
def test_the_plugin_pages_list_what_plugins_build_with(module: Any) -> None:
    text = (SOURCES / "docs/plugins/README.md").read_text()
    own = [name for name, each in vars(module).items() if getattr(each, "__module__", "") == module.__name__]
    internal = {"weights_hash", "named_inputs", "Tensor", "Cosines", "for_shape", "again", "unbuilt"}
    assert [name for name in own if name not in internal and f"`{name}(" not in text] == []


@needs_documents
def test_the_example_plugin_of_the_contributing_guide_trains(tmp_path: Path, tiny_dataset: Callable) -> None:
    code = re.search(r"```python\n(.*?)```", (SOURCES / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
    (tmp_path / "my_lsgan.py").write_text(code)
    catalogue = read_catalogue([tmp_path / "my_lsgan.py"])
    trainer = Trainer(resolve_stack("dcgan+my_lsgan", catalogue, settings=["width=2", "batch_size=4"]), tiny_dataset())
    trainer.players.discriminator.layers[-1].kernel.assign(0.0 * trainer.players.discriminator.layers[-1].kernel)
    assert trainer.step()["discriminator_loss"] == pytest.approx(0.5)  # zero logits: ((0 - 1)^2 + 0^2) / 2


@needs_documents
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_and_command_that_a_document_names_exists(document: str) -> None:
    path = SOURCES / document
    text = path.read_text()
    prose = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))
    linked = re.findall(r"\]\((?!http|#)([^)#]+)", prose) + re.findall(r'src="(?!http)([^"]+)"', text)
    assert [each for each in linked if not (path.parent / each).exists()] == []
    tables = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    files = [name for cell in tables for name in re.findall(r"`((?:zoo|plugins|benchmarks)/[^`]*)`", cell)]
    assert [each for each in files if not (SOURCES / each).exists()] == []
    commands = re.findall(r"^ {4}zoo ([a-z]+)", text, re.MULTILINE)
    assert [each for each in commands if each not in cli.commands] == []


@needs_documents
def test_the_pages_of_the_variants_are_those_of_the_catalogue() -> None:
    """They are generated: python -m docs.make_variants."""
    module = importlib.import_module("docs.make_variants")
    committed = {path.name: path.read_text() for path in (SOURCES / "docs" / "variants").glob("*.md")}
    assert committed == module.pages(read_catalogue())


@needs_documents
def test_the_stacks_that_the_variants_pages_run_can_be_built(make_stack: Callable, tiny_dataset: Callable) -> None:
    """Of plugins without a variant, whose command joins a stack: none is refused for what the command lacks."""
    text = "".join(path.read_text() for path in (SOURCES / "docs" / "variants").glob("*.md"))
    stacks = set(re.findall(r"^    zoo run (\S+\+\S+)(?: --set (\S+))?$", text, re.MULTILINE))
    assert ("dcgan+instance_noise", "horizon=100000") in stacks
    for stack, setting in sorted(stacks):
        made = make_stack(stack, *([setting] if setting else []))
        build_players(made, tiny_dataset((16, 16, 1), classes=3).fields, 0, backend.engine())


@needs_documents
def test_the_documents_name_every_dataset_of_the_catalogue() -> None:
    text = (SOURCES / "docs" / "data.md").read_text()
    assert [name for name in sorted(read_catalogue().datasets) if f"`{name}`" not in text] == []


@needs_documents
def test_the_readme_is_short() -> None:
    assert len((SOURCES / "README.md").read_text().splitlines()) <= 150


@needs_documents
@pytest.mark.long  # that what is linked exists was tried above
def test_the_site_is_built_without_a_dead_link(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="sphinx is not installed")
    words = ["-W", "--keep-going", "-q", "-c", "docs", "-d", tmp_path / "doctrees", ".", tmp_path / "site"]
    built = subprocess.run([sys.executable, "-m", "sphinx", *words], cwd=SOURCES, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    assert (tmp_path / "site" / "docs" / "variants" / "dcgan.html").exists()
