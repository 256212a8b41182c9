"""A plugin with state: it follows the mean real logit, assigned in a penalty, and counts how often it augmented."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo import hookimpl


@hookimpl
def variables() -> dict[str, keras.Variable]:
    """A mean and a count, both scalars."""
    return {
        "mean_logit": keras.Variable(0.0, trainable=False),
        "penalties": keras.Variable(0, trainable=False, dtype="int32"),
    }


@hookimpl
def discriminator_penalty(real_logits: Any, variables: Mapping[str, keras.Variable]) -> Any:
    """Nothing yet, but both variables move."""
    variables["mean_logit"].assign(0.5 * variables["mean_logit"] + 0.5 * ops.mean(real_logits))
    variables["penalties"].assign(variables["penalties"] + 1)
    return 0.1 * ops.square(ops.mean(real_logits) - ops.stop_gradient(variables["mean_logit"]))


@hookimpl
def generator_penalty(fake_samples: Any, variables: Mapping[str, keras.Variable]) -> Any:
    """The generator's update may write them too."""
    variables["penalties"].assign(variables["penalties"] + 100)
    return 0.01 * ops.mean(ops.square(fake_samples))
