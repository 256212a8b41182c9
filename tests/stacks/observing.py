"""A controller on top of any stack: it follows how often real logits are positive, and logs what it sees."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo import hookimpl


@hookimpl
def variables(discriminator: keras.Model, classes: int | None) -> dict[str, keras.Variable]:
    """A share, a count of updates, and a copy of the discriminator's first weight."""
    first = discriminator.trainable_variables[0]
    return {
        "observed_share": keras.Variable(0.0, trainable=False),
        "observed_updates": keras.Variable(0, dtype="int32", trainable=False),
        "observed_weight": keras.Variable(ops.zeros(first.shape, first.dtype), trainable=False),
    }


@hookimpl
def observe(
    player: str, real_logits: Any, weights: list[Any], weight_gradients: list[Any], variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The discriminator's share of positive real logits; the norm of either player's gradient."""
    variables["observed_updates"].assign(variables["observed_updates"] + 1)
    norm = ops.sqrt(sum(ops.sum(ops.square(each)) for each in weight_gradients))
    if player == "generator":
        return {"norm": norm}
    share = ops.mean(ops.cast(real_logits > 0, "float32"))
    variables["observed_share"].assign(share)
    variables["observed_weight"].assign(weights[0])
    return {"norm": norm, "share": share, "logits": ops.sum(real_logits)}
