"""A zoo of generative adversarial networks on Keras 3: every variant is a plugin, and one trainer runs them all.

From Python: `zoo.run("dcgan", dataset="fashion_mini", budget=zoo.Budget(epochs=5))` trains and returns a `zoo.Run`,
`zoo.load(folder)` opens an earlier one, `zoo.evaluate(folder)` scores it, `zoo.diagnose("dcgan")` follows what reaches
its generator. A plugin imports `hookimpl`, `Recipe`, `ZooError`, `Network`, `zoo.layers`, `zoo.losses` and
`zoo.networks`; a metric, a dataset source or another extension imports `zoo.extensions`.

Importing this package imports neither Keras nor NumPy; its functions do so when they are called.
"""

from typing import TYPE_CHECKING, Any

from zoo.backend.options import EngineOptions, Processes
from zoo.errors import ZooError, ZooWarning
from zoo.hookspecs import hookimpl
from zoo.recipe import Recipe

if TYPE_CHECKING:
    from zoo.comparison.comparing import ComparisonOptions, compare
    from zoo.data.options import DataOptions
    from zoo.diagnosis.experiment import Procedure, diagnose
    from zoo.diagnosis.of_run import diagnose_run
    from zoo.evaluation.extractors.contract import Features
    from zoo.evaluation.options import EvaluationOptions
    from zoo.evaluation.scoring import evaluate
    from zoo.networks import Network
    from zoo.opened import Run, load
    from zoo.options import Budget, Monitoring
    from zoo.pipeline import repeat, run
    from zoo.runs.pulling import pull
    from zoo.sharing.hub import push
    from zoo.sharing.packing import Packing, pack

__version__ = "0.1.0"
__all__ = [
    "Budget",
    "ComparisonOptions",
    "DataOptions",
    "EngineOptions",
    "EvaluationOptions",
    "Features",
    "Monitoring",
    "Network",
    "Packing",
    "Procedure",
    "Processes",
    "Recipe",
    "Run",
    "ZooError",
    "ZooWarning",
    "compare",
    "diagnose",
    "diagnose_run",
    "evaluate",
    "hookimpl",
    "load",
    "pack",
    "pull",
    "push",
    "repeat",
    "run",
]

HOMES = {  # imported when first asked for: most need NumPy, and Keras when they are called
    "Budget": "zoo.options",
    "ComparisonOptions": "zoo.comparison.comparing",
    "DataOptions": "zoo.data.options",
    "EvaluationOptions": "zoo.evaluation.options",
    "Features": "zoo.evaluation.extractors.contract",
    "Monitoring": "zoo.options",
    "Network": "zoo.networks",
    "Packing": "zoo.sharing.packing",
    "Procedure": "zoo.diagnosis.experiment",
    "Run": "zoo.opened",
    "compare": "zoo.comparison.comparing",
    "diagnose": "zoo.diagnosis.experiment",
    "diagnose_run": "zoo.diagnosis.of_run",
    "evaluate": "zoo.evaluation.scoring",
    "load": "zoo.opened",
    "pack": "zoo.sharing.packing",
    "pull": "zoo.runs.pulling",
    "push": "zoo.sharing.hub",
    "repeat": "zoo.pipeline",
    "run": "zoo.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'zoo' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(HOMES[name]), name)
