"""A zoo of generative adversarial networks on Keras 3: every variant is a plugin, and one trainer runs them all.

From Python: `zoo.run("dcgan", dataset="fashion_mini", epochs=5)` trains and returns a `zoo.Run`, `zoo.load(folder)`
opens an earlier one. A plugin imports `hookimpl`, `Recipe`, `ZooError`, `zoo.layers` and `zoo.losses`.

Importing this package imports neither Keras nor NumPy; its functions do so when they are called.
"""

from typing import TYPE_CHECKING, Any

from zoo.backend.options import EngineOptions, Processes
from zoo.errors import ZooError, ZooWarning
from zoo.hookspecs import hookimpl
from zoo.recipe import Recipe

if TYPE_CHECKING:
    from zoo.pipeline import Run, load, run

__version__ = "0.1.0"
__all__ = ["EngineOptions", "Processes", "Recipe", "Run", "ZooError", "ZooWarning", "hookimpl", "load", "run"]

PIPELINE = ("Run", "load", "run")  # they need Keras, so they are imported when first asked for


def __getattr__(name: str) -> Any:
    if name not in PIPELINE:
        raise AttributeError(f"module 'zoo' has no attribute '{name}'")
    from zoo import pipeline

    return getattr(pipeline, name)
