"""Hooks called by hand: logits, slopes, and critics whose gradient is known."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import backend


def column(*values: float) -> Any:
    """Logits (B, 1)."""
    return ops.convert_to_tensor(np.array(values, keras.config.floatx())[:, None])


def rows(values: Any) -> Any:
    """A tensor of any shape."""
    return ops.convert_to_tensor(np.array(values, keras.config.floatx()))


def number(value: Any) -> float:
    """A loss as the zoo takes it: a scalar, or the mean of a value a logit."""
    return float(ops.mean(value))


def gradients(function: Callable[[Any], Any], inputs: Any) -> Any:
    """What hooks are given."""
    return backend.engine().input_gradients(function, inputs)


def slopes(loss: Callable[[Any], Any], logits: Any) -> np.ndarray:
    """The derivative of a loss by each logit, (B,)."""
    return ops.convert_to_numpy(gradients(lambda each: ops.mean(loss(each)), logits))[:, 0]


def weight_count(model: keras.Model) -> int:
    """How many numbers training moves."""
    return sum(math.prod(each.shape) for each in model.trainable_variables)


def linear(*weights: float) -> Callable[[Any], Any]:
    """The critic x . w of points, whose slope is w everywhere."""
    return lambda fields: ops.matmul(fields["samples"], column(*weights))


def quadratic(fields: Any) -> Any:
    """The critic |x|^2 / 2 of points, whose slope at x is x."""
    return ops.sum(ops.square(fields["samples"]), axis=1, keepdims=True) / 2


def wrapped(wrapper: Any, answer: Any) -> Any:
    """What a wrapper, already called, makes of the answer from below."""
    next(wrapper)
    try:
        wrapper.send(answer)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("the wrapper has two yields")
