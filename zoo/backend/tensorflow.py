"""TensorFlow: gradients of one player, differentiable input gradients, compiling, devices."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.backend.scopes import inherited_scope

Tensor = Any

# It has let a read of a variable slip behind the write that follows it, in 1 tracing of 12 to 20, so that a penalty saw
# the next step's weights. Steps are as fast without it.
tf.config.optimizer.set_experimental_options({"dependency_optimization": False})

STOCK_NORMALIZATIONS = (  # tf.nn.moments stops a gradient that second-order gradients need
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.SpectralNormalization,
)


def player_gradients(
    compute: Callable[[], tuple[Tensor, Any]],
    weights: Sequence[keras.Variable],
    state: Sequence[keras.Variable] = (),
) -> tuple[Any, list[Tensor | None], keras.StatelessScope]:
    """What `compute` returns beside its scalar loss, the loss' gradient by each weight, and the scope of all writes.

    A gradient is None where the loss does not depend on the weight. Weights and state, which the update will write, are
    read once, before anything is computed, and what is written waits for these reads.
    """
    own = [*weights, *state]
    read = [tf.convert_to_tensor(variable.value) for variable in own]
    watched = read[: len(weights)]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(watched)
        with inherited_scope(zip(own, read, strict=True)) as scope:
            loss, extras = compute()
    gradients = tape.gradient(loss, watched)
    with tf.control_dependencies(read):  # what is written waits for every read
        return extras, [None if each is None else tf.identity(each) for each in gradients], scope


def input_gradients(function: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """The gradient of sum(function(inputs)) by inputs, of their shape, differentiable again; writes are discarded."""
    with inherited_scope(), tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(function(inputs))
    return tape.gradient(total, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a graph. Autograph stays off: it would hide a Python `if` on a tensor, which fails elsewhere."""
    return tf.function(function, autograph=False)


def devices() -> list[str]:
    """The names of the devices that a run may use, the preferred one first."""
    gpus = tf.config.list_physical_devices("GPU")
    return [device.name for device in [*gpus, *tf.config.list_physical_devices("CPU")]]


def version() -> str:
    """The backend's version."""
    return str(tf.__version__)
