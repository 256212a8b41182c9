"""TensorFlow: gradients of one player, differentiable input gradients, compiling, devices."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.backend.scopes import inherited_scope

Tensor = Any
STOCK_NORMALIZATIONS = (  # tf.nn.moments stops a gradient that second-order gradients need
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.SpectralNormalization,
)


def player_gradients(
    compute: Callable[[], tuple[Tensor, Any]], variables: Sequence[keras.Variable]
) -> tuple[Any, list[Tensor | None], keras.StatelessScope]:
    """What `compute` returns beside its scalar loss, the loss' gradient by each variable, and the scope of all writes.

    A gradient is None where the loss does not depend on the variable.
    """
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        with inherited_scope() as scope:
            loss, extras = compute()
    return extras, tape.gradient(loss, values), scope


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
