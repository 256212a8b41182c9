"""Random numbers for a batch that is divided over several devices, on TensorFlow.

Every device traces the same hooks with the same seeds, so that all would draw the same numbers. Inside `global_draws`
a draw whose first axis is the device's share of the batch is made for the whole batch, and the device takes its slice:
the samples get the same numbers, however many devices share them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zoo.backend.keras_internals import DRAWN_BY_SHAPE, random_module

Tensor = Any
Draw = Callable[..., Tensor]


@dataclass(frozen=True)
class Slices:
    """Slices of draws for a whole batch: `share` samples belong to the device `replica()`, which is being traced."""

    replica: Callable[[], Tensor]
    share: int
    devices: int

    def part(self, tensor: Tensor) -> Tensor:
        """The device's slice of a tensor (share * devices, ...)."""
        start = self.replica() * self.share
        return tensor[start : start + self.share]

    def of_shape(self, draw: Draw) -> Draw:
        """A function that draws for the whole batch where the first axis is `share`, and returns the device's slice."""

        def drawn(shape: Sequence[Any], *arguments: Any, **named: Any) -> Tensor:
            sizes = [tf.get_static_value(size) for size in shape]
            if not sizes or sizes[0] != self.share:
                return draw(shape, *arguments, **named)
            return self.part(draw((self.share * self.devices, *sizes[1:]), *arguments, **named))

        return drawn

    def of_dropout(self, dropout: Draw) -> Draw:
        """Dropout with a mask that is drawn for the whole batch."""

        def dropped(inputs: Tensor, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
            if inputs.shape[0] != self.share:
                return dropout(inputs, rate, noise_shape, seed)
            if noise_shape is not None and noise_shape[0] == self.share:
                noise_shape = (self.share * self.devices, *noise_shape[1:])
            ones = tf.ones((self.share * self.devices, *inputs.shape[1:]), inputs.dtype)
            return inputs * self.part(dropout(ones, rate, noise_shape, seed))

        return dropped

    def of_categorical(self, categorical: Draw) -> Draw:
        """Classes drawn for the whole batch; the logits at other devices' samples don't affect this device's."""

        def drawn(logits: Tensor, *arguments: Any, **named: Any) -> Tensor:
            if logits.shape[0] != self.share:
                return categorical(logits, *arguments, **named)
            return self.part(categorical(tf.tile(logits, (self.devices, 1)), *arguments, **named))

        return drawn


@contextmanager
def global_draws(slices: Slices) -> Iterator[None]:
    """A context for tracing in which Keras' random functions draw for the whole batch."""
    random = random_module("tensorflow")
    stock = {name: getattr(random, name) for name in (*DRAWN_BY_SHAPE, "dropout", "categorical")}
    try:
        for name in DRAWN_BY_SHAPE:
            setattr(random, name, slices.of_shape(stock[name]))
        random.dropout = slices.of_dropout(stock["dropout"])
        random.categorical = slices.of_categorical(stock["categorical"])
        yield
    finally:
        for name, function in stock.items():
            setattr(random, name, function)
