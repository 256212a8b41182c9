"""What the zoo takes of Keras' private parts stands in one module, and a release that lacks any of it is named."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import zoo_plugins

import zoo
from zoo.backend import keras_internals
from zoo.backend.keras_internals import every_layer, operations_after, origin, problems, put_value, tensors_before
from zoo.errors import ZooError

ZOO = Path(zoo.__file__).parent
HOME = ZOO / "backend" / "keras_internals.py"
SOURCES = [each for each in [*ZOO.rglob("*.py"), *Path(zoo_plugins.__file__).parent.glob("*.py")] if each != HOME]
ATTRIBUTES = {"_flatten_layers", "_keras_history", "_inbound_nodes", "_outbound_nodes", "_value", "_available"}


def private_uses(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras.src"):
            found.append(f"{path}: {node.module}")
        elif isinstance(node, ast.Import):
            found += [f"{path}: {each.name}" for each in node.names if each.name.startswith("keras.src")]
        elif isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            found.append(f"{path}: {node.attr}")
    return found


def test_one_module_alone_knows_what_keras_keeps_private() -> None:
    assert [use for path in SOURCES for use in private_uses(path)] == []
    assert {use.rpartition(" ")[2] for use in private_uses(HOME)} == ATTRIBUTES


def test_the_installed_release_has_all_of_it() -> None:
    assert problems("tensorflow") == []


def test_a_release_that_lacks_something_is_named_with_what_the_zoo_does_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    monkeypatch.setitem(sys.modules, "keras.src.backend.common.stateless_scope", None)
    monkeypatch.delattr("keras.src.layers.Layer._flatten_layers")
    assert problems("tensorflow") == [
        f"Keras 3.99.0 has no keras.src.backend.common.stateless_scope.{name}, by which the zoo {serves}"
        for name, serves in (
            ("get_stateless_scope", "keeps writes of an update in the scope around"),
            ("in_stateless_scope", "sees whether a scope is around"),
        )
    ] + ["Keras 3.99.0 has no Layer._flatten_layers as the zoo knows it"]
    with pytest.raises(ZooError, match=r"Releases that have it: 3\.10 to .*pip install keras==3\.15\.1"):
        keras_internals.of("get_stateless_scope")


def test_layers_inside_of_models_and_wrappers_are_found_and_what_is_before_and_after() -> None:
    inputs = keras.Input((4, 2))
    inner = keras.Sequential([keras.layers.Dense(3)], name="inner")
    wrapper = keras.layers.TimeDistributed(inner)
    last = keras.layers.Dense(1)
    model = keras.Model(inputs, last(wrapper(inputs)))
    found = every_layer(model)
    assert found[0] is model
    assert {inner, inner.layers[0], wrapper, last} <= set(found)
    assert every_layer(model, itself=False) == found[1:]
    assert origin(model.output)[:2] == (last, 0)
    assert tensors_before(last, 0) == [wrapper.output]
    assert operations_after(wrapper) == [last]


def test_a_value_is_put_without_a_check_or_a_copy() -> None:
    variable = keras.Variable([1.0, 2.0])
    value = keras.ops.convert_to_tensor([3.0, 4.0])
    before = variable._value
    put_value(variable, value)
    assert variable._value is value
    put_value(variable, before)


@pytest.mark.parametrize("whole", [True, False])
def test_keras_leaves_out_what_the_zoo_never_calls_in_processes_of_the_zoo_alone(whole: bool) -> None:
    code = f"""
import sys
from zoo import backend
if {whole}: backend.use_whole_process()
backend.prepare()
import keras
print("sklearn.base" in sys.modules, "matplotlib.pyplot" in sys.modules)
import sklearn.base, matplotlib.pyplot  # a plugin that wants them has them
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True
    )
    assert done.stdout == ("False False\n" if whole else "True True\n"), done.stderr
