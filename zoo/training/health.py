"""The health of a run: what its gradients, weights and samples are like, measured beside the step, never inside it."""

import re
from collections.abc import Sequence
from typing import Any

COUNTER = re.compile(r"_\d+$")  # Keras numbers names by what else the process has built


def layer_names(weights: Sequence[Any]) -> list[str]:
    """The name of the layer that each weight belongs to: `01 dense`, in the order in which they are met.

    The same in every process. Networks with one weight a layer have one name a weight.
    """
    layers: dict[str, str] = {}
    for weight in weights:
        owner = weight.path.rpartition("/")[0] or weight.path
        layers.setdefault(owner, f"{len(layers) + 1:02d} {COUNTER.sub('', owner.rpartition('/')[2])}")
    return [layers[weight.path.rpartition("/")[0] or weight.path] for weight in weights]
