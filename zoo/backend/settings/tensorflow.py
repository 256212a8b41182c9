"""TensorFlow's settings that change numbers, and whether it computes by oneDNN."""

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

OURS = {"dependency_optimization": False}  # zoo.backend.tensorflow says why
HARMLESS = {"disable_model_pruning": False, "disable_meta_optimizer": False, **OURS}  # and what TensorFlow reports


def settings() -> list[tuple[str, Any, Callable[[], Any], Callable[[Any], Any]]]:
    """(name, standard value, how it is read, how it is set) of each."""
    return [
        (
            "tf.config.run_functions_eagerly",
            False,
            tf.config.functions_run_eagerly,
            tf.config.run_functions_eagerly,
        ),
        (
            "tf.config.experimental.enable_tensor_float_32_execution",
            True,
            tf.config.experimental.tensor_float_32_execution_enabled,
            tf.config.experimental.enable_tensor_float_32_execution,
        ),
        ("tf.config.optimizer.set_jit", "", tf.config.optimizer.get_jit, set_jit),
    ]


def set_jit(value: Any) -> None:
    """Set it as it is read: "autoclustering", or "" for off."""
    tf.config.optimizer.set_jit(value or False)


def problem() -> str:
    """Why nothing can be computed as recorded; "" where nothing is wrong."""
    if not tf.executing_eagerly():
        return "TensorFlow builds a graph here, or runs as version 1 did. Call the zoo outside of tf.function."
    if tf.distribute.has_strategy():
        return "The zoo can't run in the scope of a tf.distribute strategy. Call it outside: --devices is its own way."
    options = tf.config.optimizer.get_experimental_options()
    if changed := {
        name: value for name, value in options.items() if HARMLESS.get(name) != value and not usual(name, value)
    }:
        return (
            f"tf.config.optimizer.set_experimental_options was given {changed}, which changes what graphs compute. "
            "Undo it, or start a new process."
        )
    return ""


def usual(name: str, value: Any) -> bool:
    """Whether an option of the graph optimizer is what TensorFlow does without it: to optimize in the given types."""
    if name.startswith(("auto_mixed_precision", "disable_", "debug_", "pin_to_host", "scoped_allocator")):
        return not value
    return bool(value)


def threads() -> int:
    """How many threads compute one operation; 0 for as many as there are cores."""
    chosen = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return tf.config.threading.get_intra_op_parallelism_threads() or (int(chosen) if chosen.isdigit() else 0)


def computes_by_onednn() -> bool | None:
    """Whether TensorFlow uses oneDNN in this process; None where it does not say."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return bool(_pywrap_util_port.IsMklEnabled())
