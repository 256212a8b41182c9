"""What docs/plugins/layers.md says of the layers."""

import inspect
import re
from pathlib import Path

import keras
import pytest

import zoo
from zoo import layers

DOCUMENT = Path(zoo.__file__).parents[1] / "docs" / "plugins" / "layers.md"
needs_documents = pytest.mark.skipif(not DOCUMENT.exists(), reason="an installed wheel has no documents")


@needs_documents
def test_its_examples_run() -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        exec(block, names)
    assert isinstance(names["read"], keras.Model)


@needs_documents
def test_its_table_has_every_layer_once() -> None:
    rows = re.findall(r"^\| (`.*?) \| .* \| .*20\d\d \|$", DOCUMENT.read_text(), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    classes = [name for name in layers.__all__ if inspect.isclass(getattr(layers, name))]
    assert sorted(named) == sorted(set(classes) - {"ExactLayer"})


@needs_documents
def test_the_settings_that_it_names_can_be_made() -> None:
    made = re.findall(r"`((?:Instance|Equalized|Modulated|Upsample|Downsample)\w*\([^`]*\))`", DOCUMENT.read_text())
    assert len(made) > 6
    for text in made:
        assert eval(text, {**vars(layers), "filters": 4}) is not None
