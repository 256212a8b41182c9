"""All that the zoo takes of Keras beyond its public interface, each with its purpose: any release may change any of it.

Nothing else in the zoo imports `keras.src` or reads an attribute of Keras' that begins with an underscore.
`python -m zoo.backend.keras_internals` says what the installed Keras lacks; CONTRIBUTING.md has the releases tried.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import keras

from zoo.errors import ZooError

Tensor = Any
DRAWN_BY_SHAPE = ("normal", "uniform", "randint", "truncated_normal", "gamma", "binomial", "beta")
MODULES: Mapping[str, str] = MappingProxyType(
    {  # module and attribute, and what the zoo does by it
        "keras.src.backend.common.global_state:get_global_attribute": "sees the variables that a hook makes in a step",
        "keras.src.backend.common.global_state:set_global_attribute": "refuses draws without a seed",
        "keras.src.backend.common.stateless_scope:get_stateless_scope": "keeps writes of an update in the scope around",
        "keras.src.backend.common.stateless_scope:in_stateless_scope": "sees whether a scope is around",
        "keras.src.backend.common.variables:AutocastScope": "reads weights in float32 in mixed precision",
    }
)
MODULES_OF: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "tensorflow": {
            "keras.src.backend.tensorflow.random:draw_seed": "refuses draws with a constant seed",
            **{
                f"keras.src.backend.tensorflow.random:{name}": "draws for a whole batch on many devices"
                for name in (*DRAWN_BY_SHAPE, "dropout", "categorical")
            },
        },
        "jax": {
            "keras.src.backend.jax.random:draw_seed": "refuses draws with a constant seed",
            "keras.src.backend.jax.nn:conv": "convolves fast on CPUs",
            "keras.src.backend.jax.nn:conv_transpose": "convolves fast on CPUs",
            "keras.src.backend.common.backend_utils:compute_conv_transpose_padding_args_for_jax": "pads as Keras does",
            "keras.src.utils.module_utils:tensorflow": "keeps TensorFlow unimported beside JAX",
        },
    }
)
TRIED = "3.10 to 3.15.1"


def taken(path: str, serves: str) -> Any:
    """What is at `module:attribute` in Keras; raises ZooError, with what the zoo does by it, where it is not there."""
    module, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ZooError(
            f"Keras {keras.__version__} has no {module}.{attribute}, by which the zoo {serves}. Releases that have it: "
            f"{TRIED}. Install the last of them: pip install keras==3.15.1."
        ) from error


def of(name: str, backend: str | None = None) -> Any:
    """What is listed above under `name`, the last part of a path."""
    listed = MODULES_OF[backend] if backend else MODULES
    path = next(each for each in listed if each.rpartition(":")[2] == name)
    return taken(path, listed[path])


get_global_attribute: Callable[..., Any] = of("get_global_attribute")
set_global_attribute: Callable[..., Any] = of("set_global_attribute")
get_stateless_scope: Callable[..., Any] = of("get_stateless_scope")
in_stateless_scope: Callable[..., bool] = of("in_stateless_scope")
AutocastScope: Any = of("AutocastScope")

GLOBAL_SEEDS = "global_seed_generator"  # the global attribute that unseeded functions draw from
UNINITIALIZED = "uninitialized_variables"  # the global attribute that holds what is made inside of a stateless scope
SEED_STATE = "seed_generator_state"  # how the path of a seed generator's variable ends
INITIALIZERS = "keras.src.initializers"  # how the names of the modules begin that initializers are in


def random_module(backend: str) -> Any:
    """The module whose functions `keras.random` calls, and layers too; raises ZooError where it lacks any."""
    return whole_module(f"keras.src.backend.{backend}.random", backend)


def jax_nn() -> Any:
    """The module whose functions convolve on JAX; raises ZooError where it lacks any."""
    return whole_module("keras.src.backend.jax.nn", "jax")


def whole_module(name: str, backend: str) -> Any:
    """A module that has all that is listed above of it."""
    for path, serves in MODULES_OF[backend].items():
        if path.startswith(f"{name}:"):
            taken(path, serves)
    return importlib.import_module(name)


def without_tensorflow() -> None:
    """Let Keras not import TensorFlow to find out whether what it copies or saves is TensorFlow's."""
    of("tensorflow", "jax")._available = False


def put_value(variable: keras.Variable, value: Any) -> None:
    """Give a variable a value that is known to fit: `assign` would check and convert it, at each step."""
    variable._value = value


def every_layer(layer: keras.Layer, itself: bool = True) -> list[keras.Layer]:
    """All layers inside of a model or layer, those of models and wrappers in it too, and that itself before them."""
    found: Iterable[keras.Layer] = layer._flatten_layers(include_self=itself, recursive=True)
    return list(found)


def origin(tensor: Tensor) -> tuple[Any, int, int]:
    """What made a symbolic tensor: the operation, at which of its calls, as which of its outputs."""
    history: tuple[Any, int, int] = tensor._keras_history
    return history


def tensors_before(operation: Any, call: int) -> list[Tensor]:
    """The symbolic tensors that an operation took at one of its calls."""
    return list(operation._inbound_nodes[call].input_tensors)


def number_of_calls(operation: Any) -> int:
    """How often an operation was called on symbolic tensors."""
    return len(operation._inbound_nodes)


def operations_after(operation: Any) -> list[Any]:
    """The operations that take what an operation returns."""
    return [node.operation for node in operation._outbound_nodes]


def problems(backend: str) -> list[str]:
    """A sentence for everything that the installed Keras lacks, on this backend."""
    found = []
    for path, serves in {**MODULES, **MODULES_OF[backend]}.items():
        try:
            taken(path, serves)
        except ZooError as error:
            found.append(str(error).partition(". Releases")[0])
    inside = keras.Input((2,))
    dense = keras.layers.Dense(2)
    outside = keras.layers.Activation("relu")(dense(inside))
    model = keras.Model(inside, outside)
    uses: dict[str, Callable[[], Any]] = {
        "Layer._flatten_layers": lambda: len(every_layer(model)) == 4,
        "KerasTensor._keras_history": lambda: origin(dense.output)[0] is dense,
        "Operation._inbound_nodes": lambda: tensors_before(dense, 0)[0] is inside,
        "Operation._outbound_nodes": lambda: len(operations_after(dense)) == 1,
        "Variable._value": lambda: dense.kernel._value is not None,
    }
    for name, works in uses.items():
        try:
            fine = works()
        except (AttributeError, TypeError):
            fine = False
        if not fine:
            found.append(f"Keras {keras.__version__} has no {name} as the zoo knows it")
    return found


if __name__ == "__main__":
    found = problems(keras.backend.backend())
    print("\n".join(found) or f"Keras {keras.__version__} has all that the zoo takes of it.")
    sys.exit(bool(found))
