"""docs/plugins/extensions.md shows the extensions that are tested here, and every hook of the contract is described."""

import inspect
from pathlib import Path

import pytest
from bringing import BROUGHT

import zoo
from zoo import extensions
from zoo.catalogue import HOOKS

DOCUMENT = Path(zoo.__file__).parents[1] / "docs" / "plugins" / "extensions.md"


@pytest.mark.skipif(not DOCUMENT.exists(), reason="an installed wheel has no documents")
@pytest.mark.parametrize("file", sorted(BROUGHT.glob("*.py")), ids=lambda file: file.stem)
def test_the_document_shows_the_extension_that_is_tested(file: Path):
    text = DOCUMENT.read_text()
    assert f"```python\n{file.read_text()}```" in text
    assert f"--plugin {file.name}" in text


@pytest.mark.parametrize("hook", HOOKS.values())
def test_every_hook_is_specified_and_described(hook: str):
    specification = getattr(extensions, hook)
    assert hasattr(specification, "zoo_spec")
    assert len((inspect.getdoc(specification) or "").split()) > 5
    assert f"    {hook} " in (extensions.__doc__ or "")


def test_there_are_no_other_hooks():
    assert [name for name, each in vars(extensions).items() if hasattr(each, "zoo_spec")] == list(HOOKS.values())


def test_every_public_name_can_be_imported():
    assert sorted(extensions.__all__) == extensions.__all__
    assert all(getattr(extensions, name) is not None for name in extensions.__all__)
